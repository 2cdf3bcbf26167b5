#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>

#include "ipc/looping_child.hpp"
#include "ipc/segment.hpp"
#include "platform/fd.hpp"
#include "support/in_child.hpp"

namespace {

using namespace bulkhead::ipc;
using bulkhead::test::expect;
using bulkhead::test::in_child;
namespace fs = std::filesystem;

std::string path_of(const std::string& name) { return "/dev/shm/" + name; }
bool exists(const std::string& name) { return fs::exists(path_of(name)); }

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// The name that a child wrote into the pipe.
std::string read_name(const bulkhead::platform::Pipe& pipe) {
  std::array<char, 64> text{};
  const auto got =
      bulkhead::platform::read_some(pipe.read, std::as_writable_bytes(std::span(text)));
  return {text.data(), got.size};
}

void write_name(const bulkhead::platform::Pipe& pipe, const std::string& name) {
  expect(::write(pipe.write.get(), name.data(), name.size()) == static_cast<ssize_t>(name.size()));
}

std::error_code error_of_create(std::string& message) {
  try {
    (void)Segment::create();
  } catch (const std::system_error& error) {
    message = error.what();
    return error.code();
  }
  return {};
}

std::error_code code_of(const std::exception_ptr& thrown) {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::system_error& error) {
    return error.code();
  }
}

// Runs `part` in a child with a /dev/shm of its own. False if this user may not have one.
bool with_own_shm(const char* options, unsigned long flags, const std::function<void()>& part) {
  constexpr int not_permitted = 77;
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", "/dev/shm", "tmpfs", flags, options) != 0)
      ::_exit(not_permitted);
    part();
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_permitted) {
    WARN("this user may not mount: not tested");
    return false;
  }
  CHECK(status == 0);
  return true;
}

bool empty_shm() { return fs::is_empty("/dev/shm"); }

}  // namespace

TEST_CASE("A fresh segment holds zeros, and its parts do not touch each other") {
  const Segment segment = Segment::create({.slots = 3, .ring_bytes = 8192});
  const RingMemory down = segment.to_worker(), up = segment.to_app();
  CHECK(segment.slots().size() == 3);
  for (const auto& slot : segment.slots()) CHECK(slot.load() == 0);
  for (const RingMemory& ring : {down, up}) {
    CHECK(ring.capacity == 8192);
    CHECK(ring.control->tail == 0);
    CHECK(ring.control->head == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(ring.data) % cache_line == 0);
    CHECK(std::all_of(ring.data, ring.data + ring.capacity,
                      [](std::byte b) { return b == std::byte{}; }));
  }
  CHECK(up.data == down.data + 8192);
  CHECK(down.data >= reinterpret_cast<std::byte*>(segment.slots().data() + 3));
  CHECK(reinterpret_cast<std::byte*>(segment.slots().data()) >=
        reinterpret_cast<std::byte*>(up.control + 1));
}

TEST_CASE("A worker opens the segment by its name, and both see the same memory") {
  Segment app = Segment::create({.slots = 5, .ring_bytes = 4096});
  const Segment worker = Segment::open(app.name());
  app.unlink();
  CHECK(worker.layout().slots == 5);
  CHECK(worker.layout().ring_bytes == 4096);
  worker.slots()[4] = 42;
  CHECK(app.slots()[4] == 42);
  app.to_app().data[4095] = std::byte{7};
  CHECK(worker.to_app().data[4095] == std::byte{7});
}

