// Messages of cereal for peers that move bytes only. The streams work on memory that is there, and
// copy it nowhere else.
#pragma once

#include <boost/interprocess/streams/bufferstream.hpp>
#include <boost/interprocess/streams/vectorstream.hpp>
#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/string.hpp>
#include <cstddef>
#include <vector>

namespace bulkhead::bench {

// Keeps its memory for the next one.
class Packed {
 public:
  template <class Value>
  const std::vector<char>& pack(const Value& value) {
    bytes_.clear();
    stream_.swap_vector(bytes_);
    cereal::BinaryOutputArchive archive(stream_);
    archive(value);
    stream_.swap_vector(bytes_);
    return bytes_;
  }

 private:
  std::vector<char> bytes_;
  boost::interprocess::basic_ovectorstream<std::vector<char>> stream_;
};

template <class Value>
void unpack(const void* bytes, std::size_t size, Value& value) {
  boost::interprocess::ibufferstream stream(static_cast<const char*>(bytes), size);
  cereal::BinaryInputArchive archive(stream);
  archive(value);
}

}  // namespace bulkhead::bench
