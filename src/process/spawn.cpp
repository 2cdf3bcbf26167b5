#include "process/spawn.hpp"

#include <algorithm>
#include <string_view>

#include "platform/fd.hpp"

namespace bulkhead::process {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // exec takes them as char*, and changes nothing.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string what_failed(SpawnStage stage, const Program& program) {
  const std::string& path = program.path;
  switch (stage) {
    case SpawnStage::fork:
      return "cannot start a process for " + path;
    case SpawnStage::session:
      return "cannot begin a session for " + path;
    case SpawnStage::cgroup:
      return "cannot enter the cgroup of " + path;
    case SpawnStage::working_directory:
      return "cannot enter " + program.working_directory.value_or("") + " to execute " + path;
    case SpawnStage::descriptors:
      return "cannot pass its descriptors to " + path;
    case SpawnStage::parent:
      return "cannot bind " + path + " to the life of its parent";
    case SpawnStage::exec:
      return "cannot execute " + path;
  }
  return "cannot execute " + path;
}

}  // namespace

Child spawn(const Program& program) {
  auto descriptors = program.descriptors;
  const platform::Fd null = platform::open_null();
  for (int number = 0; number <= 2; ++number)
    if (std::ranges::count(program.descriptors, number, &std::pair<int, int>::second) == 0)
      descriptors.emplace_back(null.get(), number);

  auto arguments = program.arguments;
  if (arguments.empty()) arguments.push_back(program.path);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(program.environment);

  auto result = platform::clone_and_exec({
      .path = program.path.c_str(),
      .arguments = argument_pointers.data(),
      .environment = environment_pointers.data(),
      .working_directory = program.working_directory ? program.working_directory->c_str() : nullptr,
      .descriptors = descriptors,
      .cgroup_procs = program.cgroup_procs,
      .new_session = program.new_session,
      .dies_with_parent_thread = program.dies_with_parent_thread,
  });
  if (result.error != 0)
    throw SpawnError(result.stage, result.error, what_failed(result.stage, program));
  return {result.pid, platform::Pidfd(std::move(result.pidfd))};
}

std::vector<std::string> make_environment(
    const std::vector<std::string>& base,
    const std::vector<std::pair<std::string, std::string>>& added,
    const std::vector<std::string>& removed) {
  const auto replaced = [&](std::string_view entry) {
    const auto name = entry.substr(0, entry.find('='));
    return std::ranges::count(removed, name) != 0 ||
           std::ranges::count(added, name, &std::pair<std::string, std::string>::first) != 0;
  };
  std::vector<std::string> environment;
  std::ranges::remove_copy_if(base, std::back_inserter(environment), replaced);
  for (const auto& [name, value] : added) environment.emplace_back(name).append("=").append(value);
  return environment;
}

}  // namespace bulkhead::process