TEST_CASE("A segment's name is random, its own, and closed to others") {
  const Segment one = Segment::create(), other = Segment::create();
  CHECK(one.name() != other.name());
  CHECK(one.name().size() == std::strlen("bulkhead-") + 32);
  struct stat status {};
  REQUIRE(::stat(path_of(one.name()).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 >=
        static_cast<std::uint64_t>(status.st_size));
}

TEST_CASE("A name that somebody else has taken is refused, and left alone") {
  with_own_shm("size=4m", 0, [] {
    static_cast<void>(Segment::create());  // the first one of a process sweeps
    const std::string file = SharedObject::new_name(), link = SharedObject::new_name();
    std::ofstream(path_of(file)) << "not ours";
    fs::create_symlink(path_of(file), path_of(link));
    for (const std::string& name : {file, link}) {
      try {
        static_cast<void>(Segment::create({}, name));
        expect(false, "it was created");
      } catch (const std::system_error& error) {
        expect(error.code() == std::errc::file_exists, error.what());
      }
    }
    expect(fs::is_symlink(path_of(link)) && fs::file_size(path_of(file)) == 8);
  });
}

TEST_CASE("A segment leaves neither its name nor a descriptor behind") {
  const std::size_t before = open_descriptors();
  std::string name;
  {
    Segment segment = Segment::create();
    name = segment.name();
    CHECK(exists(name));
    CHECK(open_descriptors() == before + 1);
    segment.unlink();
    CHECK_FALSE(exists(name));
    CHECK(open_descriptors() == before);
    segment.unlink();
    segment = Segment::create();
    const std::string replaced = segment.name();
    CHECK(exists(replaced));
    segment = Segment::create();
    CHECK_FALSE(exists(replaced));
    name = segment.name();
    CHECK(exists(name));
  }
  CHECK_FALSE(exists(name));
  CHECK(open_descriptors() == before);
  try {
    (void)Segment::open(name);
    FAIL("it is gone");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
  }
}

// Fault host.ends
TEST_CASE("What a killed app left behind is swept") {
  const auto pipe = bulkhead::platform::make_pipe();
  const int status = in_child([&] {
    const Segment segment = Segment::create();
    write_name(pipe, segment.name());
    ::raise(SIGKILL);
  });
  REQUIRE(WIFSIGNALED(status));
  const std::string name = read_name(pipe);
  REQUIRE(name.starts_with("bulkhead-"));
  SharedObject::sweep_stale();
  CHECK_FALSE(exists(name));
}

TEST_CASE("A process that starts sweeps before it makes its first segment") {
  with_own_shm("size=4m", 0, [] {
    const std::string stale = "bulkhead-0123456789abcdef0123456789abcdef";
    std::ofstream(path_of(stale)) << "left behind";
    // This process is a fork of one that may have swept already.
    expect(SharedObject::sweep_stale() == 1);
    expect(!exists(stale));
  });
}

TEST_CASE("What a living process holds is not swept") {
  const auto name_pipe = bulkhead::platform::make_pipe();
  auto end_pipe = bulkhead::platform::make_pipe();
  const pid_t owner = bulkhead::test::start_in_child([&] {
    const Segment segment = Segment::create();
    end_pipe.write.reset();
    write_name(name_pipe, segment.name());
    (void)read_name(end_pipe);  // until the test is done, or dead
  });
  const std::string name = read_name(name_pipe);
  const Segment own = Segment::create();
  SharedObject::sweep_stale();
  CHECK(exists(name));
  CHECK(exists(own.name()));
  end_pipe.write.reset();
  int status = 0;
  REQUIRE(::waitpid(owner, &status, 0) == owner);
  CHECK(status == 0);
  CHECK_FALSE(exists(name));
}

TEST_CASE("A segment that was made while others sweep all the time has its name") {
  const bulkhead::test::LoopingChild sweeper([] { SharedObject::sweep_stale(); });
  for (int i = 0; i < 3000; ++i) {
    const Segment segment = Segment::create({.slots = 1, .ring_bytes = 4096});
    REQUIRE(exists(segment.name()));
    REQUIRE_NOTHROW(Segment::open(segment.name()));
  }
}

TEST_CASE("What is not ours is not swept") {
  with_own_shm("size=4m", 0, [] {
    const std::array<std::string, 4> names{"bulkhead-", "bulkhead-0123456789abcdef0123456789abcdeX",
                                           "bulkhead-0123456789abcdef0123456789abcdef0",
                                           "sem.0123456789abcdef0123456789abcdef"};
    for (const std::string& name : names) std::ofstream(path_of(name)) << "not ours";
    const std::string fifo = "bulkhead-0123456789abcdef0123456789abcdea";
    const std::string link = "bulkhead-0123456789abcdef0123456789abcdeb";
    expect(::mkfifo(path_of(fifo).c_str(), 0600) == 0);
    fs::create_symlink("/etc/hostname", path_of(link));
    expect(SharedObject::sweep_stale() == 0);
    for (const std::string& name : names) expect(exists(name), name);
    expect(exists(fifo) && fs::is_symlink(path_of(link)));
  });
}

// Fault start.memory (idle): `/dev/shm` is full, absent, read-only, or as small as a container's.
// Then: an error that says so, never SIGBUS; the workers that there are go on. 64 MiB are enough
// for 64 workers.
TEST_CASE("A full /dev/shm is an error that says so, and nothing is left there") {
  with_own_shm("size=256k", 0, [] {
    std::string message;
    expect(error_of_create(message) == std::errc::no_space_on_device, message);
    expect(message.find("/dev/shm is full") != message.npos, message);
    expect(message.find("bytes asked") != message.npos, message);
    expect(empty_shm());
    (void)Segment::create({.ring_bytes = 4096});
  });
}

// Fault start.memory (idle)
TEST_CASE("A /dev/shm that cannot be written is an error that says so") {
  with_own_shm("", MS_RDONLY, [] {
    std::string message;
    expect(error_of_create(message) == std::errc::read_only_file_system, message);
    expect(message.find("/dev/shm/bulkhead-") != message.npos, message);
  });
}

// Fault start.memory (idle)
TEST_CASE("Without /dev/shm there is an error that says so") {
  // An empty /dev of the child's own: nothing of the machine's is touched.
  with_own_shm("", 0, [] {
    expect(::mount("tmpfs", "/dev", "tmpfs", 0, "") == 0);
    std::string message;
    expect(error_of_create(message) == std::errc::no_such_file_or_directory, message);
    expect(message.find("/dev/shm/bulkhead-") != message.npos, message);
    expect(SharedObject::sweep_stale() == 0);
  });
}

// Fault start.descriptors (idle): descriptors run out.
// Then: an error that says so; the workers that there are go on.
TEST_CASE("Too few descriptors are an error, and nothing is left") {
  with_own_shm("size=4m", 0, [] {
    (void)Segment::create();  // has swept
    const std::size_t before = open_descriptors();
    for (rlim_t limit = 0; limit < 64; ++limit) {
      rlimit old{};
      expect(::getrlimit(RLIMIT_NOFILE, &old) == 0);
      const rlimit few{limit, old.rlim_max};
      expect(::setrlimit(RLIMIT_NOFILE, &few) == 0);
      std::exception_ptr thrown;  // looked at later: that may need descriptors too
      try {
        (void)Segment::create();
      } catch (const std::system_error&) {
        thrown = std::current_exception();
      }
      expect(::setrlimit(RLIMIT_NOFILE, &old) == 0);
      const std::error_code error = code_of(thrown);
      expect(!error || error == std::errc::too_many_files_open ||
             error == std::errc::invalid_argument);
      expect(empty_shm() && open_descriptors() == before);
    }
  });
}

// Fault host.no-stdio
TEST_CASE("A segment never takes the place of a closed standard descriptor") {
  const int status = in_child([] {
    for (const int fd : {0, 1, 2}) ::close(fd);
    const Segment segment = Segment::create();
    for (const int fd : {0, 1, 2})
      if (::fcntl(fd, F_GETFD) != -1) ::_exit(1);
  });
  CHECK(status == 0);
}

TEST_CASE("A segment of another version, or cut short, is refused") {
  const Segment segment = Segment::create({.slots = 1, .ring_bytes = 4096});
  const auto refused = [&] {
    try {
      (void)Segment::open(segment.name());
      return false;
    } catch (const std::system_error& error) {
      return error.code().value() == EPROTO;
    }
  };
  CHECK_FALSE(refused());
  std::fstream file(path_of(segment.name()), std::ios::in | std::ios::out | std::ios::binary);
  for (const int offset : {0, 8, 13, 17}) {  // magic, version, slots, size of the rings
    CAPTURE(offset);
    char was = 0;
    file.seekg(offset).get(was);
    file.seekp(offset).put(static_cast<char>(was ^ 0x40)).flush();
    CHECK(refused());
    file.seekp(offset).put(was).flush();
    CHECK_FALSE(refused());
  }
  const auto size = fs::file_size(path_of(segment.name()));
  for (const std::uintmax_t cut : {size - 1, size - 4096, std::uintmax_t{100}}) {
    fs::resize_file(path_of(segment.name()), cut);
    CHECK(refused());
  }
}

TEST_CASE("A layout that makes no sense is refused") {
  const auto layout = GENERATE(values<SegmentLayout>({
      {.slots = 0},
      {.ring_bytes = 0},
      {.ring_bytes = 2048},
      {.ring_bytes = 4097},
      {.ring_bytes = 12288},
      {.ring_bytes = std::uint64_t{1} << 33},
  }));
  CHECK_THROWS_AS(Segment::create(layout), std::invalid_argument);
}
