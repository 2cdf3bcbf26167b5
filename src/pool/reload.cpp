#include "pool/reload.hpp"

#include <utility>

namespace bulkhead::pool {

void Reload::begin() {
  stage_ = Stage::launching;
  taken_over_ = false;
}

void Reload::serves() {
  if (stage_ == Stage::launching) stage_ = Stage::clearing;
}

Reload::Act Reload::ready() {
  if (stage_ != Stage::starting) return Act::nothing;
  stage_ = Stage::clearing;
  return std::exchange(taken_over_, true) ? Act::nothing : Act::take_over;
}

bool Reload::failed() { return std::exchange(stage_, Stage::idle) != Stage::idle; }

Reload::Act Reload::look(const View& view) {
  if (stage_ != Stage::clearing || view.leaving) return Act::nothing;
  // Nobody has to go before the new program has shown that it works.
  if (taken_over_ && view.surplus) return Act::retire;
  if (!taken_over_ || view.old_workers) {
    stage_ = Stage::starting;
    return Act::start;
  }
  if (view.old_servers) return Act::nothing;
  stage_ = Stage::idle;
  return Act::done;
}

}  // namespace bulkhead::pool
