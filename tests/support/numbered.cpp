#include "support/numbered.hpp"

#include <algorithm>
#include <cstring>

namespace bulkhead::test {

std::string data_of(std::uint64_t number, std::size_t size) {
  std::string data(size, '\0');
  std::uint64_t word = number * 0x9e3779b97f4a7c15u + 1;
  for (std::size_t at = 0; at < size; at += sizeof word, word += 0x2545f4914f6cdd1du)
    std::memcpy(data.data() + at, &word, std::min(sizeof word, size - at));
  return data;
}

Bytes blob_of(std::uint64_t number, MutableBytes blob) {
  const std::string data = data_of(number, blob.size());
  std::memcpy(blob.data(), data.data(), data.size());
  return blob;
}

bool is_blob_of(std::uint64_t number, const Bytes& blob) {
  return blob.empty() ||
         std::memcmp(blob.data(), data_of(number, blob.size()).data(), blob.size()) == 0;
}

}  // namespace bulkhead::test
