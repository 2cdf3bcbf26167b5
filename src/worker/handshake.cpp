#include "worker/handshake.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "bulkhead/detail/codec.hpp"
#include "platform/socket.hpp"
#include "worker/huge_pages.hpp"

namespace bulkhead::worker {

namespace {

constexpr std::uint32_t magic = 0x44'4C'48'42;  // "BHLD"
constexpr const char* protocol_variable = "BULKHEAD_PROTOCOL";
constexpr const char* service_variable = "BULKHEAD_SERVICE";
constexpr const char* control_variable = "BULKHEAD_CONTROL";

// After the fixed words, every version appends what it likes; only the same version reads it.
struct Details {
  std::string service;
  std::uint32_t version = 0;
  std::vector<std::string> requests;
  std::uint64_t abi = 0;
  std::vector<std::string> offered;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(service, version, requests, abi, offered);
  }
};

struct Fixed {
  std::uint32_t magic = worker::magic;
  std::uint32_t protocol = 0;
  std::uint32_t says = 0;
};

constexpr std::string_view prefix_of(Role role) {
  switch (role) {
    case Role::fork_server:
      return "";
    case Role::fresh_fork_server:
      return "fresh:";
    case Role::worker:
      return "worker:";
  }
  return "";
}

// Takes the role off the front.
Role take_role(std::string_view& control) {
  for (const Role role : {Role::fresh_fork_server, Role::worker}) {
    if (!control.starts_with(prefix_of(role))) continue;
    control.remove_prefix(prefix_of(role).size());
    return role;
  }
  return Role::fork_server;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

std::string describe(const detail::Contract& contract) {
  return contract.service + " version " + std::to_string(contract.version) +
         " (requests: " + list(contract.requests) + ")";
}

struct Offers {
  std::mutex mutex;
  std::vector<std::string> services;
};
Offers& offers() {
  static auto* const instance = new Offers;
  return *instance;
}

}  // namespace

std::vector<std::byte> pack(const Greeting& greeting) {
  const Fixed fixed{.protocol = greeting.protocol,
                    .says = static_cast<std::uint32_t>(greeting.says)};
  detail::Buffer buffer(sizeof fixed);
  std::memcpy(buffer.data(), &fixed, sizeof fixed);
  const detail::Contract& contract = greeting.contract;
  detail::encode(buffer, Details{contract.service, contract.version, contract.requests,
                                 contract.abi, greeting.offered});
  return {buffer.begin(), buffer.end()};
}

std::optional<Greeting> unpack_greeting(std::span<const std::byte> packet) {
  Fixed fixed;
  if (packet.size() < sizeof fixed) return std::nullopt;
  std::memcpy(&fixed, packet.data(), sizeof fixed);
  if (fixed.magic != magic || fixed.says < 1 || fixed.says > 2) return std::nullopt;
  Greeting greeting{.protocol = fixed.protocol, .says = Greeting::Says{std::uint8_t(fixed.says)}};
  if (fixed.protocol != protocol_version) return greeting;
  try {
    auto details = detail::decode<Details>(packet.subspan(sizeof fixed));
    greeting.contract = {std::move(details.service), details.version, std::move(details.requests),
                         details.abi};
    greeting.offered = std::move(details.offered);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return greeting;
}

std::optional<Error> objection(const detail::Contract& expected, const Greeting& greeting) {
  if (greeting.protocol != protocol_version)
    return Error(errc::version_mismatch,
                 "the worker program speaks protocol " + std::to_string(greeting.protocol) +
                     " and this app protocol " + std::to_string(protocol_version) +
                     ": build both with the same version of Bulkhead");
  if (greeting.says == Greeting::Says::strayed)
    return Error(errc::not_served,
                 "the program was launched as a worker for " + expected.service +
                     " but did not serve it (it serves: " + list(greeting.offered) +
                     "): call bulkhead::serve_if_worker first in its main");
  if (greeting.contract.abi != expected.abi)
    return Error(errc::version_mismatch,
                 "the worker program for " + expected.service +
                     " was built with another standard library, or another mode of it (ABI mark " +
                     std::to_string(greeting.contract.abi) + ", this app's is " +
                     std::to_string(expected.abi) + "): build both alike");
  if (!(greeting.contract == expected))
    return Error(errc::contract_mismatch,
                 "this app calls " + describe(expected) + ", the worker program serves " +
                     describe(greeting.contract) + ": build both from the same service");
  return std::nullopt;
}

std::optional<Launched> launched() {
  const char* protocol = std::getenv(protocol_variable);
  const char* service = std::getenv(service_variable);
  const char* control = std::getenv(control_variable);
  if (!protocol || !service || !control) return std::nullopt;
  const auto number = [](std::string_view text, auto& value) {
    const auto [rest, error] = std::from_chars(text.begin(), text.end(), value);
    return error == std::errc{} && rest == text.end();
  };
  std::string_view socket = control;
  Launched launched{.role = take_role(socket), .service = service};
  if (!number(protocol, launched.protocol)) launched.protocol = 0;
  if (!number(socket, launched.control) || !platform::is_packet_socket(launched.control))
    launched.control = -1;
  return launched;
}

void forget_launch() {
  for (const char* name : {protocol_variable, service_variable, control_variable}) ::unsetenv(name);
  forget_huge_pages();
}

std::vector<std::string> launch_environment(const std::string& service, int control, Role role) {
  return {
      std::string(protocol_variable) + "=" + std::to_string(protocol_version),
      std::string(service_variable) + "=" + service,
      std::string(control_variable) + "=" + std::string(prefix_of(role)) + std::to_string(control)};
}

void note_offered(std::string_view service) {
  const std::lock_guard lock(offers().mutex);
  offers().services.emplace_back(service);
}

void require_served() {
  const auto launch = launched();
  if (!launch) return;
  Greeting greeting{.says = Greeting::Says::strayed};
  {
    const std::lock_guard lock(offers().mutex);
    greeting.offered = offers().services;
  }
  if (launch->control >= 0) {
    platform::Fd socket(launch->control);
    platform::send_packet(socket, pack(greeting));
    static_cast<void>(socket.release());  // not ours alone: a program below may come here too
  }
  throw Error(errc::not_served,
              "this process was launched as a worker for " + launch->service +
                  " and reached Pool or Worker without having served (it serves: " +
                  list(greeting.offered) + "): call bulkhead::serve_if_worker first in main");
}

}  // namespace bulkhead::worker
