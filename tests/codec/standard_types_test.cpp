#include <array>
#include <bitset>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <complex>
#include <deque>
#include <forward_list>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "codec/round_trip.hpp"

namespace {

using namespace std::string_literals;

enum class Colour : std::uint8_t { red, green, blue };
enum Plain : int { one = 1, two = 2 };
enum class Switch : bool { off, on };

struct Empty {
  bool operator==(const Empty&) const = default;
};

template <class T>
void comes_back(const T& value) {
  INFO(bulkhead::detail::full_type_name<T>());
  CHECK(round_trip(value) == value);
}

}  // namespace

TEST_CASE("numbers come back as they were") {
  comes_back(std::int8_t{-7});
  comes_back(std::uint64_t{0xfedcba9876543210});
  comes_back(std::numeric_limits<long long>::min());
  comes_back('x');
  comes_back(L'\u20ac');
  comes_back(u8'x');
  comes_back(true);
  comes_back(3.5f);
  comes_back(-0.1);
  comes_back(1.0L / 3);
  comes_back(std::complex<double>(1, -2));
  comes_back(std::complex<long double>(1, -2));
  comes_back(std::byte{0xff});
  CHECK(std::isnan(round_trip(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("a number is its value bytes, little endian, and no padding leaks") {
  CHECK(encoded(std::uint32_t{0x01020304}) ==
        bulkhead::detail::Buffer{std::byte{4}, std::byte{3}, std::byte{2}, std::byte{1}});
  CHECK(encoded(1.0L).size() == bulkhead::detail::value_bytes<long double>);
}

TEST_CASE("enums come back as they were") {
  comes_back(Colour::blue);
  comes_back(two);
  comes_back(Switch::on);
  comes_back(std::vector{Colour::red, Colour::green});
  comes_back(std::vector{Switch::on, Switch::off});
}

TEST_CASE("strings come back as they were") {
  comes_back(""s);
  comes_back("with a \0 inside"s);
  comes_back(std::string(100'000, 'x'));
  comes_back(L"wide"s);
  comes_back(u"\u20ac sixteen"s);
  comes_back(U"thirty-two"s);
  comes_back(std::u32string(1000, U'x'));
}

TEST_CASE("sequences come back as they were") {
  comes_back(std::vector<int>{});
  comes_back(std::vector<double>(1000, 0.5));
  comes_back(std::vector<long double>{1, 2, 3});
  comes_back(std::vector<std::byte>(70'000, std::byte{1}));
  comes_back(std::vector<std::complex<float>>{{1, 2}, {3, 4}});
  comes_back(std::vector<bool>{true, false, true});
  comes_back(std::vector<std::string>{"", "b", std::string(1000, 'c')});
  comes_back(std::vector<std::vector<std::vector<int>>>{{}, {{}, {1}}, {{2, 3}}});
  comes_back(std::deque<bool>{true, false});
  comes_back(std::deque<std::string>{"a", "b"});
  comes_back(std::list<char>{'a', 'b', 'c'});
  comes_back(std::forward_list<int>{1, 2, 3});
  comes_back(std::array<int, 3>{1, 2, 3});
  comes_back(std::array<std::string, 2>{"a", "b"});
  comes_back(std::array<int, 0>{});
  comes_back(std::bitset<0>{});
  comes_back(std::bitset<70>{0x123456789abcdef});
  comes_back(std::vector<Empty>(1000));
}

TEST_CASE("an array of the language comes back as it was") {
  const int numbers[2][3] = {{1, 2, 3}, {4, 5, 6}};
  int back[2][3] = {};
  bulkhead::detail::decode(encoded(numbers), back);
  CHECK(std::equal(&numbers[0][0], &numbers[0][0] + 6, &back[0][0]));
}

TEST_CASE("sets and maps come back as they were") {
  comes_back(std::set<int>{3, 1, 2});
  comes_back(std::multiset<char>{'a', 'a', 'b'});
  comes_back(std::unordered_set<std::string>{"a", "b"});
  comes_back(std::unordered_multiset<int>{1, 1, 2});
  comes_back(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  comes_back(std::multimap<int, char>{{1, 'a'}, {1, 'b'}});
  comes_back(std::unordered_map<int, std::string>{{1, "a"}, {2, "b"}});
  comes_back(std::unordered_multimap<int, int>{{1, 1}, {1, 2}});
  comes_back(std::map<int, std::map<int, bool>>{{1, {{2, true}}}, {3, {}}});
  comes_back(std::set<int, std::greater<>>{1, 2, 3});
}

TEST_CASE("what joins or wraps values comes back as it was") {
  comes_back(std::pair{1, "a"s});
  comes_back(std::tuple{1, "a"s, 2.5, Colour::red});
  comes_back(std::tuple<>{});
  comes_back(std::optional<std::string>{});
  comes_back(std::optional<std::string>{"a"});
  comes_back(std::optional<std::optional<int>>{std::optional<int>{}});
  comes_back(std::vector<std::optional<std::string>>{{}, "a", {}, std::string(50, 'b')});
  comes_back(std::variant<int, std::string>{"a"});
  comes_back(std::variant<std::monostate, int, int>{std::in_place_index<2>, 5});
  comes_back(std::vector<std::variant<std::monostate, std::string>>{{}, "a", {}});
  comes_back(std::chrono::milliseconds(-12));
  comes_back(std::chrono::duration<double>(0.25));
  comes_back(std::chrono::system_clock::now());
}

TEST_CASE("a unique_ptr comes back with what it held") {
  CHECK(round_trip(std::unique_ptr<int>()) == nullptr);
  CHECK(*round_trip(std::make_unique<std::string>("a")) == "a");
  CHECK(**round_trip(std::make_unique<std::unique_ptr<int>>(std::make_unique<int>(3))) == 3);
}

TEST_CASE("what is only movable travels in containers") {
  std::map<int, std::vector<std::unique_ptr<std::string>>> value;
  value[1].push_back(std::make_unique<std::string>("a"));
  value[1].push_back(nullptr);
  const auto back = round_trip(value);
  CHECK(*back.at(1)[0] == "a");
  CHECK(back.at(1)[1] == nullptr);
}

TEST_CASE("decoding into a value replaces what it held") {
  std::map<int, std::string> value{{9, "old"}};
  bulkhead::detail::decode(encoded(std::map<int, std::string>{{1, "new"}}), value);
  CHECK(value == std::map<int, std::string>{{1, "new"}});
}

TEST_CASE("encoding appends") {
  auto bytes = encoded(std::uint8_t{1});
  bulkhead::detail::encode(bytes, std::uint8_t{2});
  CHECK(bytes == bulkhead::detail::Buffer{std::byte{1}, std::byte{2}});
}

TEST_CASE("void is an empty frame") {
  CHECK_NOTHROW(bulkhead::detail::decode<void>({}));
  CHECK_THROWS_AS(bulkhead::detail::decode<void>(encoded('x')), bulkhead::detail::Refused);
}
