#include <bulkhead/bulkhead.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>

struct PortOf {  // a request, and the type of its answer
  using Response = int;
  std::string address;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(address);
  }
};

struct Addresses : bulkhead::Service<"addresses", PortOf> {};

// Without a colon in the address this reads from nowhere.
int port_of(const PortOf& r) { return std::atoi(std::strchr(r.address.c_str(), ':') + 1); }

int main() {
  bulkhead::serve_if_worker<Addresses>(port_of);  // a worker stays in here
  bulkhead::Pool<Addresses> pool{{.workers = 2}};
  for (const char* address : {"debian.org:443", "localhost", "example.org:8080"}) {
    try {
      const int port = pool.run(PortOf{address}).get();
      std::cout << address << " has port " << port << '\n';
    } catch (const bulkhead::Error& error) {  // the worker crashed, this process did not
      std::cout << error.what() << '\n';
    }
  }
}
