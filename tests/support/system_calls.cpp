#include "support/system_calls.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <future>

#include "support/wait_until.hpp"

namespace bulkhead::test {
namespace {

constexpr int none = -1, not_yet = -2;

// From now on this thread makes no system call before the listener, a descriptor, was asked.
int be_listened_to() {
  sock_filter filter[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF}};
  const sock_fprog program{1, filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return none;
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

}  // namespace

bool SystemCalls::count(const std::function<void(const SystemCalls&)>& work) {
  SystemCalls calls;
  std::atomic<int> listener = not_yet;
  auto worked = std::async(std::launch::async, [&] {
    const int mine = be_listened_to();
    listener = mine;  // to wake anybody would be a system call, which nobody answers yet
    if (mine != none) work(calls);
  });
  if (!wait_until([&] { return listener != not_yet; })) return false;
  if (listener != none) {
    calls.count_until_all_ended(listener);
    ::close(listener);
  }
  worked.get();
  return listener != none;
}

void SystemCalls::count_until_all_ended(int listener) {
  for (pollfd ended{listener, POLLIN, 0};
       ::poll(&ended, 1, -1) < 0 || (ended.revents & POLLHUP) == 0;) {
    seccomp_notif call{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;
    ++count_;
    seccomp_notif_resp go_on{
        .id = call.id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
  }
}

}  // namespace bulkhead::test
