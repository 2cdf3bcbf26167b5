// Workers that are threads of this process: what they run, how, and over what they talk is as in
// processes of their own, and so is what the app sees of them. But a thread cannot be killed: the
// app is told that it is, the handler is asked to stop, and the thread ends once that returns.
//
// Stages: preparing (preload) ─▶ serving ─▶ closing (until the last thread has ended) ─▶ ended.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "bulkhead/detail/dispatcher.hpp"
#include "bulkhead/serve.hpp"
#include "reactor/reactor.hpp"
#include "worker/assignment.hpp"
#include "worker/measures.hpp"
#include "worker/source.hpp"

namespace bulkhead::worker {

// What they serve.
struct Handlers {
  ServeOptions options;
  std::shared_ptr<detail::Dispatcher> dispatcher;
};

class ThreadServer final : public Source {
 public:
  // Throws std::system_error. `listener` is not told of anything once it is gone.
  static std::shared_ptr<ThreadServer> launch(std::shared_ptr<reactor::Reactor> reactor,
                                              std::string service, Handlers handlers,
                                              std::weak_ptr<Listener> listener);
  ThreadServer(const ThreadServer&) = delete;
  ThreadServer& operator=(const ThreadServer&) = delete;

  bool serving() const override { return stage_ == Stage::serving; }
  bool dead() const override { return stage_ == Stage::closing || ended(); }
  bool ended() const override { return stage_ == Stage::ended; }
  std::shared_ptr<const platform::Modules> modules() override { return nullptr; }
  const Containment& containment() const override { return containment_; }
  // Their output is the process's own.
  void start_worker(const StartWorker& order, const ipc::Doorbell& doorbell,
                    const platform::Fd& output, const platform::Fd& errors,
                    const platform::Fd& bytes) override;
  // SIGKILL only: there are no others for a thread.
  void signal_worker(WorkerNumber number, int signal) override;
  void close() override;
  void leave_unreaped(WorkerNumber, platform::Pidfd) override {}
  void kill() override { close(); }

 private:
  enum class Stage { preparing, serving, closing, ended };
  struct Worker {
    ipc::Doorbell doorbell;
    platform::Fd life;  // while it is open, the app takes the worker for alive
    std::thread thread = {};
  };

  ThreadServer(std::shared_ptr<reactor::Reactor> reactor, std::string service, Handlers handlers,
               std::weak_ptr<Listener> listener);
  void prepare();
  void prepared(const std::string& objection);
  void run(WorkerNumber number, Assignment assignment);
  void ended(WorkerNumber number, const platform::Ending& ending);
  void thread_ended(WorkerNumber number, int code);
  void end_if_empty();

  template <class Tell>
  void tell(Tell tell_listener) {
    reactor_->post([listener = listener_, tell_listener = std::move(tell_listener)] {
      if (const auto there = listener.lock()) tell_listener(*there);
    });
  }
  template <class Work>
  void post(Work work);

  const std::shared_ptr<reactor::Reactor> reactor_;
  const std::string service_;
  const Handlers handlers_;
  const std::weak_ptr<Listener> listener_;
  const Containment containment_ = nothing_in_force();

  Stage stage_ = Stage::preparing;
  std::optional<Error> why_;  // it did not begin to serve
  std::thread preparing_;
  std::map<WorkerNumber, Worker> workers_;  // whose threads run
};

}  // namespace bulkhead::worker
