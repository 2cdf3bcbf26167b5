#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "codec/round_trip.hpp"

namespace {

using bulkhead::Bytes;
using bulkhead::MutableBytes;
using bulkhead::detail::Buffer;
using bulkhead::detail::decode;
using bulkhead::detail::Refused;

Bytes filled(std::size_t size, char value) {
  MutableBytes bytes = bulkhead::detail::make_bytes(size);
  std::fill_n(bytes.data(), size, std::byte(value));
  return bytes;
}

bool same(const Bytes& a, const Bytes& b) { return std::ranges::equal(a.span(), b.span()); }

template <class... Parts>
Buffer frame_of(const Parts&... parts) {
  Buffer frame;
  (bulkhead::detail::encode(frame, parts), ...);
  return frame;
}

}  // namespace

TEST_CASE("outside of a call bytes are a part of their frame") {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 1000, 100'000}) {
    const Bytes bytes = filled(size, 'x');
    CHECK(same(round_trip(bytes), bytes));
    CHECK(encoded(bytes).size() == size + 9);
  }
  const std::vector<std::optional<Bytes>> list{filled(10, 'a'), std::nullopt, filled(0, 'b')};
  const auto back = round_trip(list);
  REQUIRE(back.size() == 3);
  CHECK(same(*back[0], *list[0]));
  CHECK_FALSE(back[1]);
  CHECK(back[2]->empty());
}

TEST_CASE("copies of bytes share their memory, and moves leave none behind") {
  Bytes one = filled(100'000, 'x');
  const Bytes copy = one;
  CHECK(copy.data() == one.data());
  one = {};
  CHECK(copy.span().back() == std::byte('x'));
  MutableBytes filling = bulkhead::detail::make_bytes(10), moved = std::move(filling);
  CHECK(filling.size() == 0);
  CHECK(filling.data() == nullptr);
  const std::byte* const at = moved.data();
  CHECK(Bytes(std::move(moved)).data() == at);
}

TEST_CASE("forged bytes are refused before memory is taken") {
  const std::uint8_t in_frame = 0, by_app = 1, by_worker = 2, by_nobody = 3;
  CHECK_THROWS_AS(decode<Bytes>(frame_of(in_frame, std::uint64_t{1} << 40)), Refused);
  CHECK_THROWS_AS(decode<Bytes>(frame_of(by_app, std::uint64_t{1}, std::uint64_t{1})), Refused);
  CHECK_THROWS_AS(decode<Bytes>(frame_of(by_worker, std::uint64_t{1}, std::uint64_t{1})), Refused);
  CHECK_THROWS_AS(decode<Bytes>(frame_of(by_nobody, std::uint64_t{1}, std::uint64_t{1})), Refused);
  CHECK_THROWS_AS(decode<Bytes>(frame_of(by_app)), Refused);
}
