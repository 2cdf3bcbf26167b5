#include "bulkhead/detail/recycled.hpp"

#include <array>
#include <mutex>
#include <utility>

#include "platform/large_pages.hpp"
#include "platform/unsanitized.hpp"

namespace bulkhead::detail {
namespace {

// A sanitizer is to see each piece come and go.
constexpr bool recycles = !BULKHEAD_SANITIZED;

// Pieces come in sizes of 64, 128, … bytes.
constexpr std::size_t step = 64, largest = 512, sizes = largest / step;

constexpr std::size_t size_index(std::size_t bytes) { return (bytes - (bytes > 0)) / step; }

struct Piece {
  Piece* next;
};

// As many pieces of one size as change hands at once.
class Batch {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == most; }
  void put(void* memory) {
    first_ = ::new (memory) Piece{first_};
    ++count_;
  }
  void* take() {
    Piece* const piece = first_;
    first_ = piece->next;
    --count_;
    return piece;
  }
  void free_all() {
    while (!empty()) ::operator delete(take());
  }

 private:
  static constexpr unsigned most = 32;
  Piece* first_ = nullptr;
  unsigned count_ = 0;
};

// Where threads leave what they have too much of, for those that lack it: calls are often made by
// one thread and ended by another. Never waited for, so that a fork which finds it locked for ever
// goes on without it.
class Depot {
 public:
  bool put(std::size_t size, const Batch& batch) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    Shelf& shelf = shelves_[size];
    if (!lock || shelf.count == shelf.batches.size()) return false;
    shelf.batches[shelf.count++] = batch;
    return true;
  }
  Batch take(std::size_t size) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    Shelf& shelf = shelves_[size];
    return lock && shelf.count > 0 ? shelf.batches[--shelf.count] : Batch();
  }

 private:
  struct Shelf {
    std::array<Batch, 64> batches;
    std::size_t count = 0;
  };
  std::mutex mutex_;
  std::array<Shelf, sizes> shelves_;
};

constinit Depot depot;

// What a thread has at hand: two batches of each size, so that it may take and give by turns
// without going to the depot.
class AtHand {
 public:
  ~AtHand();
  void* take(std::size_t size) {
    Pair& pair = pairs_[size];
    if (pair.used.empty()) refill(pair, size);
    return pair.used.empty() ? ::operator new((size + 1) * step) : pair.used.take();
  }
  void give(void* memory, std::size_t size) {
    Pair& pair = pairs_[size];
    if (pair.used.full()) unload(pair, size);
    pair.used.put(memory);
  }

 private:
  struct Pair {
    Batch used, other;  // the other is full or empty
  };
  [[gnu::noinline]] static void refill(Pair& pair, std::size_t size) {
    std::swap(pair.used, pair.other);
    if (pair.used.empty()) pair.used = depot.take(size);
  }
  [[gnu::noinline]] static void unload(Pair& pair, std::size_t size) {
    std::swap(pair.used, pair.other);
    if (pair.used.full() && !depot.put(size, pair.used)) pair.used.free_all();
    if (pair.used.full()) pair.used = {};
  }

  std::array<Pair, sizes> pairs_;
};

// A plain pointer, because what has a destructor takes longer to reach. Null until the thread first
// needs it, and when it is gone: what ends later on the thread does without.
constinit thread_local AtHand* at_hand = nullptr;
constinit thread_local bool at_hand_is_gone = false;

AtHand::~AtHand() {
  at_hand = nullptr;
  at_hand_is_gone = true;
  for (Pair& pair : pairs_) {
    pair.used.free_all();
    pair.other.free_all();
  }
}

[[gnu::noinline]] AtHand* make_at_hand() {
  if (at_hand_is_gone) return nullptr;
  thread_local AtHand made;
  return at_hand = &made;
}

AtHand* find_at_hand() { return at_hand != nullptr ? at_hand : make_at_hand(); }

}  // namespace

void* take_memory(std::size_t bytes) {
  if (!recycles || bytes > largest) {
    void* const memory = ::operator new(bytes);
    prepare_to_fill(memory, bytes);
    return memory;
  }
  const std::size_t size = size_index(bytes);
  AtHand* const mine = find_at_hand();
  return mine != nullptr ? mine->take(size) : ::operator new((size + 1) * step);
}

void give_memory(void* memory, std::size_t bytes) noexcept {
  AtHand* const mine = recycles && bytes <= largest ? find_at_hand() : nullptr;
  if (mine == nullptr) return ::operator delete(memory);
  mine->give(memory, size_index(bytes));
}

void prepare_to_fill(void* memory, std::size_t bytes) noexcept {
  platform::use_large_pages(memory, bytes);
}

}  // namespace bulkhead::detail
