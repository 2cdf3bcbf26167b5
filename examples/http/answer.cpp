#include "answer.hpp"

#include <boost/beast/http/field.hpp>
#include <utility>

namespace http = boost::beast::http;

namespace {

Answer answer(http::status status, const char* type, std::string body) {
  Answer made(status, 11, std::move(body));
  made.set(http::field::content_type, type);
  made.prepare_payload();
  return made;
}

// Of whom is it the fault?
http::status status_of(const bulkhead::Error& error) {
  switch (bulkhead::errc{error.code().value()}) {
    case bulkhead::errc::worker_crashed:
    case bulkhead::errc::handler_failed:
      return http::status::unprocessable_entity;
    case bulkhead::errc::deadline_exceeded:
      return http::status::gateway_timeout;
    case bulkhead::errc::message_too_large:
      return http::status::payload_too_large;
    default:
      return http::status::service_unavailable;
  }
}

// libjpeg and libpng say what is wrong before they end the process.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

}  // namespace

Answer text_answer(http::status status, std::string text) {
  return answer(status, "text/plain; charset=utf-8", std::move(text) + "\n");
}

Answer jpeg_answer(const bulkhead::Bytes& jpeg) {
  const auto* const data = reinterpret_cast<const char*>(jpeg.data());
  return answer(http::status::ok, "image/jpeg", std::string(data, jpeg.size()));
}

Answer failure_answer(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const bulkhead::Error& error) {
    std::string text = error.what();
    if (error.crash()) {
      const std::string words = last_line(error.crash()->stderr_tail);
      if (!words.empty()) text += "\n" + words;
    }
    return text_answer(status_of(error), std::move(text));
  }
}
