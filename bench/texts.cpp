// What large strings cost, there and back.
#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {

void measure_texts(Figures& figures, Effort effort) {
  auto worker = our_worker();
  const unsigned of_1mib = effort.times(2'000, 100), of_64mib = effort.times(30, 3);
  const double small = time_text(worker, mib, of_1mib).p50_us();
  figures.set_beside("string_1mib_p50_us", small, 2 * copies(mib, of_1mib).p50_us());
  const double large = time_text(worker, 64 * mib, of_64mib).p50_us();
  const double there_and_back = 2 * copies(64 * mib, of_64mib).p50_us();
  figures.set_beside("string_64mib_p50_us", large, there_and_back);
  figures.set_beside("string_64mib_mb_per_s", mb_per_s_64mib(large),
                     mb_per_s_64mib(there_and_back));
}

}  // namespace bulkhead::bench
