// The first words between an app and the program that it launched.
#include "worker/handshake.hpp"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <random>

#include "platform/socket.hpp"
#include "support/in_child.hpp"

namespace {

using namespace bulkhead;
using worker::Greeting;
using Contract = detail::Contract;
using Catch::Contains;

const Contract thumbnailer{
    .service = "thumbnailer", .version = 2, .requests = {"Thumbnail", "Probe"}};

Greeting greeting(const Contract& contract = thumbnailer) {
  return {.contract = contract, .offered = {"thumbnailer", "transcoder"}};
}

Error objection(const Greeting& said) {
  const auto error = worker::objection(thumbnailer, said);
  REQUIRE(error);
  return *error;
}

}  // namespace

TEST_CASE("A worker of the same protocol and contract is welcome") {
  CHECK_FALSE(worker::objection(thumbnailer, greeting()));
}

TEST_CASE("A worker of another protocol is told of with both versions") {
  Greeting said = greeting();
  said.protocol = 4242;
  const Error error = objection(said);
  CHECK(error.code() == errc::version_mismatch);
  CHECK_THAT(error.what(), Contains("protocol 4242") &&
                               Contains("protocol " + std::to_string(worker::protocol_version)));
}

TEST_CASE("A worker of another standard library is told of with both marks") {
  Contract other = thumbnailer;
  other.abi = 4242;
  const Error error = objection(greeting(other));
  CHECK(error.code() == errc::version_mismatch);
  CHECK_THAT(error.what(), Contains("4242") && Contains(std::to_string(thumbnailer.abi)));
}

TEST_CASE("A worker of another contract is told of with what both sides have") {
  struct Row {
    Contract contract;
    std::string theirs;
  };
  const auto row = GENERATE(values<Row>({
      {{.service = "transcoder", .version = 2, .requests = {"Thumbnail", "Probe"}},
       "transcoder version 2"},
      {{.service = "thumbnailer", .version = 3, .requests = {"Thumbnail", "Probe"}},
       "thumbnailer version 3"},
      {{.service = "thumbnailer", .version = 2, .requests = {"Thumbnail"}},
       "(requests: Thumbnail)"},
      {{.service = "thumbnailer", .version = 2, .requests = {"Probe", "Thumbnail"}},
       "(requests: Probe, Thumbnail)"},
      {{.service = "thumbnailer", .version = 2, .requests = {}}, "(requests: none)"},
  }));
  const Error error = objection(greeting(row.contract));
  CHECK(error.code() == errc::contract_mismatch);
  CHECK_THAT(error.what(), Contains("thumbnailer version 2 (requests: Thumbnail, Probe)") &&
                               Contains(row.theirs));
}

TEST_CASE("A program that forgot to serve is told of with what it would have served") {
  struct Row {
    std::vector<std::string> offered;
    std::string named;
  };
  const auto row = GENERATE(values<Row>({
      {{}, "it serves: none"},
      {{"transcoder"}, "it serves: transcoder"},
      {{"transcoder", "indexer"}, "it serves: transcoder, indexer"},
  }));
  const Error error =
      objection({.says = Greeting::Says::strayed, .contract = {}, .offered = row.offered});
  CHECK(error.code() == errc::not_served);
  CHECK_THAT(error.what(),
             Contains("thumbnailer") && Contains(row.named) && Contains("serve_if_worker"));
}

TEST_CASE("A greeting arrives as it was sent") {
  for (const auto says : {Greeting::Says::serves, Greeting::Says::strayed}) {
    Greeting sent = greeting();
    sent.says = says;
    const auto got = worker::unpack_greeting(worker::pack(sent));
    REQUIRE(got);
    CHECK(got->protocol == worker::protocol_version);
    CHECK(got->says == says);
    CHECK(got->contract == sent.contract);
    CHECK(got->offered == sent.offered);
  }
}

TEST_CASE("A greeting of another protocol is understood as far as its version") {
  Greeting sent = greeting();
  sent.protocol = worker::protocol_version + 1;
  auto packet = worker::pack(sent);
  SECTION("whatever follows") { packet.resize(packet.size() - 3); }
  SECTION("or nothing follows") { packet.resize(12); }
  const auto got = worker::unpack_greeting(packet);
  REQUIRE(got);
  CHECK(objection(*got).code() == errc::version_mismatch);
}

