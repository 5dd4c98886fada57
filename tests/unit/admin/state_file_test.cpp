// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/state_file.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "unit/score/fixture.hpp"

namespace nearside::admin {
namespace {

using score::at;

/// `seconds` of the agent's clock, while the calendar shows a million seconds more.
moment moment_at(double seconds, double ahead = 1e6) {
  return {at(seconds),
          std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
              std::chrono::duration<double>(seconds + ahead)))};
}

score::memory usual() {
  score::memory known;
  auto& target = known.targets["http|192.0.2.80"];
  target.state = score::standing::down;
  target.since = at(90);
  target.falls = {at(50), at(90)};
  target.rtt = std::pair(score::ms(20), score::ms(3));
  target.smoothed = 41.5;
  target.deviation = 2;
  target.penalty = 300;
  target.reason = "http 503";
  known.serving["pool|0"] = "fra1";
  score::order_of_operator order{score::administrative::drain, "ops", "disk", at(80), at(200)};
  known.orders["ams1"] = order;
  known.answers_end["fra1"] = at(115);
  return known;
}

/// A directory of its own, removed at the end.
struct scratch {
  std::filesystem::path path;
  scratch() {
    std::string pattern = std::filesystem::temp_directory_path() / "nearside-state-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~scratch() { std::filesystem::remove_all(path); }
};

TEST_CASE("what is kept is read back, with times counted in the reader's clock", "[admin][state]") {
  const auto text = print_state(usual(), moment_at(100));
  // Another process, whose clock began elsewhere, ten seconds of the calendar later.
  const auto read = parse_state(text, {at(5), moment_at(110).calendar});
  REQUIRE(read.has_value());
  const auto& target = read->targets.at("http|192.0.2.80");
  CHECK(target.state == score::standing::down);
  CHECK(score::seconds_of(at(5) - target.since) == Approx(20).margin(0.001));
  CHECK(target.falls.size() == 2);
  CHECK(score::seconds_of(at(5) - target.falls.front()) == Approx(60).margin(0.001));
  CHECK(target.rtt->first == score::ms(20));
  CHECK(target.rtt->second == score::ms(3));
  CHECK(*target.smoothed == 41.5);
  CHECK(target.deviation == 2);
  CHECK(target.penalty == 300);
  CHECK(target.reason == "http 503");
  CHECK(read->serving.at("pool|0") == "fra1");
  const auto& order = read->orders.at("ams1");
  CHECK(order.state == score::administrative::drain);
  CHECK(order.owner == "ops");
  CHECK(order.reason == "disk");
  CHECK(score::seconds_of(at(5) - order.since) == Approx(30).margin(0.001));
  CHECK(score::seconds_of(*order.until - at(5)) == Approx(90).margin(0.001));
  CHECK(score::seconds_of(read->answers_end.at("fra1") - at(5)) == Approx(5).margin(0.001));
}

TEST_CASE("a calendar that was set back makes nothing younger than now", "[admin][state]") {
  const auto text = print_state(usual(), moment_at(100));
  const auto read = parse_state(text, {at(5), moment_at(40).calendar});
  REQUIRE(read.has_value());
  CHECK(read->targets.at("http|192.0.2.80").since == at(5));
}

TEST_CASE("what is no state file is an error, never half a memory", "[admin][state]") {
  const std::string good = print_state(usual(), moment_at(100));
  for (
      const std::string& text :
      {std::string(), std::string("[]"), std::string("{}"), good.substr(0, good.size() / 2),
       std::string(R"({"format":2,"targets":{},"serving":{},"orders":{},"answers_end":{}})"),
       std::string(
           R"({"format":1,"targets":{"x":{"state":"up","since":1e300,"falls":[],"reason":""}},"serving":{},"orders":{},"answers_end":{}})")}) {
    const auto read = parse_state(text, moment_at(100));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == errc::invalid);
  }
}

TEST_CASE("a state file is written with its directory, and replaced whole", "[admin][state]") {
  const scratch here;
  const auto file = here.path / "deep" / "state.json";
  CHECK(load_state(file, moment_at(100))->targets.empty());
  for (const bool durable : {false, true}) {
    REQUIRE(save_state(file, usual(), moment_at(100), durable).has_value());
    CHECK(load_state(file, moment_at(100))->targets.size() == 1);
  }
  CHECK_FALSE(std::filesystem::exists(file.string() + ".new"));
  std::ofstream(file) << "{";
  const auto broken = load_state(file, moment_at(100));
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().message.find(file.string()) != std::string::npos);
}

TEST_CASE("a directory that cannot be made is named", "[admin][state]") {
  const scratch here;
  std::ofstream(here.path / "file") << "x";
  const auto kept = save_state(here.path / "file" / "state.json", usual(), moment_at(100), false);
  REQUIRE_FALSE(kept.has_value());
  CHECK(kept.error().message.find((here.path / "file").string()) != std::string::npos);
}

TEST_CASE("each thing that an operator can say is kept, with or without an end", "[admin][state]") {
  score::memory known;
  for (const auto state : {score::administrative::up, score::administrative::down, score::administrative::drain})
    known.orders[std::string(score::text_of(state))] = {state, "ops", "disk", at(80), std::nullopt};
  const auto read = parse_state(print_state(known, moment_at(100)), moment_at(100));
  REQUIRE(read.has_value());
  REQUIRE(read->orders.size() == 3);
  for (const auto& [name, order] : read->orders) {
    CHECK(score::text_of(order.state) == name);
    CHECK_FALSE(order.until);
  }
}

}  // namespace
}  // namespace nearside::admin
