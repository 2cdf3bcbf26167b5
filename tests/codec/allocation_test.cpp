// What a frame can make the decoder allocate. Counts every allocation of this program.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <forward_list>
#include <list>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "codec/round_trip.hpp"

namespace {

// Of the calling thread.
thread_local std::size_t allocated = 0;
thread_local std::size_t peak = 0;

constexpr std::size_t header = alignof(std::max_align_t);

void* allocate(std::size_t size) {
  void* const block = std::malloc(header + size);
  if (block == nullptr) return nullptr;
  *static_cast<std::size_t*>(block) = size;
  allocated += size;
  peak = std::max(peak, allocated);
  return static_cast<char*>(block) + header;
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  void* const block = static_cast<char*>(pointer) - header;
  allocated -= *static_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const pointer = allocate(size)) return pointer;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* pointer) noexcept { release(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { release(pointer); }

namespace {

using bulkhead::detail::Buffer;
using bulkhead::detail::decode;
using bulkhead::detail::Refused;

struct Wide {
  char tag = 'x';
  char unsent[1023] = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(tag);
  }
  bool operator<(const Wide& other) const { return tag < other.tag; }
};

struct WideTree {
  char unsent[1000] = {};
  std::vector<WideTree> children = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(children);
  }
};

// A small frame's sentence of refusal and the like, and the archive that a thread keeps.
constexpr std::size_t slack = 512 + sizeof(bulkhead::detail::Decoder);

template <class T>
std::size_t peak_of_decoding(const Buffer& frame) {
  const std::size_t before = allocated;
  peak = before;
  try {
    T value{};
    bulkhead::detail::decode(frame, value);
  } catch (const Refused&) {
  }
  return peak - before;
}

template <class T>
void stays_below_four_times(const Buffer& frame, std::size_t allowance = slack) {
  const std::size_t taken = peak_of_decoding<T>(frame);
  if (taken > 4 * frame.size() + allowance) {
    FAIL_CHECK(bulkhead::detail::full_type_name<T>()
               << ": " << taken << " bytes for a frame of " << frame.size());
  }
}

// Frames that declare much and bring little: the same count everywhere, or numbers at random.
template <class T>
void stays_below_for_forged_frames(std::size_t allowance = slack) {
  for (const std::size_t words : {1u, 2u, 10u, 100u, 1000u, 10'000u}) {
    for (std::uint64_t count = 1; count < words * 16; count = count * 5 / 4 + 1) {
      Buffer same, once;
      for (std::size_t i = 0; i < words; ++i) {
        bulkhead::detail::encode(same, count);
        bulkhead::detail::encode(once, i == 0 ? count : 0);
      }
      stays_below_four_times<T>(same, allowance);
      stays_below_four_times<T>(once, allowance);
    }
  }
  std::mt19937 random(4711);
  for (int i = 0; i < 2000; ++i) {
    Buffer frame(random() % 4000, std::byte{0});
    for (std::byte& byte : frame) {
      if (random() % 8 == 0) byte = static_cast<std::byte>(random() % 40);
    }
    stays_below_four_times<T>(frame, allowance);
  }
}

template <class T>
void stays_below(const T& honest) {
  stays_below_four_times<T>(encoded(honest));
  stays_below_for_forged_frames<T>();
}

template <class T>
std::vector<T> many(const T& value) {
  return std::vector<T>(5000, value);
}

}  // namespace

// Fault hostile.values
TEST_CASE("decoding allocates at most four times the frame") {
  stays_below(std::string(5000, 'x'));
  stays_below(many(1.5));
  stays_below(many(true));
  stays_below(many(std::string()));
  stays_below(many(std::string("abc")));
  stays_below(many(std::string(20, 'x')));
  stays_below(many(std::vector<int>()));
  stays_below(many(std::vector<std::vector<char>>(3)));
  stays_below(many(std::optional<std::string>()));
  stays_below(many(std::variant<std::monostate, Wide>()));
  stays_below(many(Wide()));
  stays_below(many(std::vector<Wide>(2)));
  stays_below(std::list<char>(5000));
  stays_below(std::forward_list<char>(5000));
  stays_below(std::list<Wide>(100));
  stays_below(std::set<Wide>{Wide()});
  std::map<int, char> tree;
  std::unordered_map<int, char> table;
  std::multiset<char> letters;
  std::unordered_set<short> numbers;
  for (short i = 0; i < 5000; ++i) {
    tree[i] = table[i] = 'x';
    letters.insert('x');
    numbers.insert(i);
  }
  stays_below(tree);
  stays_below(table);
  stays_below(letters);
  stays_below(numbers);
  stays_below(std::map<int, std::map<int, std::vector<std::string>>>{{1, {{2, {"a", "b"}}}}});
  stays_below(std::vector<std::map<char, char>>(1000, {{'a', 'b'}}));
  stays_below(std::vector<std::unordered_map<char, char>>(1000, {{'a', 'b'}}));
}

TEST_CASE("a null unique_ptr costs nothing, and a full one at most four times the frame") {
  stays_below_for_forged_frames<std::vector<std::unique_ptr<Wide>>>(slack + sizeof(Wide));
}

TEST_CASE("elements within elements cost at most one of them for each level besides") {
  stays_below_for_forged_frames<WideTree>(slack + 64 * sizeof(WideTree));
}

// Fault hostile.values
TEST_CASE("eight bytes that declare much allocate next to nothing") {
  const Buffer frame = encoded(std::uint64_t{1} << 40);
  CHECK(peak_of_decoding<std::vector<Wide>>(frame) <= slack);
  CHECK(peak_of_decoding<std::string>(frame) <= slack);
  CHECK(peak_of_decoding<std::unordered_map<int, Wide>>(frame) <= slack);
}
