#include "attack/service.hpp"

#include <cstring>

#include "attack/attacker.hpp"

namespace bulkhead::attack {

Load load_of(std::uint64_t number, std::size_t size, MutableBytes blob) {
  const auto byte = static_cast<unsigned char>(number);
  if (blob.size() > 0) std::memset(blob.data(), byte, blob.size());
  return {number, std::string(size, static_cast<char>(byte)),
          std::vector<float>(size / 4, static_cast<float>(byte)), Bytes(std::move(blob))};
}

bool is_load_of(std::uint64_t number, const Load& load) {
  const auto byte = static_cast<unsigned char>(number);
  const auto is_it = [&](auto value) { return value == static_cast<decltype(value)>(byte); };
  const auto all = [&](const auto& values) {
    for (const auto value : values)
      if (!is_it(value)) return false;
    return true;
  };
  return load.number == number && all(load.text) && all(load.numbers) &&
         all(std::span(reinterpret_cast<const unsigned char*>(load.blob.data()), load.blob.size()));
}

void serve_if_worker() {
  bulkhead::serve_if_worker<Hostile>(
      ServeOptions{.threads = 2}, [](Carry request) { return std::move(request.load); },
      [](Stream stream) {
        while (const auto item = stream.in.receive()) stream.out.send(*item);
      },
      [](const Attack& request, Context& context) { attack(request, context); });
}

}  // namespace bulkhead::attack
