// Whoever answers calls in another process: Bulkhead, or one of its peers. The same code times all
// of them (measure.hpp), so that they differ in nothing but themselves.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace bulkhead::bench {

using Payload = std::array<char, 64>;

// Ready when it is made; its process is gone when it is destroyed.
class Subject {
 public:
  virtual ~Subject() = default;
  // A Payload there and back.
  virtual void call() = 0;
  // As many such calls from one thread, which keeps `open` of them open.
  virtual void call_many(unsigned calls, unsigned open) = 0;
  // A text there and back; what came back takes its place, where that costs no further copy.
  virtual void call_with(std::string& text) = 0;
  // The process that answers.
  virtual pid_t worker() = 0;
};

using StartSubject = std::function<std::unique_ptr<Subject>()>;

}  // namespace bulkhead::bench
