#include "platform/log.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "bulkhead/log.hpp"

TEST_CASE("the application's logger is used as long as it is set") {
  std::ostringstream written;
  auto mine = std::make_shared<spdlog::logger>(
      "mine", std::make_shared<spdlog::sinks::ostream_sink_mt>(written));
  bulkhead::set_logger(mine);
  bulkhead::platform::logger()->warn("told");
  CHECK(written.str().find("told") != std::string::npos);
  CHECK(mine.use_count() == 2);

  bulkhead::set_logger(nullptr);
  CHECK(mine.use_count() == 1);
}

TEST_CASE("a logger that the application has set is kept when the library's own is another one") {
  const auto mine = std::make_shared<spdlog::logger>("mine");
  const auto own = std::make_shared<spdlog::logger>("own");
  const auto before = bulkhead::platform::logger();
  bulkhead::set_logger(mine);
  bulkhead::platform::set_own_logger(own);
  CHECK(bulkhead::platform::logger() == mine);
  bulkhead::set_logger(nullptr);
  CHECK(bulkhead::platform::logger() == own);
  bulkhead::platform::set_own_logger(before);
}

TEST_CASE("the library's own logger keeps out of the application's registry") {
  const auto own = bulkhead::platform::logger();
  CHECK(own->name() == "bulkhead");
  CHECK(own->level() == spdlog::level::warn);
  CHECK(spdlog::get("bulkhead") == nullptr);
}
