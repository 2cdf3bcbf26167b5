#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "faults/service/channel_service.hpp"
#include "faults/service/forge_channel.hpp"
#include "faults/service/handlers.hpp"

namespace bulkhead::test {

namespace {

void do_after(After after) {
  switch (after) {
    case After::returns:
      return;
    case After::throws:
      throw std::runtime_error("told to throw");
    case After::dies:
      std::abort();
    case After::waits:
      wait_for_ever();
  }
}

pid_t produce(Produce request, Context& context) {
  const std::string text(request.size, 'x');
  for (std::uint64_t number = 0; number < request.count; ++number) {
    const Item item{number, text};
    if (request.async)
      request.out.async_send(item, boost::asio::use_future).get();
    else if (request.heeds)
      request.out.send(item, context.stop_token());
    else
      request.out.send(item);
    if (!request.sent.closed()) request.sent.send(number + 1);
  }
  do_after(request.after);
  return ::getpid();
}

std::optional<Item> next_item(Consume& request, const Context& context) {
  if (request.async) return request.in.async_receive(boost::asio::use_future).get();
  return request.heeds ? request.in.receive(context.stop_token()) : request.in.receive();
}

Summary consume(Consume request, Context& context) {
  if (!request.begun.empty()) put(request.begun, std::to_string(::getpid()));
  Summary summary;
  try {
    while (summary.count < request.most) {
      const auto item = next_item(request, context);
      if (!item) break;
      ++summary.count;
      summary.sum += item->number;
      summary.bytes += item->text.size();
    }
  } catch (const Error& error) {
    summary.error = error.what();
  }
  do_after(request.after);
  return summary;
}

std::uint64_t converse(Converse request) {
  std::uint64_t answered = 0;
  for (const std::string& question : request.questions) {
    request.answers.send(question + question);
    ++answered;
  }
  return answered;
}

void add_up(AddUp request) {
  for (Ends& ends : request.ends) {
    std::uint64_t sum = 0;
    for (auto& in : ends.in)
      for (const std::uint64_t number : in) sum += number;
    if (ends.out) ends.out->send(sum);
  }
}

void feed(Sender<std::uint64_t> out, std::uint64_t items) try {
  for (std::uint64_t number = 0; number < items; ++number) out.send(number);
} catch (const Error&) {  // nobody wants them
}

OpenSources::Response open_sources(const OpenSources& request) {
  OpenSources::Response sources;
  for (std::uint64_t i = 0; i < request.count; ++i) {
    auto [sender, receiver] = channel<std::uint64_t>(4);
    sources.push_back(std::move(receiver));
    std::thread(feed, std::move(sender), request.items).detach();
  }
  if (request.too_large) throw std::length_error("told to");
  return sources;
}

void double_them(Receiver<std::uint64_t> in, Sender<std::uint64_t> out) try {
  for (const std::uint64_t number : in) out.send(2 * number);
} catch (const Error&) {
}

Doubler open_doubler(const OpenDoubler&) {
  auto [in, numbers] = channel<std::uint64_t>(4);
  auto [doubled, out] = channel<std::uint64_t>(4);
  std::thread(double_them, std::move(numbers), std::move(doubled)).detach();
  return {std::move(in), std::move(out)};
}

Ends pass_back(PassBack request) { return std::move(request.ends); }

Summary consume_at_last(ConsumeAtLast request, Context& context) {
  return consume({.in = std::move(request.in)}, context);
}

constexpr auto handlers = std::make_tuple(produce, consume, converse, add_up, open_sources,
                                          open_doubler, pass_back, consume_at_last, forge_channel);

}  // namespace

void DieFirst::die_if_first(const std::string& folder) {
  if (!folder.empty() && std::filesystem::create_directory(folder)) std::abort();
}

void serve_channels_if_worker() {
  const ServeOptions options{.threads = told("TEST_THREADS", 1),
                             .warm_up = note_bells_of_connection};
  std::apply([&](auto... each) { bulkhead::serve_if_worker<ChannelService>(options, each...); },
             handlers);
}

template <>
Pool<ChannelService> pool_of_threads<ChannelService>(const PoolOptions& options,
                                                     const ServeOptions& serve) {
  return std::apply(
      [&](auto... each) { return InlinePool<ChannelService>(options, serve, each...); }, handlers);
}

}  // namespace bulkhead::test
