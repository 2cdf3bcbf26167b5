#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "faults/service/handlers.hpp"
#include "faults/service/own_segment.hpp"
#include "faults/service/progress_service.hpp"

namespace bulkhead::test {

namespace {

void linger(const std::string& told, const std::string& until) {
  if (!told.empty()) put(told, std::to_string(::getpid()));
  if (!until.empty()) wait_for(until);
}

int count(const Count& request, Context& context) {
  for (int i = 1; i <= request.upto; ++i) context.progress(i);
  linger(request.told, request.until);
  if (request.throws) throw std::runtime_error("told to throw");
  return request.upto;
}

int count_large(const CountLarge& request, Context& context) {
  for (int i = 1; i <= request.upto; ++i) {
    MutableBytes bytes = context.make_bytes(request.size);
    std::memset(bytes.data(), i, bytes.size());
    context.progress(std::pair<int, Bytes>(i, std::move(bytes)));
  }
  linger(request.told, request.until);
  return request.upto;
}

int count_on(const CountOn& request, Context& context) {
  int told = 0;
  while (!context.stop_requested() &&
         (request.until.empty() || !std::filesystem::exists(request.until)))
    context.progress(++told);
  return told;
}

int attempt(const Attempt& request, Context& context) {
  int attempt = 1;
  while (!std::filesystem::create_directory(request.folder + "/" + std::to_string(attempt)))
    ++attempt;
  context.progress(std::pair(attempt, 1));
  context.progress(std::pair(attempt, 2));
  if (attempt < request.attempts) std::abort();
  return attempt;
}

void tell_text(const TellText&, Context& context) { context.progress(std::string("half")); }

void tell_anything(const TellAnything&, Context& context) { context.progress(1); }

void forge_progress(const ForgeProgress& request, Context& context) {
  const OwnSegment segment;
  const std::uint32_t index = detail::request_index<ForgeProgress, ProgressService>;
  rpc::Head head = segment.head_of_answer(context.request_id(), index);
  head.kind = rpc::Kind::progress;
  head.size = 8;
  if (request.how == ForgedProgress::cut_short) head.size = 7;
  if (request.how == ForgedProgress::too_long) head.size = 9;
  if (request.how == ForgedProgress::unknown_call) head.id += 1000;
  if (request.how == ForgedProgress::unknown_ticket) head.ticket += 1;
  if (request.how == ForgedProgress::other_request) head.request = 0;
  if (request.how == ForgedProgress::slot_out_of_range) head.slot = 1u << 31;
  std::vector<std::byte> message(sizeof head + head.size);
  if (request.how == ForgedProgress::larger_than_any) head.size = std::uint64_t{1} << 50;
  std::memcpy(message.data(), &head, sizeof head);
  segment.publish(message);
  for (const int socket : own_sockets()) ::send(socket, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  for (;;) ::pause();
}

constexpr auto handlers = std::make_tuple(count, count_large, count_on, attempt, tell_text,
                                          tell_anything, forge_progress);

}  // namespace

void serve_progress_if_worker() {
  const ServeOptions options{.threads = told("TEST_THREADS", 1)};
  std::apply([&](auto... each) { bulkhead::serve_if_worker<ProgressService>(options, each...); },
             handlers);
}

template <>
Pool<ProgressService> pool_of_threads<ProgressService>(const PoolOptions& options,
                                                       const ServeOptions& serve) {
  return std::apply(
      [&](auto... each) { return InlinePool<ProgressService>(options, serve, each...); }, handlers);
}

}  // namespace bulkhead::test
