// Applications of a user who is not root: what root may do to memory says nothing about theirs.
#include <grp.h>
#include <unistd.h>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

// folder, the user's number, and which app it then is. Any user but root may be this one already.
int as_user(const AppArguments& given) {
  const uid_t user = static_cast<uid_t>(std::stoul(given.at(1)));
  if (::geteuid() == 0) {
    if (::chown(given.at(0).c_str(), user, user) != 0 || ::setgroups(0, nullptr) != 0 ||
        ::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0 ||
        ::access("/proc/self/exe", X_OK) != 0)
      return not_permitted;
  }
  become_app(given.at(2), {given.at(0)});
}

void expect_all_well(TestPool& pool, const Bytes& buffer) {
  for (int i = 0; i < 100; ++i) expect(value_of(pool.run(Add{i, 1})) == i + 1);
  expect(value_of(pool.run(Echo{std::string(1 << 20, 'x')})) == std::string(1 << 20, 'x'));
  expect(std::ranges::all_of(buffer.span(), [](std::byte each) { return each == std::byte{7}; }));
  expect(pool.stats().crashes == 0, "a worker died");
}

// folder. Each of its workers tries to shrink what it shares.
int shrunk(const AppArguments&) {
  for (const Sandbox& sandbox : {Sandbox::contained(), Sandbox::none()}) {
    TestPool pool{{.workers = 2, .sandbox = sandbox}};
    const Bytes buffer = Bytes::copy_of(std::vector(1 << 20, std::byte{7}));
    for (int i = 0; i < 4; ++i) {
      auto [sender, receiver] = channel<std::uint64_t>(4);
      auto attack = pool.run(ShrinkMemory{buffer, std::move(sender)});
      std::string ways;
      for (const std::string& way : value_of(std::move(attack))) ways += way + '\n';
      expect(ways.empty(), "there are ways to do it:\n" + ways);
      expect(receiver.receive() == buffer.size() && !receiver.receive(), "an item is lost");
      expect_all_well(pool, buffer);
    }
  }
  return 0;
}

}  // namespace

const Apps user_apps{{"as_user", as_user}, {"shrunk", shrunk}};

}  // namespace bulkhead::test
