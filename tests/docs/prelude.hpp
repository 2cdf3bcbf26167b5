// What the pieces of code in the pages build on: the service of the README, and things to look at.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

struct PortOf {
  using Response = int;
  std::string address;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(address);
  }
};

struct Addresses : bulkhead::Service<"addresses", PortOf> {};

int port_of(const PortOf&);
void load_table();
void open_log();
void close_log();

extern bulkhead::Pool<Addresses> pool;
extern const std::vector<std::string> names;
