// A frame from a hostile process, as one of many types: it is refused, or is a value that packs and
// comes out again. The first byte says which type.
#include "fuzz/input.hpp"
#include "fuzz/values.hpp"

namespace {

using namespace bulkhead;

template <class Value>
void look_at(std::span<const std::byte> frame) {
  try {
    Value value{};
    detail::decode(frame, value);
    detail::Buffer packed, again;
    detail::encode(packed, value);
    Value copy{};
    detail::decode(packed, copy);
    detail::encode(again, copy);
    // Sets of a hash have no order.
    fuzz::require(packed.size() == again.size());
  } catch (const std::exception&) {
  }
}

template <std::size_t... Index>
void look_at(std::size_t type, std::span<const std::byte> frame, std::index_sequence<Index...>) {
  static_cast<void>((
      (type == Index && (look_at<std::tuple_element_t<Index, fuzz::Values>>(frame), true)) || ...));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t types = std::tuple_size_v<fuzz::Values>;
  fuzz::Input input(data, size);
  const std::size_t type = input.number<std::uint8_t>() % types;
  look_at(type, input.rest(), std::make_index_sequence<types>());
  return 0;
}
