// What an answer makes of its call.
#include "rpc/deliver.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"

namespace {

using namespace bulkhead;
using rpc::Kind;
using namespace std::string_literals;

constexpr detail::RequestType type{.name = "Thumbnail", .index = 0, .idempotent = false};

rpc::AppEnd::Message message(Kind kind, std::span<const std::byte> body) {
  rpc::AppEnd::Message made{.head = {.id = 17, .kind = kind, .size = body.size()}, .bytes = {}};
  made.bytes.resize(sizeof made.head);
  std::memcpy(made.bytes.data(), &made.head, sizeof made.head);
  made.bytes.insert(made.bytes.end(), body.begin(), body.end());
  return made;
}

rpc::AppEnd::Message message(Kind kind, const std::string& body) {
  return message(kind, std::as_bytes(std::span(body)));
}

template <class T>
detail::Buffer packed(const T& value) {
  detail::Buffer bytes;
  detail::encode(bytes, value);
  return bytes;
}

rpc::Verdict judge(detail::Call& call, const rpc::AppEnd::Message& answer) {
  return rpc::judge(call, answer, "thumbnailer worker 4711");
}

Error error_of(const rpc::Verdict& verdict) {
  REQUIRE(verdict.error);
  CHECK(verdict.violation == "");
  try {
    std::rethrow_exception(verdict.error);
  } catch (const Error& error) {
    return error;
  }
}

struct Picky {
  int value = 0;  // what load() throws: 1 an exception, 2 something else, else nothing
  template <class Archive>
  void save(Archive& ar) const {
    ar(value);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(value);
    if (value == 1) throw std::range_error("not in this picture");
    if (value == 2) throw 42;  // NOLINT
  }
};

}  // namespace

TEST_CASE("A response is taken") {
  detail::TypedCall<std::string> call(type);
  const auto verdict = judge(call, message(Kind::response, packed("a cat"s)));
  CHECK_FALSE(verdict.error);
  CHECK(verdict.violation == "");
  CHECK(call.take() == "a cat");
  CHECK_FALSE(call.ready());  // judged, not settled
}

TEST_CASE("Nothing is taken where nothing is expected") {
  detail::TypedCall<void> call(type);
  const auto verdict = judge(call, message(Kind::response, ""));
  CHECK_FALSE(verdict.error);
  CHECK(verdict.violation == "");
}

TEST_CASE("A response that no worker can have packed breaks the protocol, and is no error yet") {
  const auto whole = packed("a cat"s);
  detail::TypedCall<std::string> text(type);
  detail::TypedCall<void> none(type);
  rpc::Verdict verdict;
  SECTION("cut short at any byte") {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      verdict = judge(text, message(Kind::response, std::span(whole).first(size)));
      REQUIRE_FALSE(verdict.error);
      REQUIRE(verdict.violation != "");
    }
  }
  SECTION("with something behind it") {
    auto longer = whole;
    longer.push_back(std::byte{0});
    verdict = judge(text, message(Kind::response, longer));
  }
  SECTION("with a count beyond all memory") {
    verdict = judge(text, message(Kind::response, std::string(8, '\xff')));
  }
  SECTION("with something where nothing is expected") {
    verdict = judge(none, message(Kind::response, "x"));
  }
  CHECK_FALSE(verdict.error);
  CHECK_THAT(verdict.violation, Catch::Contains("response to Thumbnail"));
}

TEST_CASE(
    "What a response's own serialize throws is the call's error, and not the worker's fault") {
  detail::TypedCall<Picky> call(type);
  SECTION("an exception") {
    const Error error = error_of(judge(call, message(Kind::response, packed(Picky{1}))));
    CHECK(error.code() == errc::codec_failed);
    CHECK_THAT(error.what(),
               Catch::Contains("Thumbnail") && Catch::Contains("not in this picture"));
  }
  SECTION("something else") {
    const Error error = error_of(judge(call, message(Kind::response, packed(Picky{2}))));
    CHECK(error.code() == errc::codec_failed);
  }
}

TEST_CASE("What a handler threw is told with its type and its text") {
  struct Row {
    std::string body, expected;
  };
  const std::string long_text(rpc::max_exception_text, 'x');
  const auto row = GENERATE_COPY(values<Row>({
      {"std::runtime_error\0no such image"s, "std::runtime_error: no such image"},
      {"int\0"s, "int"},
      {"int", "int"},
      {"", ""},
      {"\0"s, ""},
      {"\0what only"s, ": what only"},
      {"E\0two\nlines\tand a tab"s, "E: two\nlines\tand a tab"},
      {"E\0\x1b[2J\x1b]0;owned\a\r\b\x7f."s, "E: ?[2J?]0;owned????."},
      {"\x1b[1mE\0x"s, "?[1mE: x"},
      {"E\0one\0two"s, "E: one?two"},
      {"E\0\xff\xfe\xc3"s, "E: \xff\xfe\xc3"},
      {"E\0Grüße"s, "E: Grüße"},
      {"E\0"s + long_text, "E: " + long_text},
  }));
  detail::TypedCall<std::string> call(type);
  const Error error = error_of(judge(call, message(Kind::threw, row.body)));
  CHECK(error.code() == errc::handler_failed);
  CHECK(error.what() == "thumbnailer worker 4711: the handler of Thumbnail threw " + row.expected);
  CHECK(error.crash() == nullptr);
}

TEST_CASE("A response that was too large is told with its size") {
  struct Row {
    std::string body, expected;
  };
  const auto row = GENERATE(values<Row>({
      {"3145728", "has 3145728 bytes"},
      {"", "has  bytes"},
      {"\x1b[2J", "has ?[2J bytes"},
      {std::string(1000, '9'), "has " + std::string(20, '9') + " bytes"},
  }));
  detail::TypedCall<std::string> call(type);
  const Error error = error_of(judge(call, message(Kind::too_large, row.body)));
  CHECK(error.code() == errc::message_too_large);
  CHECK_THAT(error.what(), Catch::StartsWith("thumbnailer worker 4711") &&
                               Catch::Contains("Thumbnail") && Catch::Contains(row.expected) &&
                               Catch::Contains("max_message"));
}

TEST_CASE("What is no answer breaks the protocol") {
  const Kind kind = GENERATE(Kind::request, Kind::leave, Kind::ready, Kind::refused,
                             static_cast<Kind>(0), static_cast<Kind>(99));
  detail::TypedCall<std::string> call(type);
  const auto verdict = judge(call, message(kind, packed("a cat"s)));
  CHECK_FALSE(verdict.error);
  CHECK(verdict.violation != "");
}
