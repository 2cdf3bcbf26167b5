// The app's side of a Stream: items that are sent are to come back, in order, each by an
// asynchronous operation, while the worker waits within its handler.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>

namespace bulkhead::test {

class Conversation {
 public:
  enum class End : std::uint8_t {
    complete,  // all came back, and then the end
    cut,       // one of the ends was gone before
    wrong,     // see what(), as below
    overdue    // nothing has moved for as long as the watchdog watches
  };

  Conversation(std::uint64_t number, Sender<std::string> out, Receiver<std::string> in)
      : number_(number), out_(std::move(out)), in_(std::move(in)) {}

  // So many bursts of as many items each as the channels hold. Some streams have items that are
  // larger than the channel's memory: of those it holds one.
  static constexpr std::size_t capacity = 4;
  End hold(std::size_t bursts);
  std::size_t items() const { return came_back_; }
  const std::string& what() const { return what_; }

 private:
  End burst();
  End ends(End how, std::string what);
  std::string item(std::size_t index) const;

  static constexpr std::size_t small = 100, large = 150'000;
  const std::uint64_t number_;
  const std::size_t item_size_ = number_ % 4 ? small : large;
  Sender<std::string> out_;
  Receiver<std::string> in_;
  std::size_t sent_ = 0, came_back_ = 0;
  std::string what_;
};

}  // namespace bulkhead::test
