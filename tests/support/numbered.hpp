// Data that follows from a number: any other number has other bytes.
#pragma once

#include <bulkhead/bytes.hpp>
#include <cstdint>
#include <string>

namespace bulkhead::test {

std::string data_of(std::uint64_t number, std::size_t size);
// Fills `blob` with it, and whether that is what is in it.
Bytes blob_of(std::uint64_t number, MutableBytes blob);
bool is_blob_of(std::uint64_t number, const Bytes& blob);

}  // namespace bulkhead::test
