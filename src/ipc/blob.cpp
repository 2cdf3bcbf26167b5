#include "ipc/blob.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <system_error>

#include "bulkhead/bytes.hpp"
#include "platform/fault.hpp"

namespace bulkhead::ipc {

namespace {

template <class Work>
auto or_exhausted(Work work) {
  try {
    return work();
  } catch (const std::system_error& error) {
    throw BytesExhausted(error.what(), error.code().value());
  }
}

}  // namespace

bool Budget::take(std::size_t bytes) {
  std::size_t used = used_.load();
  do {
    if (bytes > limit_ || used > limit_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

Blob::Blob(platform::Fd file, std::size_t bytes, platform::Access access)
    : file_(std::move(file)), mapping_(file_, bytes, access) {}

Blob::~Blob() {
  if (budget_) budget_->give_back(capacity());
}

// Whole pages, an eighth more at most: sizes that differ a little use the same memory again.
std::size_t Blob::capacity_for(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(4096, std::bit_floor(bytes) / 8);
  if (bytes > std::size_t{1} << 62)
    throw BytesExhausted("a buffer of " + std::to_string(bytes) + " bytes is more than any memory");
  return std::max(step, (bytes + step - 1) / step * step);
}

std::shared_ptr<Blob> Blob::make(std::size_t bytes, std::shared_ptr<Budget> budget) {
  const std::size_t capacity = capacity_for(bytes);
  if (budget && !budget->take(capacity))
    throw BytesExhausted("a buffer of " + std::to_string(bytes) +
                         " bytes would exceed BytesLimits::alive (" +
                         std::to_string(budget->limit()) + ")");
  try {
    return or_exhausted([&] {
      platform::Fd file = platform::make_memory_file(capacity);
      std::shared_ptr<Blob> blob(new Blob(std::move(file), capacity, platform::Access::write));
      platform::fault_point("blob.before_seal");
      platform::seal(blob->file_);
      blob->budget_ = budget;
      return blob;
    });
  } catch (...) {
    if (budget) budget->give_back(capacity);
    throw;
  }
}

std::shared_ptr<Blob> Blob::adopt(platform::Fd file, std::size_t bytes) {
  return or_exhausted([&] {
    return std::shared_ptr<Blob>(new Blob(std::move(file), bytes, platform::Access::read));
  });
}

void Blob::become_private() {
  or_exhausted([&] { mapping_.become_private(); });
  file_.reset();
}

}  // namespace bulkhead::ipc
