#include "worker/thread_server.hpp"

#include <csignal>
#include <system_error>
#include <utility>

#include "platform/proc.hpp"
#include "platform/signals.hpp"
#include "platform/stand_in.hpp"
#include "worker/exception_text.hpp"
#include "worker/log_to_app.hpp"
#include "worker/work.hpp"

namespace bulkhead::worker {

namespace {

using How = platform::Ending::How;

// The application's signal handlers run on the application's threads.
template <class Work>
std::thread start_thread(Work work) {
  const platform::BlockedSignals blocked(platform::BlockedSignals::Which::all_but_crashes);
  return std::thread(std::move(work));
}

std::string run_preload(const ServeOptions& options) {
  try {
    options.preload();
    return {};
  } catch (...) {
    return "its preload threw " + current_exception_text().sentence();
  }
}

}  // namespace

ThreadServer::ThreadServer(std::shared_ptr<reactor::Reactor> reactor, std::string service,
                           Handlers handlers, std::weak_ptr<Listener> listener)
    : reactor_(std::move(reactor)),
      service_(std::move(service)),
      handlers_(std::move(handlers)),
      listener_(std::move(listener)) {}

std::shared_ptr<ThreadServer> ThreadServer::launch(std::shared_ptr<reactor::Reactor> reactor,
                                                   std::string service, Handlers handlers,
                                                   std::weak_ptr<Listener> listener) {
  std::shared_ptr<ThreadServer> server(new ThreadServer(std::move(reactor), std::move(service),
                                                        std::move(handlers), std::move(listener)));
  server->prepare();
  return server;
}

template <class Work>
void ThreadServer::post(Work work) {
  reactor_->post([self = std::static_pointer_cast<ThreadServer>(shared_from_this()),
                  work = std::move(work)] { work(*self); });
}

// ------------------------------------------------------------ starting

void ThreadServer::prepare() {
  if (!handlers_.options.preload) return post([](ThreadServer& self) { self.prepared({}); });
  preparing_ = start_thread([self = shared_from_this(), this] {
    post([objection = run_preload(handlers_.options)](ThreadServer& server) {
      server.preparing_.join();
      server.prepared(objection);
    });
  });
}

void ThreadServer::prepared(const std::string& objection) {
  if (!objection.empty() && stage_ == Stage::preparing) {
    why_ = Error(errc::start_failed, service_ + " workers could not be started: " + objection);
    stage_ = Stage::closing;
  }
  if (stage_ == Stage::closing) return end_if_empty();
  stage_ = Stage::serving;
  if (const auto listener = listener_.lock()) listener->source_serves(*this);
}

void ThreadServer::start_worker(const StartWorker& order, const ipc::Doorbell& doorbell,
                                const platform::Fd&, const platform::Fd&,
                                const platform::Fd& bytes) {
  platform::Pipe life = platform::make_pipe();
  Assignment assignment{.segment = order.segment,
                        .max_message = order.max_message,
                        .doorbell = doorbell.duplicate(),
                        .bytes = platform::duplicate(bytes),
                        .bytes_limits = order.bytes};
  Worker& worker =
      workers_.emplace(order.number, Worker{doorbell.duplicate(), std::move(life.write)})
          .first->second;
  try {
    worker.thread =
        start_thread([self = shared_from_this(), this, number = order.number,
                      given = std::move(assignment)]() mutable { run(number, std::move(given)); });
  } catch (const std::system_error&) {
    workers_.erase(order.number);
    throw;
  }
  auto process =
      std::make_shared<platform::Pidfd>(platform::Pidfd::of_stand_in(std::move(life.read)));
  tell([number = order.number, process](Listener& listener) {
    listener.worker_started(number, platform::own_pid(), std::move(*process));
  });
}

// On the worker's thread. Its end is told by whatever ends it, pthread_exit included.
void ThreadServer::run(WorkerNumber number, Assignment assignment) {
  struct Told {
    ThreadServer& server;
    WorkerNumber number;
    int code = 1;
    ~Told() {
      server.post(
          [number = number, code = code](ThreadServer& self) { self.thread_ended(number, code); });
    }
  } told{*this, number};
  const LogsAs name(service_ + " worker " + std::to_string(platform::own_pid()));
  told.code = platform::run_as_process(
      [&] { work(std::move(assignment), handlers_.options, *handlers_.dispatcher); });
}

// ------------------------------------------------------------ ending

void ThreadServer::ended(WorkerNumber number, const platform::Ending& ending) {
  Worker& worker = workers_.at(number);
  if (!worker.life) return;
  worker.life.reset();
  tell([number, ending](Listener& listener) { listener.worker_reaped(number, ending); });
}

void ThreadServer::thread_ended(WorkerNumber number, int code) {
  ended(number, {.how = How::exited, .status = code});
  workers_.at(number).thread.join();
  workers_.erase(number);
  end_if_empty();
}

void ThreadServer::signal_worker(WorkerNumber number, int signal) {
  const auto worker = workers_.find(number);
  if (worker == workers_.end() || signal != SIGKILL) return;
  worker->second.doorbell.hang_up();
  ended(number, {.how = How::killed, .status = SIGKILL});
}

void ThreadServer::close() {
  if (dead()) return;
  const bool prepares = stage_ == Stage::preparing;
  stage_ = Stage::closing;
  for (const auto& [number, worker] : workers_) signal_worker(number, SIGKILL);
  if (!prepares) post([](ThreadServer& self) { self.end_if_empty(); });
}

void ThreadServer::end_if_empty() {
  if (stage_ != Stage::closing || !workers_.empty()) return;
  stage_ = Stage::ended;
  if (const auto listener = listener_.lock()) listener->source_ended(*this, why_);
}

}  // namespace bulkhead::worker
