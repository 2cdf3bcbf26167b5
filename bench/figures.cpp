#include "figures.hpp"

#include <cstdio>
#include <iomanip>
#include <sstream>

namespace bulkhead::bench {

void Figures::set(const std::string& column, const std::string& row, double value) {
  std::ostringstream json;
  json << std::setprecision(6) << value;
  columns_[column][row] = json.str();
}

void Figures::set(const std::string& column, const std::string& row, const std::string& text) {
  std::ostringstream json;
  json << std::quoted(text);
  columns_[column][row] = json.str();
}

void Figures::set(const std::string& column, const std::string& row, const Curve& curve) {
  std::ostringstream json;
  const char* before = "{";
  for (const auto& [number, value] : curve) {
    json << before << '"' << number << "\": " << std::setprecision(6) << value;
    before = ", ";
  }
  json << "}";
  columns_[column][row] = json.str();
}

void Figures::set_beside(const std::string& row, double ours, double floor) {
  set("ours", row, ours);
  set("floor", row, floor);
}

void Figures::print() const {
  const char* before_column = "{";
  for (const auto& [column, rows] : columns_) {
    std::printf("%s\"%s\": {", before_column, column.c_str());
    const char* before_row = "";
    for (const auto& [row, json] : rows) {
      std::printf("%s\"%s\": %s", before_row, row.c_str(), json.c_str());
      before_row = ", ";
    }
    std::printf("}");
    before_column = ",\n ";
  }
  std::printf("}\n");
}

}  // namespace bulkhead::bench
