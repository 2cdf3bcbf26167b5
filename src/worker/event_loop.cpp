#include "worker/event_loop.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "platform/stand_in.hpp"
#include "worker/served_call.hpp"

namespace bulkhead::worker {

namespace asio = boost::asio;

// From when its request begins to come until its coroutine is gone. What a coroutine uses is used
// on its strand.
class EventLoop::Call : public std::enable_shared_from_this<Call> {
 public:
  explicit Call(asio::io_context& context) : strand(asio::make_strand(context)) {}

  asio::awaitable<void> answer(detail::Dispatcher& dispatcher);
  void heed_stops();
  void end() {
    on_stop_.reset();
    handling.reset();
  }

  asio::strand<asio::io_context::executor_type> strand;
  rpc::WorkerEnd::Request request;
  detail::Buffer response;
  std::optional<Handling> handling;
  asio::cancellation_signal stop;
  bool answered = false;

 private:
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

asio::awaitable<void> EventLoop::Call::answer(detail::Dispatcher& dispatcher) {
  bool app_is_there = false;
  bool failed = false;
  try {
    co_await dispatcher.serve_coroutine(request.head.request, request.body(), handling->context(),
                                        response);
    handling->finish();
  } catch (...) {
    failed = true;
    app_is_there = handling->answer_exception();
  }
  if (!failed) app_is_there = handling->answer(response);
  if (!app_is_there) platform::exit_now(0);
  answered = true;
  platform::fault_point("worker.after_response");
}

// The library's thread tells the token; the coroutine hears of it on its strand.
void EventLoop::Call::heed_stops() {
  const auto cancel = [](const std::shared_ptr<Call>& call) {
    asio::post(call->strand, [call] {
      if (call->handling) call->stop.emit(asio::cancellation_type::terminal);
    });
  };
  on_stop_.emplace(handling->context().stop_token(), [weak = weak_from_this(), cancel] {
    if (const auto call = weak.lock()) cancel(call);
  });
}

EventLoop::EventLoop(rpc::WorkerEnd& app, Helpers& helpers, detail::Dispatcher& dispatcher,
                     unsigned threads, unsigned at_once)
    : app_(app),
      helpers_(helpers),
      dispatcher_(dispatcher),
      threads_(threads),
      at_once_(at_once),
      context_(static_cast<int>(threads)),
      work_(asio::make_work_guard(context_)),
      bell_(context_, app.bell().fd().get()) {
  app_.tell_loop([this] { wake_up(); });
  post_turn();
}

void EventLoop::run() { platform::stands_in() ? run_standing_in() : run_in_process(); }

// One of its threads has given up: the others must.
void EventLoop::run_standing_in() {
  try {
    context_.run();
  } catch (const platform::StandInEnded&) {
    given_up_ = true;
    context_.stop();
  } catch (...) {
    std::terminate();
  }
  if (given_up_) platform::exit_now(0);
}

// ------------------------------------------------------------ turns

void EventLoop::post_turn() {
  asio::post(context_, [this] { turn(); });
}

// Several requests, where that keeps no other thread from taking them up.
void EventLoop::turn() {
  constexpr unsigned at_most = 16;
  for (unsigned left = threads_ > 1 ? 1 : at_most; left > 0; --left)
    if (!take_up_next()) return;
  post_turn();
}

// False when the next turn is somebody else's to post.
bool EventLoop::take_up_next() {
  if (is_full()) return false;
  if (!next_) next_ = std::make_shared<Call>(context_);
  const auto found = app_.next_now(next_->request);
  if (!found) {
    if (under_way_ == 0 && app_.spin()) return true;
    sleep();
    return false;
  }
  switch (*found) {
    case rpc::WorkerEnd::Next::app_gone:
      platform::exit_now(0);
    case rpc::WorkerEnd::Next::leave:
      leave();
      return false;
    case rpc::WorkerEnd::Next::request:
      break;
  }
  ++under_way_;
  return begin(std::exchange(next_, nullptr));
}

bool EventLoop::is_full() {
  if (under_way_ < at_once_) return false;
  full_ = true;
  return under_way_ >= at_once_ || !full_.exchange(false);
}

// Another thread may have heard of more, and wants the turn, while this one still looks at the
// ring.
void EventLoop::sleep() {
  nap_.begin();
  if (app_.arm()) {
    nap_.stay_awake();
    return post_turn();
  }
  if (!nap_.fall_asleep()) return post_turn();
  if (listening_.exchange(true)) return;
  bell_.async_wait(asio::posix::descriptor_base::wait_read,
                   [this](const boost::system::error_code&) {
                     listening_ = false;
                     if (!app_.hear()) platform::exit_now(0);
                     wake_up();
                   });
}

void EventLoop::wake_up() {
  if (nap_.wake()) post_turn();
}

void EventLoop::leave() {
  leaving_ = true;
  if (under_way_ == 0) context_.stop();
}

// ------------------------------------------------------------ calls

bool EventLoop::begin(const CallPtr& call) {
  const bool is_coroutine = dispatcher_.is_coroutine(call->request.head.request);
  const bool gives_turn_away = threads_ > 1 || !is_coroutine;
  if (gives_turn_away) post_turn();
  call->handling.emplace(app_, helpers_, call->request);
  if (is_coroutine) {
    asio::dispatch(call->strand, [this, call] { begin_coroutine(call); });
  } else {
    const ServedCall served(call->request.head);
    if (!call->handling->serve(dispatcher_, call->response)) platform::exit_now(0);
    call->end();
    ended();
  }
  return !gives_turn_away;
}

// What has not ended by itself yet waits for something. Who resumes it is not known to serve it.
void EventLoop::begin_coroutine(const CallPtr& call) {
  const ServedCall served(call->request.head);
  asio::co_spawn(call->strand, call->answer(dispatcher_),
                 asio::bind_cancellation_slot(call->stop.slot(),
                                              [this, call](const std::exception_ptr& error) {
                                                if (error) std::rethrow_exception(error);
                                                call->end();
                                                ended();
                                              }));
  if (!call->answered) call->heed_stops();
}

void EventLoop::ended() {
  const bool last = --under_way_ == 0;
  if (full_.exchange(false)) post_turn();
  if (last && leaving_) context_.stop();
}

}  // namespace bulkhead::worker