TEST_CASE("A greeting that is cut short at any byte is none") {
  const auto packet = worker::pack(greeting());
  for (std::size_t size = 0; size < packet.size(); ++size) {
    CAPTURE(size);
    REQUIRE_FALSE(worker::unpack_greeting(std::span(packet).first(size)));
  }
}

TEST_CASE("What a program that is no worker may write is no greeting") {
  const auto text = GENERATE(as<std::string>(), "", "hello", "Usage: cat [OPTION]... [FILE]...\n",
                             std::string(100, '\0'), std::string(100'000, '\xff'));
  CHECK_FALSE(worker::unpack_greeting(std::as_bytes(std::span(text))));
}

TEST_CASE("A greeting with any byte changed is none, or one that can be judged") {
  const auto packet = worker::pack(greeting());
  for (std::size_t at = 0; at < packet.size(); ++at) {
    for (const unsigned bits : {0x01u, 0x80u, 0xffu}) {
      auto changed = packet;
      changed[at] ^= static_cast<std::byte>(bits);
      const auto got = worker::unpack_greeting(changed);
      // Only what it would serve, the last part, may differ and still be welcome.
      if (got && got->contract == thumbnailer && got->says == Greeting::Says::serves) continue;
      if (got && !worker::objection(thumbnailer, *got)) FAIL("byte " << at << " is not looked at");
    }
  }
}

TEST_CASE("Garbage behind the head of a greeting costs no more memory than it has bytes") {
  std::mt19937 random(4711);
  const auto packet = worker::pack(greeting());
  for (int i = 0; i < 10'000; ++i) {
    auto changed = packet;
    for (std::size_t at = 12; at < changed.size(); ++at)
      if (random() % 4 == 0) changed[at] = static_cast<std::byte>(random());
    const auto got = worker::unpack_greeting(changed);
    if (got && got->contract.service.size() > changed.size()) FAIL("it made something of nothing");
  }
}

namespace {

constexpr const char* names[] = {"BULKHEAD_PROTOCOL", "BULKHEAD_SERVICE", "BULKHEAD_CONTROL"};

// Only in a child: the environment is the whole process's.
void set_environment(const std::string& service, int control) {
  for (const std::string& entry : worker::launch_environment(service, control)) {
    const std::size_t equals = entry.find('=');
    ::setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
}

}  // namespace

TEST_CASE("A launched program learns what it is to serve, and those that it starts do not") {
  CHECK(test::in_child([] {
          const auto control = platform::packet_pair();
          set_environment("thumbnailer", control.theirs.get());
          const auto launched = worker::launched();
          test::expect(launched && launched->protocol == worker::protocol_version);
          test::expect(launched->service == "thumbnailer");
          test::expect(launched->control == control.theirs.get());

          worker::forget_launch();
          for (const char* name : names) test::expect(::getenv(name) == nullptr, name);
          test::expect(!worker::launched());
          worker::require_served();  // nobody launched it: nothing to require
        }) == 0);
}

TEST_CASE("A program whose environment says only half of a launch was launched by nobody") {
  for (const char* missing : names) {
    CHECK(test::in_child([missing] {
            set_environment("thumbnailer", 0);
            ::unsetenv(missing);
            test::expect(!worker::launched(), missing);
          }) == 0);
  }
}

TEST_CASE("What is named as the control socket and is none is left alone") {
  for (const std::string text : {"", "x", "-1", "0", "99999", "99999999999"}) {
    CHECK(test::in_child([&text] {
            set_environment("thumbnailer", 0);
            ::setenv(names[2], text.c_str(), 1);
            const auto launched = worker::launched();
            test::expect(launched && launched->control == -1, text);
          }) == 0);
  }
}

TEST_CASE("A worker that comes to Pool or Worker without having served is stopped, and says so") {
  CHECK(test::in_child([] {
          const auto control = platform::packet_pair();
          set_environment("thumbnailer", control.theirs.get());
          worker::note_offered("transcoder");
          bool stopped = false;
          try {
            worker::require_served();
          } catch (const Error& error) {
            stopped = error.code() == errc::not_served;
            const std::string what = error.what();
            test::expect(what.find("thumbnailer") != what.npos, what);
            test::expect(what.find("it serves: transcoder") != what.npos, what);
          }
          test::expect(stopped);
          const auto packet = platform::receive_packet(control.ours, 1024, 0);
          const auto said = worker::unpack_greeting(packet.bytes);
          test::expect(said && said->says == Greeting::Says::strayed);
          test::expect(said->offered == std::vector<std::string>{"transcoder"});
        }) == 0);
}
