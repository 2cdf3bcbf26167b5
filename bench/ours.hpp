// Bulkhead as a subject: a Worker, or a Pool.
#pragma once

#include <deque>
#include <utility>

#include "service.hpp"

namespace bulkhead::bench {

template <class Workers>
class Ours : public Subject {
 public:
  explicit Ours(Workers workers) : workers_(std::move(workers)) {}

  void call() override { workers_.run(Echo{}).get(); }
  void call_many(unsigned calls, unsigned open) override {
    std::deque<Future<Payload>> answers;
    for (unsigned i = 0; i < calls; ++i) {
      if (answers.size() == open) {
        answers.front().get();
        answers.pop_front();
      }
      answers.push_back(workers_.run(Echo{}));
    }
    for (auto& answer : answers) answer.get();
  }
  void call_with(std::string& text) override {
    text = workers_.run(EchoText{std::move(text)}).get();
  }
  pid_t worker() override { return workers_.run(WhoAnswers{}).get(); }
  void pin_worker_to(int nth) { workers_.run(Pin{nth}).get(); }

 private:
  Workers workers_;
};

inline Ours<Worker<Benched>> our_worker() { return Ours(Worker<Benched>::start()); }
inline Ours<Pool<Benched>> our_pool(const PoolOptions& options = {}) {
  return Ours(Pool<Benched>(options));
}

}  // namespace bulkhead::bench
