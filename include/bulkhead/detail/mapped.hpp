// The answers to a range of requests, in order, as a range: what Caller::map gives.
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "bulkhead/future.hpp"
#include "bulkhead/run_options.hpp"

namespace bulkhead::detail {

// A range as it was given: one that others have, or its own. (std::views::all would be that, but
// Clang 14 cannot compile it with the library of GCC 12.)
template <class Range>
class GivenRange {
 public:
  explicit GivenRange(Range&& range) : range_(std::move(range)) {}
  Range& operator*() { return range_; }

 private:
  Range range_;
};
template <class Range>
class GivenRange<Range&> {
 public:
  explicit GivenRange(Range& range) : range_(&range) {}
  Range& operator*() { return *range_; }

 private:
  Range* range_;
};

// `Make` calls one request. Whatever is open when this is destroyed is called off. `Requests`: a
// reference where others have them.
template <class Requests, class Make>
class Calling {
 public:
  using Request = std::ranges::range_value_t<Requests>;
  using Response = typename Request::Response;

  Calling(Requests&& requests, Make make, std::size_t ahead)
      : requests_(std::forward<Requests>(requests)), make_(std::move(make)), ahead_(ahead) {}
  Calling(Calling&& other) noexcept = default;
  Calling& operator=(Calling&&) = delete;
  ~Calling() { stop(); }

  // Empty: there are no more.
  std::optional<Future<Response>> next() {
    fill();
    if (open_.empty()) return std::nullopt;
    Future<Response> first = std::move(open_.front());
    open_.pop_front();
    return first;
  }
  void stop() noexcept {
    for (auto& future : open_) future.cancel();
    open_.clear();
    stopped_ = true;
  }

 private:
  // So that as many are open as may be.
  void fill() {
    if (stopped_) return;
    if (!next_) next_ = std::ranges::begin(*requests_);
    while (open_.size() < ahead_ && *next_ != std::ranges::end(*requests_)) {
      open_.push_back(make_(Request(**next_)));
      ++*next_;
    }
  }

  GivenRange<Requests> requests_;
  Make make_;
  std::size_t ahead_;
  std::optional<std::ranges::iterator_t<Requests>> next_ = {};
  std::deque<Future<Response>> open_ = {};
  bool stopped_ = false;
};

// Each element is `take(future)`; what that throws ends the range.
template <class Requests, class Make, class Take>
class Mapped {
  using All = Calling<Requests, Make>;
  using Response = typename All::Response;

 public:
  using Element = std::invoke_result_t<const Take&, Future<Response>>;

  Mapped(Requests&& requests, Make make, std::size_t ahead, Take take)
      : all_(std::forward<Requests>(requests), std::move(make), ahead), take_(std::move(take)) {}

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Element;

    explicit Iterator(Mapped* range) : range_(range) {}
    Element& operator*() const { return *range_->element_; }
    Element* operator->() const { return &*range_->element_; }
    Iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !range_->element_; }

   private:
    Mapped* range_;
  };

  // Once.
  Iterator begin() {
    advance();
    return Iterator(this);
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    element_.reset();
    try {
      if (auto future = all_.next()) element_.emplace(take_(std::move(*future)));
    } catch (...) {
      all_.stop();
      throw;
    }
  }

  All all_;
  Take take_;
  std::optional<Element> element_ = {};
};

}  // namespace bulkhead::detail
