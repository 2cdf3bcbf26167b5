// What a program has measured: a value or a curve for each row, in columns: "ours", "floor", a
// peer's name.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bulkhead::bench {

// How a figure changes with a number, such as that of the workers: value by number.
using Curve = std::vector<std::pair<unsigned, double>>;

class Figures {
 public:
  // Each row once: the unit is in its name.
  void set(const std::string& column, const std::string& row, double value);
  void set(const std::string& column, const std::string& row, const std::string& text);
  void set(const std::string& column, const std::string& row, const Curve& curve);
  void set_beside(const std::string& row, double ours, double floor);

  // One JSON object: {column: {row: value}}.
  void print() const;

 private:
  std::map<std::string, std::map<std::string, std::string>> columns_;  // as JSON
};

}  // namespace bulkhead::bench
