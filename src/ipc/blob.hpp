// Memory of a buffer that processes share: a sealed file without a name, mapped. Its maker writes,
// all others only read. Thread safe once it is made.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "platform/home_process.hpp"
#include "platform/memory_file.hpp"

namespace bulkhead::ipc {

// How much may exist at once, in bytes.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes); }
  std::size_t limit() const { return limit_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_ = 0;
};

class Blob {
 public:
  // For at least `bytes`, at the cost of the budget, if there is one. Throws BytesExhausted.
  static std::shared_ptr<Blob> make(std::size_t bytes, std::shared_ptr<Budget> budget = {});
  // What another process made. Throws BytesExhausted.
  static std::shared_ptr<Blob> adopt(platform::Fd file, std::size_t bytes);
  ~Blob();
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  // What make() takes for so many bytes.
  static std::size_t capacity_for(std::size_t bytes);
  // Whether so many bytes do not waste too much of it.
  bool fits(std::size_t bytes) const { return bytes <= capacity() && capacity() / 2 <= bytes; }

  std::byte* data() const { return mapping_.data(); }
  std::size_t capacity() const { return mapping_.size(); }
  const platform::Fd& file() const { return file_; }
  // It stays mapped, and cannot be passed on.
  void close_file() { file_.reset(); }
  // Whether this process has made or adopted it, and was not forked off the one that did.
  bool here() const { return home_.here(); }

  // From now on it is a copy of this process's own, at the same address. Throws BytesExhausted.
  void become_private();

 private:
  Blob(platform::Fd file, std::size_t bytes, platform::Access access);

  const platform::HomeProcess home_;
  platform::Fd file_;
  platform::Mapping mapping_;
  std::shared_ptr<Budget> budget_;
};

}  // namespace bulkhead::ipc
