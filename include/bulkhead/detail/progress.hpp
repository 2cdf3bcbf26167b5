// Progress values from a handler to the function that its caller gave for them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/type_name.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead::detail {

// ------------------------------------------------------------ in the worker

// Takes a handler's values to the app. Thread safe.
class HandlerProgress {
 public:
  virtual bool wanted() const noexcept = 0;
  // Does not wait for the app. Throws std::length_error for one that is too large.
  virtual void send(Buffer value) = 0;

 protected:
  ~HandlerProgress() = default;
};

// What a request says of its values.
struct ProgressType {
  std::string_view request;
  std::string_view name = {};  // empty: it has none
  const std::type_info* type = &typeid(void);
};

template <class R>
constexpr ProgressType progress_type_of() {
  if constexpr (NamesProgress<R>)
    return {type_name<R>(), type_name<typename R::Progress>(), &typeid(typename R::Progress)};
  else
    return {type_name<R>()};
}
template <class R>
inline constexpr ProgressType progress_type = progress_type_of<R>();

// Throws std::logic_error.
[[noreturn]] BULKHEAD_API void refuse_progress(const ProgressType& type, std::string_view told);

// ------------------------------------------------------------ in the app

// The newest value that the caller's function has not seen, and whose turn it is: the function runs
// in turns, one at a time, and the call ends behind the last of them. Thread safe.
class BULKHEAD_API ProgressBox {
 public:
  ProgressBox() = default;
  virtual ~ProgressBox() = default;
  ProgressBox(const ProgressBox&) = delete;
  ProgressBox& operator=(const ProgressBox&) = delete;

  // Unpacks a value, which runs its type's own code, and throws what it throws. True: take_turn()
  // is due, on the thread where the function is to run.
  [[nodiscard]] bool put(std::span<const std::byte> packed);
  enum class Then { nothing, another_turn, end_call };
  // Gives the value to the function.
  Then take_turn();
  // Instead of a turn, where nobody can take it.
  Then skip_turn();
  // The call is about to end. False: take_turn() will tell when it may.
  [[nodiscard]] bool end();
  // No value is wanted any more. Takes no lock.
  void close() noexcept { closed_.store(true); }

 private:
  virtual std::shared_ptr<void> unpack(std::span<const std::byte> packed) const = 0;
  virtual void tell(void* value) = 0;
  void tell_logged(void* value);

  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  // guarded by mutex_
  std::shared_ptr<void> value_;
  bool turn_is_due_ = false;  // or under way
  bool ended_ = false;
};

}  // namespace bulkhead::detail
