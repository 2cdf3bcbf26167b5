#include "bulkhead/sandbox.hpp"

#include <stdexcept>

#include "worker/measures.hpp"

namespace bulkhead {

namespace {

std::uint64_t at_least_one(std::int64_t value, const char* complaint) {
  if (value < 1) throw std::invalid_argument(complaint);
  return static_cast<std::uint64_t>(value);
}

void require_some(std::uint64_t value, const char* complaint) {
  if (value == 0) throw std::invalid_argument(complaint);
}

}  // namespace

Sandbox Sandbox::none() { return Sandbox(Level::none); }
Sandbox Sandbox::contained() { return Sandbox(Level::contained); }

Sandbox& Sandbox::memory(std::uint64_t bytes) {
  require_some(bytes, "Sandbox::memory must be at least 1");
  limits_.memory = bytes;
  return *this;
}

Sandbox& Sandbox::cpu(std::chrono::seconds time) {
  limits_.cpu = at_least_one(time.count(), "Sandbox::cpu must be at least 1 s");
  return *this;
}

Sandbox& Sandbox::open_files(std::uint64_t count) {
  limits_.open_files = count;
  return *this;
}

Sandbox& Sandbox::file_size(std::uint64_t bytes) {
  limits_.file_size = bytes;
  return *this;
}

Sandbox& Sandbox::processes(std::uint64_t count) {
  require_some(count, "Sandbox::processes must be at least 1");
  limits_.processes = count;
  return *this;
}

Sandbox& Sandbox::core(std::uint64_t bytes) {
  limits_.core = bytes;
  return *this;
}

Sandbox& Sandbox::best_effort(bool on) {
  best_effort_ = on;
  return *this;
}

std::string to_string(const Containment& containment) {
  std::string text;
  for (const auto& [name, measure] : worker::all_measures) {
    const auto& [in_force, how] = containment.*measure;
    text += std::string(name) + (in_force ? ": " : ": not in force: ") + how + "\n";
  }
  return text;
}

}  // namespace bulkhead
