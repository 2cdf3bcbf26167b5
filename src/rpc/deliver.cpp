#include "rpc/deliver.hpp"

#include <string_view>

#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "platform/log.hpp"

namespace bulkhead::rpc {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::exception_ptr failure(errc code, std::string sentence) {
  return std::make_exception_ptr(Error(code, std::move(sentence)));
}

// The worker wrote this text: it goes into a message, and must not be able to forge a second one.
std::string tame(std::string_view text) {
  std::string tamed;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    tamed += control && c != '\n' && c != '\t' ? '?' : c;
  }
  return tamed;
}

void unpack(detail::Call& call, std::span<const std::byte> response, AppBlobs* blobs, bool wanted) {
  std::optional<AppBlobs::Answer> bytes;
  if (blobs) bytes.emplace(*blobs, call);
  AppBlobs::Answer* const carrier = bytes ? &*bytes : nullptr;
  wanted ? call.accept(response, carrier) : call.discard(response, carrier);
}

Verdict take_response(detail::Call& call, std::span<const std::byte> response, AppBlobs* blobs,
                      bool wanted) {
  try {
    unpack(call, response, blobs, wanted);
    return {};
  } catch (const detail::Refused& refused) {
    return {.error = {},
            .violation = "its response to " + std::string(call.type->name) +
                         " can not be: " + refused.what()};
  } catch (const BytesExhausted& exhausted) {
    return {
        std::make_exception_ptr(Error(errc::message_too_large,
                                      "the response to " + std::string(call.type->name) +
                                          " has bytes that could not be taken: " + exhausted.what(),
                                      std::error_code(exhausted.error(), std::generic_category()))),
        {}};
  } catch (...) {
    return {.error = detail::codec_failure(*call.type, "had a response that could not be unpacked",
                                           std::current_exception()),
            .violation = {}};
  }
}

std::exception_ptr handler_failure(const detail::Call& call, std::string_view text,
                                   const std::string& worker) {
  const std::size_t end_of_type = text.find('\0');
  const std::string_view type = text.substr(0, end_of_type);
  const std::string_view what =
      end_of_type == text.npos ? std::string_view{} : text.substr(end_of_type + 1);
  std::string sentence =
      worker + ": the handler of " + std::string(call.type->name) + " threw " + tame(type);
  if (!what.empty()) sentence += ": " + tame(what);
  return failure(errc::handler_failed, std::move(sentence));
}

}  // namespace

Verdict judge(detail::Call& call, const AppEnd::Message& answer, const std::string& worker,
              AppBlobs* blobs, bool wanted) {
  switch (answer.head.kind) {
    case Kind::response:
      return take_response(call, answer.body(), blobs, wanted);
    case Kind::threw:
      return {handler_failure(call, text_of(answer.body()), worker), {}};
    case Kind::too_large:
      return {failure(errc::message_too_large, worker + ": the response to " +
                                                   std::string(call.type->name) + " has " +
                                                   tame(text_of(answer.body()).substr(0, 20)) +
                                                   " bytes, more than max_message allows"),
              {}};
    default:
      return {.error = {}, .violation = "it sent no answer where one was expected"};
  }
}

Told take_progress(detail::Call& call, const AppEnd::Message& message) {
  const auto violation = [&](const std::string& what) {
    return Told{.violation = "its progress of " + std::string(call.type->name) + what};
  };
  if (!call.progress()) return violation(" was not asked for");
  try {
    return {.turn_is_due = call.progress()->put(message.body())};
  } catch (const detail::Refused& refused) {
    return violation(std::string(" can not be: ") + refused.what());
  } catch (const std::exception& error) {
    platform::logger()->error("A progress value of {} could not be unpacked: {}", call.type->name,
                              error.what());
  } catch (...) {
    platform::logger()->error("A progress value of {} could not be unpacked", call.type->name);
  }
  return {};
}

}  // namespace bulkhead::rpc
