// Bytes of a buffer that a worker has made, on either side of its connection, whose end that side's
// books of buffers hear of.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "ipc/shared_bytes.hpp"
#include "rpc/blob_wire.hpp"

namespace bulkhead::rpc {

template <class Blobs>
class MadeBytes final : public ipc::SharedBytes {
 public:
  MadeBytes(std::shared_ptr<ipc::Blob> blob, std::weak_ptr<Blobs> blobs, BlobId id)
      : SharedBytes(std::move(blob)), blobs_(std::move(blobs)), id_(id) {}
  ~MadeBytes() override {
    const bool passed_on = end();
    const auto blobs = here() ? blobs_.lock() : nullptr;
    if (blobs) blobs->done_with(id_, passed_on);
  }
  bool seen_besides(const ipc::BytesHolder&) const override { return false; }
  std::uint64_t id_at_maker(const ipc::BytesHolder& holder) const override {
    return blobs_.lock().get() == &holder ? id_ : 0;
  }

 private:
  const std::weak_ptr<Blobs> blobs_;
  const BlobId id_;
};

}  // namespace bulkhead::rpc
