#include "worker/huge_pages.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace bulkhead::worker {

namespace {

constexpr const char* tunables_variable = "GLIBC_TUNABLES";
constexpr std::string_view entry_start = "GLIBC_TUNABLES=";
constexpr const char* mark_variable = "BULKHEAD_HUGE_PAGES";  // the wish is ours
constexpr std::string_view mark = "BULKHEAD_HUGE_PAGES=1";
constexpr std::string_view tunable = "glibc.malloc.hugetlb";
constexpr std::string_view wish = "glibc.malloc.hugetlb=1";

}  // namespace

void ask_for_huge_pages(std::vector<std::string>& environment) {
  auto entry = std::ranges::find_if(
      environment, [](const std::string& each) { return each.starts_with(entry_start); });
  if (entry == environment.end())
    entry = environment.emplace(environment.end(), entry_start);
  else if (entry->find(tunable) != entry->npos)
    return;
  if (*entry != entry_start) *entry += ':';
  *entry += wish;
  environment.emplace_back(mark);
}

void forget_huge_pages() {
  if (std::getenv(mark_variable) == nullptr) return;
  ::unsetenv(mark_variable);
  const char* const value = std::getenv(tunables_variable);
  std::string tunables = value ? value : "";
  if (!tunables.ends_with(wish)) return;
  tunables.resize(tunables.size() - wish.size());
  if (tunables.empty()) {
    ::unsetenv(tunables_variable);
    return;
  }
  tunables.pop_back();
  ::setenv(tunables_variable, tunables.c_str(), 1);
}

}  // namespace bulkhead::worker
