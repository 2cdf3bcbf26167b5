#include "bulkhead/error.hpp"

#include <utility>

namespace bulkhead {

namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "bulkhead"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::start_failed:
        return "the worker program could not be started";
      case errc::connect_timeout:
        return "the worker program was not ready in time";
      case errc::version_mismatch:
        return "the two sides speak different protocols";
      case errc::contract_mismatch:
        return "the two sides were built from different services";
      case errc::not_served:
        return "a program launched as a worker did not serve";
      case errc::worker_crashed:
        return "the worker ended while it held the request";
      case errc::handler_failed:
        return "the handler threw";
      case errc::codec_failed:
        return "a request or response could not be packed or unpacked";
      case errc::deadline_exceeded:
        return "the call was not answered in time";
      case errc::cancelled:
        return "the call was cancelled";
      case errc::queue_full:
        return "too many calls wait for a worker";
      case errc::shut_down:
        return "the workers were shut down";
      case errc::message_too_large:
        return "the message is larger than any may be";
      case errc::restart_limit:
        return "the pool gave up restarting its workers, and tries again later";
      case errc::not_running:
        return "its worker does not run any more";
      case errc::request_quarantined:
        return "calls with this key took too many workers down";
      case errc::channel_closed:
        return "the other end of the channel is gone";
      case errc::not_enforced:
        return "this system cannot enforce what was asked for";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

Error::Error(errc code, std::string sentence, std::error_code system,
             std::shared_ptr<const CrashReport> crash)
    : std::system_error(make_error_code(code)),
      sentence_(std::make_shared<const std::string>(std::move(sentence))),
      crash_(std::move(crash)),
      system_(system) {}

}  // namespace bulkhead
