#include "bulkhead/bytes.hpp"

#include <cstring>
#include <system_error>
#include <vector>

#include "ipc/shared_bytes.hpp"
#include "platform/file.hpp"

namespace bulkhead {

BytesExhausted::BytesExhausted(const std::string& sentence, int error)
    : sentence_(std::make_shared<const std::string>(sentence)), error_(error) {}

Bytes Bytes::copy_of(std::span<const std::byte> bytes) {
  MutableBytes copy = detail::make_bytes(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

Bytes Bytes::from_file(const std::filesystem::path& path) {
  const platform::FileReader file(path.string());
  MutableBytes bytes = detail::make_bytes(file.size());
  const std::size_t size = file.read(bytes.span());
  return {std::move(bytes.memory_), size};
}

namespace detail {

namespace {

struct OwnMemory final : BytesMemory {
  explicit OwnMemory(std::size_t size)
      : BytesMemory(static_cast<std::byte*>(::operator new(size)), size) {}
  ~OwnMemory() override { ::operator delete(data); }
};

}  // namespace

MutableBytes make_own_bytes(std::size_t size) {
  if (size == 0) return {};
  return {std::make_shared<OwnMemory>(size), size};
}

MutableBytes make_bytes(std::size_t size) {
  if (size < BytesLimits{}.shared_from) return make_own_bytes(size);
  return {std::make_shared<ipc::OwnBytes>(ipc::Blob::make(size), false), size};
}

}  // namespace detail
}  // namespace bulkhead
