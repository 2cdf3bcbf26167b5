// Shared memory with a name: the app makes it, a worker opens it, and then the name goes away.
//
// The name is random and nobody else may open it. While it has its name, its maker holds a lock on
// it: what can be locked was left behind by a process that was killed, and is swept by the next
// process that makes one. Process ids would not tell: containers may share the directory.
// All of its memory is taken before it is mapped: a full directory is an error, never a SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "platform/fd.hpp"

namespace boost::interprocess {
class mapped_region;
}

namespace bulkhead::ipc {

class SharedObject {
 public:
  // Nobody's, and not to be guessed.
  static std::string new_name();
  // All zero. std::system_error says what could not be had: the memory (ENOSPC), the directory.
  static SharedObject create(const std::string& name, std::uint64_t bytes);
  // What another process created, whole.
  static SharedObject open(const std::string& name);
  // Removes the name of one that another process created; without it, nothing happens.
  static void remove(const std::string& name) noexcept;
  // Removes every object whose maker is gone. Returns how many. `create` did it once already.
  static std::size_t sweep_stale();

  SharedObject(SharedObject&& other) noexcept;
  SharedObject& operator=(SharedObject&& other) noexcept;
  ~SharedObject();

  // Removes the name of an object that this one created; who has mapped it keeps the memory.
  // The second time does nothing. So does the destructor.
  void unlink() noexcept;

  const std::string& name() const { return name_; }
  std::byte* data() const;
  std::size_t size() const;

 private:
  SharedObject(std::string name, platform::Fd lock,
               std::unique_ptr<boost::interprocess::mapped_region> region);

  std::string name_;
  platform::Fd lock_;  // the lock's, and a sign that the name is ours to remove
  std::unique_ptr<boost::interprocess::mapped_region> region_;
};

}  // namespace bulkhead::ipc
