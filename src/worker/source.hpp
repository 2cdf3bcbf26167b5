// Where a pool's workers come from, as the app sees it: it serves, starts them, signals them, and
// ends them when it is closed. Lives on the reactor: everything here runs there. Its listener is
// told of each thing once, and never inside a call of these.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "bulkhead/error.hpp"
#include "ipc/doorbell.hpp"
#include "platform/modules.hpp"
#include "platform/pidfd.hpp"
#include "worker/control.hpp"

namespace bulkhead::worker {

class Source : public std::enable_shared_from_this<Source> {
 public:
  class Listener {
   public:
    virtual void source_serves(Source& source) = 0;
    // It did not start, or died, or left as it was asked to (then `why` is empty).
    // With it die all of its workers.
    virtual void source_ended(Source& source, std::optional<Error> why) = 0;
    virtual void worker_started(WorkerNumber number, pid_t pid, platform::Pidfd process) = 0;
    virtual void worker_not_started(WorkerNumber number, const Error& why) = 0;
    virtual void worker_reaped(WorkerNumber number, const platform::Ending& ending) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Source() = default;

  virtual bool serving() const = 0;
  // It takes no orders any more; once what it left is cleared away, or too slow to go, it has
  // ended.
  virtual bool dead() const = 0;
  virtual bool ended() const = 0;
  // The files whose code it has mapped, as soon as somebody has asked for them while it lived.
  virtual std::shared_ptr<const platform::Modules> modules() = 0;
  // How its workers are held, once it serves.
  virtual const Containment& containment() const = 0;
  // The descriptors are the worker's ends, and may be closed afterwards.
  virtual void start_worker(const StartWorker& order, const ipc::Doorbell& doorbell,
                            const platform::Fd& output, const platform::Fd& errors,
                            const platform::Fd& bytes) = 0;
  // To a worker and all that it started.
  virtual void signal_worker(WorkerNumber number, int signal) = 0;
  // Asks it to end its workers, and to end.
  virtual void close() = 0;
  // A worker that has ended, of which it has not said so.
  virtual void leave_unreaped(WorkerNumber number, platform::Pidfd worker) = 0;
  // Ends it at once; its workers die with it.
  virtual void kill() = 0;
};

}  // namespace bulkhead::worker
