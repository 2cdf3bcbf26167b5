// What is common to the peers in C++: a program that measures itself, and serves when it is started
// once more for that.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "subject.hpp"

namespace bulkhead::bench {

// A new folder for a peer's socket; removed with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// This program once more, to serve at `address`: until then the constructor waits. Killed by the
// destructor.
class Server {
 public:
  explicit Server(const std::string& address);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

// For that program, once it listens.
void say_listening();

using Serve = std::function<void(const std::string& address)>;  // for ever

// A whole program; PEER and PEER_VERSION are what it is called.
int run_peer(int argc, char** argv, const std::string& name, const std::string& version,
             const StartSubject& start, const Serve& serve);

}  // namespace bulkhead::bench
