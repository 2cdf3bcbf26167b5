// One use of a blob, from when it is filled or received until its last owner in this process lets
// go. Those to whom it was passed meanwhile are told then. Thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "ipc/blob.hpp"

namespace bulkhead::ipc {

class SharedBytes;

// A connection through which bytes are passed. In a fork of its process it does nothing. Called
// from any thread, with no lock held.
class BytesHolder {
 public:
  // The only one that has them, and may have their memory for its next ones. False: it does not
  // want it.
  virtual bool keep(const SharedBytes& bytes) noexcept = 0;
  virtual void let_go(const SharedBytes& bytes) noexcept = 0;

 protected:
  ~BytesHolder() = default;
};

class SharedBytes : public detail::BytesMemory {
 public:
  explicit SharedBytes(std::shared_ptr<Blob> blob)
      : BytesMemory(blob->data(), blob->capacity()), blob_(std::move(blob)) {}

  bool shared() const noexcept final { return true; }
  const std::shared_ptr<Blob>& blob() const { return blob_; }
  void passed_to(std::weak_ptr<BytesHolder> holder) const;

  // Somebody else sees this memory, or will see what it is used for next: `holder` gets a copy.
  bool must_be_copied_for(const BytesHolder& holder) const {
    return !here() || seen_besides(holder);
  }
  // What the process behind `holder` calls them, if it made them; else 0.
  virtual std::uint64_t id_at_maker(const BytesHolder& holder) const;

 protected:
  // In a fork of the process that they belong to, which goes on using them, their end says nothing.
  bool here() const { return blob_->here(); }
  virtual bool seen_besides(const BytesHolder& holder) const = 0;

  // For destructors: without a lock, because nobody passes them on any more, and without memory.
  // The one holder that is still there; null where there are several.
  std::shared_ptr<BytesHolder> only_holder() const noexcept;
  // Tells those whom they were passed to. False: nobody is there.
  bool end() const noexcept;

 private:
  const std::shared_ptr<Blob> blob_;
  mutable std::mutex mutex_;
  mutable std::vector<std::weak_ptr<BytesHolder>> holders_;  // guarded by mutex_
};

// Made in this process for workers of its own.
class OwnBytes final : public SharedBytes {
 public:
  // `reusable`: whether the memory may be kept for the next ones to the same worker.
  OwnBytes(std::shared_ptr<Blob> blob, bool reusable)
      : SharedBytes(std::move(blob)), reusable_(reusable) {}
  // In memory that `holder` has already.
  OwnBytes(std::shared_ptr<Blob> blob, const std::shared_ptr<BytesHolder>& holder);
  ~OwnBytes() override;

 private:
  bool seen_besides(const BytesHolder& holder) const override;

  const std::weak_ptr<BytesHolder> had_by_;
  const bool reusable_;
};

}  // namespace bulkhead::ipc
