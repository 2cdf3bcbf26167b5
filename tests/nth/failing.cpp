#include "nth/failing.hpp"

#include <execinfo.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace bulkhead::nth {

namespace {

Record* map_record(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(Record)) != 0)
    throw std::runtime_error("cannot open " + path);
  void* const at = ::mmap(nullptr, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  return static_cast<Record*>(at);
}

struct Order {
  Kind kind = Kind::system_calls;
  std::uint64_t nth = 0;
  Record* record = nullptr;
};
Order order;

// In memory that the kernel clears in a fork, and that a child of vfork shares.
std::atomic<bool>* make_armed() {
  void* const page =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || ::madvise(page, 4096, MADV_WIPEONFORK) != 0)
    throw std::runtime_error("cannot make memory that is wiped on a fork");
  return static_cast<std::atomic<bool>*>(page);
}
std::atomic<bool>* armed = nullptr;

// "function(...) at .../file.cpp:3" can be very long.
std::string shortened(std::string line) {
  line.erase(line.find_last_not_of('\n') + 1);
  const auto place = line.rfind(" at ");
  if (place == line.npos) return "\n    " + line;
  const auto file = std::min(line.rfind('/'), line.size());
  return "\n    " + line.substr(0, std::min<std::size_t>(place, 100)) + " at " +
         line.substr(file == line.size() ? place + 4 : file + 1);
}

std::string names_of(const Record& record) {
  std::string command = "addr2line -Cfpie /proc/" + std::to_string(::getpid()) + "/exe";
  for (int i = 0; i < record.depth; ++i) {
    std::array<char, 24> address{};
    // Of the call, not of what follows it.
    const auto* at = static_cast<const char*>(record.stack[static_cast<unsigned>(i)]) - 1;
    std::snprintf(address.data(), address.size(), " %p", static_cast<const void*>(at));
    command += address.data();
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string names, line(1000, '\0');
  while (pipe && std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()))
    if (std::strncmp(line.data(), "??", 2) != 0) names += shortened(line.c_str());
  return names;
}

}  // namespace

void arm(const std::string& process) {
  const char* const told = ::getenv("NTH");
  if (!told || armed) return;
  std::string text = told, parts[4];
  for (std::string& part : parts) {
    const auto end = text.find(':');
    part = text.substr(0, end);
    text.erase(0, end == text.npos ? end : end + 1);
  }
  if (parts[0] != process) return;
  std::array<void*, 1> unused;
  ::backtrace(unused.data(), 1);  // loads what it needs
  order = {parts[1] == "allocations" ? Kind::allocations : Kind::system_calls,
           std::stoull(parts[2]), map_record(parts[3], 0)};
  armed = make_armed();
  *armed = true;
}

void disarm() {
  if (armed) *armed = false;
  ::unsetenv("NTH");
}

bool due(Kind kind, const char* call, int error) {
  if (!armed || !*armed || kind != order.kind || ++order.record->calls != order.nth) return false;
  Record& record = *order.record;
  std::strncpy(record.call.data(), call, record.call.size() - 1);
  record.error = error;
  record.depth = ::backtrace(record.stack.data(), static_cast<int>(record.stack.size()));
  record.failed = true;
  return true;
}

RecordFile::RecordFile(const std::string& path) : record_(map_record(path, O_CREAT)) {}
RecordFile::~RecordFile() { ::munmap(record_, sizeof(Record)); }

std::string RecordFile::text() const {
  if (!record_->failed) return "nothing failed";
  return std::string(record_->call.data()) + ": " + ::strerror(record_->error) + names_of(*record_);
}

}  // namespace bulkhead::nth
