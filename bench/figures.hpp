// What a program has measured: a value for each row, in columns: "ours", "floor", a peer's name.
#pragma once

#include <map>
#include <string>

namespace bulkhead::bench {

class Figures {
 public:
  // Each row once: the unit is in its name.
  void set(const std::string& column, const std::string& row, double value);
  void set(const std::string& column, const std::string& row, const std::string& text);
  void set_beside(const std::string& row, double ours, double floor);

  // One JSON object: {column: {row: value}}.
  void print() const;

 private:
  std::map<std::string, std::map<std::string, std::string>> columns_;  // as JSON
};

}  // namespace bulkhead::bench
