// Makes one call of a process fail: the N-th of all its threads together, where calls are either
// system calls (system_calls.cpp) or allocations (allocations.cpp). What NTH in the environment
// says, `process:kind:nth:file`, is for one process of a scenario only, and never for what that
// forks. A later process of the same name, such as a second fork server, counts on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace bulkhead::nth {

enum class Kind { system_calls, allocations };

// What is told about it, in a file that the test and the process map. Zeros at first. The stack
// means the same in both: the program is linked to lie at a fixed address.
struct Record {
  std::atomic<std::uint64_t> calls;  // made so far
  std::atomic<bool> failed;          // then what follows says which
  std::array<char, 32> call;
  int error;
  std::array<void*, 40> stack;
  int depth;
};

// ------------------------------------------------------------ in the process

// From now on this process, if `process` is the one that is meant.
void arm(const std::string& process);
// Nor what it starts from now on.
void disarm();

// Whether the call that is to be made now shall fail. Async-signal-safe until it says so.
bool due(Kind kind, const char* call, int error);

// ------------------------------------------------------------ in the test

class RecordFile {
 public:
  explicit RecordFile(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  const Record& operator*() const { return *record_; }
  const Record* operator->() const { return record_; }
  // "call (error)", and a line for each frame.
  std::string text() const;

 private:
  Record* record_;
};

}  // namespace bulkhead::nth
