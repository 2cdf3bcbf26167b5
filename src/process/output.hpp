// What a process writes to its standard output or error: split into lines that go on, with the end
// of it kept for a report. The writer may be hostile: memory, and the time that one turn takes,
// are bounded whatever it writes. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "platform/fd.hpp"

namespace bulkhead::process {

using OnLine = std::function<void(std::string_view line)>;  // without its newline

// Turns chunks into whole lines. Of a line longer than `max_line` the beginning is handed out,
// with a mark that says how much was cut.
class LineSplitter {
 public:
  static constexpr std::size_t default_max_line = std::size_t{16} * 1024;

  explicit LineSplitter(OnLine on_line, std::size_t max_line = default_max_line);

  // Calls on_line inside.
  void write(std::string_view chunk);
  // Hands out a last line that has no newline yet.
  void finish();

 private:
  void keep(std::string_view part);
  void hand_out();

  const OnLine on_line_;
  const std::size_t max_line_;
  std::string line_;
  std::uint64_t cut_ = 0;  // bytes of this line that were not kept
};

// The last bytes of what was written.
class OutputTail {
 public:
  static constexpr std::size_t default_limit = std::size_t{64} * 1024;

  explicit OutputTail(std::size_t limit = default_limit) : limit_(limit) {}

  void write(std::string_view chunk);
  std::string text() const;
  std::uint64_t dropped() const;  // how many bytes came before text()

 private:
  const std::size_t limit_;
  std::string kept_;  // at most twice the limit, so that it is seldom moved
  std::uint64_t written_ = 0;
};

// Both, fed from a pipe. Its end is never waited for: what the process started may hold it open
// long after the process itself is gone.
class Output {
 public:
  static constexpr std::size_t turn = std::size_t{256} * 1024;  // bytes

  // Takes the read end, and makes it non-blocking.
  Output(platform::Fd read_end, OnLine on_line);

  const platform::Fd& fd() const { return fd_; }

  // Takes what is there, at most `turn`. `done` says that more may be there; after `end` the
  // descriptor is closed.
  platform::Io drain();

  // After the process's death: takes what it left in the pipe, hands out an unfinished line, and
  // closes, whoever else still writes.
  void finish();

  std::string tail() const { return tail_.text(); }

 private:
  platform::Fd fd_;
  LineSplitter lines_;
  OutputTail tail_;
};

// For a log or a message: control characters, escape sequences and newlines come out as \x1b.
std::string printable(std::string_view text);

}  // namespace bulkhead::process
