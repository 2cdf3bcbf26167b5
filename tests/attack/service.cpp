#include "attack/service.hpp"

#include <algorithm>

#include "attack/attacker.hpp"
#include "support/numbered.hpp"

namespace bulkhead::attack {

Load load_of(std::uint64_t number, std::size_t size, MutableBytes blob) {
  return {number, test::data_of(number, size), std::vector(size / 4, static_cast<float>(number)),
          blob.size() > 0 ? test::blob_of(number, std::move(blob)) : Bytes()};
}

bool is_load_of(std::uint64_t number, const Load& load) {
  const auto is_it = [&](float value) { return value == static_cast<float>(number); };
  return load.number == number && load.text == test::data_of(number, load.text.size()) &&
         std::all_of(load.numbers.begin(), load.numbers.end(), is_it) &&
         test::is_blob_of(number, load.blob);
}

void serve_if_worker() {
  bulkhead::serve_if_worker<Hostile>(
      ServeOptions{.threads = 2, .warm_up = prepare},
      [](Carry request) { return std::move(request.load); },
      [](Stream stream) {
        while (const auto item = stream.in.receive()) stream.out.send(*item);
      },
      [](const Attack& request, Context& context) { attack(request, context); });
}

}  // namespace bulkhead::attack
