#include "process/output.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace bulkhead::process {

LineSplitter::LineSplitter(OnLine on_line, std::size_t max_line)
    : on_line_(std::move(on_line)), max_line_(max_line) {}

void LineSplitter::write(std::string_view chunk) {
  for (auto end = chunk.find('\n'); end != chunk.npos; end = chunk.find('\n')) {
    keep(chunk.substr(0, end));
    hand_out();
    chunk.remove_prefix(end + 1);
  }
  keep(chunk);
}

void LineSplitter::finish() {
  if (!line_.empty()) hand_out();
}

void LineSplitter::keep(std::string_view part) {
  const auto room = std::min(part.size(), max_line_ - line_.size());
  line_.append(part.substr(0, room));
  cut_ += part.size() - room;
}

void LineSplitter::hand_out() {
  std::string line = std::exchange(line_, {});
  if (const auto cut = std::exchange(cut_, 0)) line += " [" + std::to_string(cut) + " bytes cut]";
  if (on_line_) on_line_(line);
}

void OutputTail::write(std::string_view chunk) {
  written_ += chunk.size();
  kept_.append(chunk.substr(chunk.size() - std::min(chunk.size(), limit_)));
  if (kept_.size() > 2 * limit_) kept_.erase(0, kept_.size() - limit_);
}

std::string OutputTail::text() const {
  return kept_.substr(kept_.size() - std::min(kept_.size(), limit_));
}

std::uint64_t OutputTail::dropped() const { return written_ - std::min(kept_.size(), limit_); }

Output::Output(platform::Fd read_end, OnLine on_line)
    : fd_(std::move(read_end)), lines_(std::move(on_line)) {
  platform::set_nonblocking(fd_);
}

platform::Io Output::drain() {
  std::array<char, 16384> buffer;
  for (std::size_t taken = 0; taken < turn;) {
    if (!fd_) return platform::Io::end;
    const auto read = platform::read_some(fd_, std::as_writable_bytes(std::span(buffer)));
    if (read.io == platform::Io::end) fd_.reset();
    if (read.io != platform::Io::done) return read.io;
    const std::string_view chunk(buffer.data(), read.size);
    tail_.write(chunk);
    lines_.write(chunk);
    taken += read.size;
  }
  return platform::Io::done;
}

void Output::finish() {
  // This is more than the largest pipe holds, and a bound on what another writer can add.
  for (int turns = 0; turns < 8 && drain() == platform::Io::done; ++turns) continue;
  lines_.finish();
  fd_.reset();
}

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result += c;
      continue;
    }
    result += "\\x";
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

}  // namespace bulkhead::process
