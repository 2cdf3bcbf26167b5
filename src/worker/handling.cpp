#include "worker/handling.hpp"

#include "platform/fault.hpp"
#include "worker/exception_text.hpp"

namespace bulkhead::worker {

bool Handling::serve(detail::Dispatcher& dispatcher, detail::Buffer& response) {
  response.clear();
  try {
    dispatcher.serve(request_.head.request, request_.body(), context_, response);
    finish();
  } catch (...) {
    return answer_exception();
  }
  return answer(response);
}

bool Handling::answer(const detail::Buffer& response) {
  if (!values_.finish()) return false;
  platform::fault_point("worker.before_response");
  const std::size_t size = response.size() + bytes_.beside();
  if (!app_.fits(size)) return app_.report_too_large(request_.head, size);
  bytes_.answered();
  return app_.respond(request_.head, response);
}

bool Handling::answer_exception() {
  const auto text = current_exception_text();
  bytes_.abandon();
  return values_.finish() && app_.report_exception(request_.head, text.type, text.what);
}

}  // namespace bulkhead::worker
