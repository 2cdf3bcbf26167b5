// Applications whose standard descriptors are closed, full, or somebody else's by now.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

// folder, and the numbers to be closed. Starts itself anew without them.
int closes_stdio(const AppArguments& given) {
  for (const char number : given.at(1)) ::close(number - '0');
  become_app("without_stdio", given);
}

void expect_sane(const View& view) {
  expect(view.input_is_empty);
  int standard = 0;
  for (const std::string& descriptor : view.descriptors)
    standard += descriptor[1] == ' ' && descriptor[0] <= '2';
  expect(standard == 3);
}

// The numbers are free again for whatever the application opens.
int open_at(const fs::path& path, int number) {
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  expect(fd == number, "got number " + std::to_string(fd));
  return fd;
}

int without_stdio(const AppArguments& given) {
  const fs::path folder = given.at(0);
  const std::string& closed = given.at(1);
  {
    TestPool before{{.workers = 1}};
    value_of(before.run(Say{"not for files\n", 1}));
    for (const char number : closed) open_at(folder / std::string(1, number), number - '0');
    TestPool pool{{.workers = 2}};
    for (TestPool* each : {&before, &pool}) {
      expect_sane(value_of(each->run(LookAround{})));
      for (const int number : {1, 2}) value_of(each->run(Say{"not for files\n", number}));
      const Error error = error_of(each->run(Die{Death::abort}));
      expect(error.crash() && error.crash()->status.signal == SIGABRT);
      expect(value_of(each->run(Add{1, 2})) == 3);
      expect_sane(value_of(each->run(LookAround{})));
    }
  }
  for (const char number : closed) expect(fs::file_size(folder / std::string(1, number)) == 0);
  return 0;
}

std::size_t resident_kib() {
  const std::string text = platform::read_file("/proc/self/statm");
  return std::stoul(text.substr(text.find(' '))) * 4;
}

// Whose window nobody reads.
struct Terminal {
  platform::Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)}, slave;
  Terminal() {
    expect(::grantpt(master.get()) == 0 && ::unlockpt(master.get()) == 0, "a terminal");
    slave = platform::open_file(::ptsname(master.get()), O_RDWR | O_NOCTTY);
  }
};

// folder, where its output goes, and what a line ends with. A worker floods it, another answers.
int flooded(const AppArguments& given) {
  const std::string &where = given.at(1), &line_end = given.at(2);
  platform::Pipe pipe = platform::make_pipe();
  const platform::Fd null = platform::open_null();
  if (where == "broken pipe") pipe.read.reset();
  const Terminal terminal;
  const int output = where == "null"       ? null.get()
                     : where == "terminal" ? terminal.slave.get()
                                           : pipe.write.get();
  for (const int number : {1, 2}) ::dup2(output, number);
  constexpr std::uint64_t size = std::uint64_t{200} << 20;
  TestPool pool{{.workers = 2}};
  value_of(pool.run(Add{1, 2}));
  const std::size_t before = resident_kib();
  auto flood = pool.run(Flood{.size = size, .line = std::string(99, 'x') + line_end});
  int answers = 0;
  for (; !flood.wait_for(std::chrono::milliseconds(1)); ++answers)
    expect(value_of(pool.run(Add{answers, 1})) == answers + 1);
  const Error error = error_of(std::move(flood));
  expect(answers > 0);
  expect(error.crash() && error.crash()->status.signal == SIGABRT, error.what());
  const std::string& tail = error.crash()->stderr_tail;
  expect(tail.size() == 64 * 1024, std::to_string(tail.size()));
  expect(tail.ends_with("the last words\n"));
  expect(resident_kib() < before + 8 * 1024, "it took memory");
  return 0;
}

}  // namespace

const Apps stdio_apps{
    {"closes_stdio", closes_stdio}, {"without_stdio", without_stdio}, {"flooded", flooded}};

}  // namespace bulkhead::test
