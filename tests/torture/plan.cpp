#include "torture/plan.hpp"

#include <algorithm>
#include <random>

namespace bulkhead::torture {

namespace {

using Dice = std::mt19937_64;

// A pool waits longer and longer after deaths that no call explains: so many does one pool bear.
constexpr double patience = 4;
constexpr std::size_t most_orders = 12;

double cost_of(const Order& order) {
  const Point& point = points[order.point];
  switch (point.trigger) {
    case Trigger::load:
      return order.point == find_point("worker.before_claim") ? 1 : 0.3;
    case Trigger::start:
    case Trigger::server_start:
      return 1.5;
    case Trigger::shutdown:
      return 0;
    case Trigger::none:
      return point.victim == Victim::worker ? 0.4 : 1;
  }
  return 1;
}

bool at_shutdown(const Order& order) { return points[order.point].trigger == Trigger::shutdown; }

// Half of all deaths are spread evenly over the points; the others come at random moments, among
// them those that only make a new process start.
std::vector<Order> orders_for(Victim victim, std::size_t total) {
  std::vector<PointIndex> named;
  for (PointIndex at = 0; at < points.size(); ++at)
    if (points[at].victim == victim && points[at].trigger != Trigger::none) named.push_back(at);
  std::vector<Order> orders;
  const std::size_t uses = std::max<std::size_t>(total / 2 / named.size(), 1);
  for (const PointIndex point : named)
    for (std::size_t use = 0; use < uses; ++use)
      orders.push_back({.point = point, .kind = kinds[use % kinds.size()]});
  return orders;
}

std::size_t triggers(const std::vector<Order>& orders, Trigger trigger) {
  return static_cast<std::size_t>(std::count_if(orders.begin(), orders.end(), [&](auto& order) {
    return points[order.point].trigger == trigger;
  }));
}

void fill_up(std::vector<Order>& orders, PointIndex point, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    orders.push_back({.point = point, .kind = kinds[i % 3]});  // nobody can be made to exit
}

std::size_t rest(std::size_t total, std::size_t used) { return total > used ? total - used : 0; }

void shuffle(std::vector<Order>& orders, Dice& dice) {
  std::shuffle(orders.begin(), orders.end(), dice);
  for (Order& order : orders) {
    order.calls_before = dice() % 4 ? static_cast<std::uint32_t>(dice() % 15) : 0;
    order.once_whole = dice() % 2;
  }
}

std::vector<Order> all_orders(const Totals& totals, Dice& dice) {
  auto orders = orders_for(Victim::worker, totals.workers_killed);
  const auto servers = orders_for(Victim::fork_server, totals.fork_servers_killed);
  const std::size_t workers_named = orders.size();
  orders.insert(orders.end(), servers.begin(), servers.end());
  fill_up(orders, random_worker,
          rest(totals.workers_killed, workers_named + triggers(orders, Trigger::start)));
  fill_up(
      orders, random_fork_server,
      rest(totals.fork_servers_killed, servers.size() + triggers(servers, Trigger::server_start)));
  shuffle(orders, dice);
  return orders;
}

Round make_round(std::uint64_t number, std::vector<Order>& left, Dice& dice) {
  Round round{
      .number = number, .seed = dice(), .workers = 1 + dice() % 3, .way = Way::any, .orders = {}};
  if (dice() % 3 == 0) round.spares = 1 + dice() % 2;
  // That of a spare is such a death.
  const double bears = round.spares > 0 ? patience / 2 : patience;
  if (dice() % 3 == 0) round.threads = 2 + static_cast<unsigned>(dice() % 3);
  if (dice() % 3 == 0) round.reloaders = 1 + static_cast<unsigned>(dice() % 2);
  if (dice() % 3 == 0) round.recycled_after = 100 + dice() % 200;
  double cost = 0;
  while (!left.empty() && cost < bears && round.orders.size() < most_orders) {
    const Order next = left.back();
    // A process leaves once.
    const auto leaves_too = [&](const Order& order) {
      return at_shutdown(order) && points[order.point].victim == points[next.point].victim;
    };
    if (at_shutdown(next) && std::any_of(round.orders.begin(), round.orders.end(), leaves_too))
      break;
    const Way way = points[next.point].way;
    if (way != Way::any && round.way != Way::any && way != round.way) break;
    if (way != Way::any) round.way = way;
    left.pop_back();
    round.orders.push_back(next);
    cost += cost_of(next);
  }
  if (round.way == Way::any) round.way = dice() % 4 ? Way::fork : Way::exec;
  std::stable_partition(round.orders.begin(), round.orders.end(),
                        [](const Order& order) { return !at_shutdown(order); });
  const bool shuts_down = !round.orders.empty() && at_shutdown(round.orders.back());
  round.end = shuts_down || dice() % 2 ? Round::End::shutdown : Round::End::destruction;
  const Trigger first = points[round.orders.front().point].trigger;
  round.begins_with_first =
      (first == Trigger::start || first == Trigger::server_start) && dice() % 2;
  return round;
}

}  // namespace

std::vector<Round> make_plan(std::uint64_t seed, const Totals& totals) {
  Dice dice(seed);
  auto left = all_orders(totals, dice);
  std::vector<Round> plan;
  while (!left.empty()) plan.push_back(make_round(plan.size() + 1, left, dice));
  return plan;
}

Round make_extra_round(std::uint64_t seed, std::uint64_t number, std::size_t workers_missing,
                       std::size_t fork_servers_missing) {
  Dice dice(seed + number);
  std::vector<Order> orders;
  fill_up(orders, random_worker, workers_missing);
  fill_up(orders, random_fork_server, fork_servers_missing);
  shuffle(orders, dice);
  return make_round(number, orders, dice);
}

}  // namespace bulkhead::torture
