// The contract between the program and its module.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

struct Twice {
  using Response = int;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
};

struct Crash {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

struct WhoServes {
  using Response = std::string;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Numbers : bulkhead::Service<"numbers", Twice, Crash, WhoServes> {};

inline int twice(const Twice& request) { return 2 * request.number; }
inline void crash(const Crash&) { std::abort(); }
inline std::string who_serves(const WhoServes&) {
  return std::filesystem::read_symlink("/proc/self/exe");
}
