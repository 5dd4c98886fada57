// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/report.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "agent/mapping/deflate.hpp"
#include "agent/mapping/messages.hpp"

namespace nearside::mapping {
namespace {

report usual() {
  report r;
  r.servers = {"fra1", "sin1"};
  r.figures = {{0, 4, "up", 12.25, 0, 0.5}, {1, 4, "down", std::nullopt, 1, 3}, {0, 6, "unknown", 12.34, 0.125, 17.5}};
  r.answers = {{{"www.lb.example.com.", "api.lb.example.com."}, 4, 20, {0, 1}}, {{"www.lb.example.com."}, 6, 5, {}}};
  return r;
}

const std::string usual_text =
    R"({"edge":"e17.ns.lb.example.com.","sequence":17,"servers":["fra1","sin1"],)"
    R"("figures":[[0,4,"up",12.25,0,0.5],[1,4,"down",null,1,3],[0,6,"unknown",12.34,0.125,17.5]],)"
    R"("answers":[{"names":["www.lb.example.com.","api.lb.example.com."],"family":4,"ttl":20,"rank":[0,1]},)"
    R"({"names":["www.lb.example.com."],"family":6,"ttl":5,"rank":[]}]})";

std::string with(const std::string& part, const std::string& other) {
  std::string text = usual_text;
  const auto found = text.find(part);
  REQUIRE(found != std::string::npos);
  return text.replace(found, part.size(), other);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += (i == 0 ? "" : ",") + text;
  return all;
}

TEST_CASE("a report is read as it is written", "[mapping][report]") {
  CHECK(to_json(usual(), "e17.ns.lb.example.com.", 17) == usual_text);
  const auto read = parse_report(usual_text);
  REQUIRE(read.has_value());
  CHECK(read->edge == "e17.ns.lb.example.com.");
  CHECK(read->sequence == 17);
  CHECK(read->content == usual());
}

TEST_CASE("figures are written no finer than they are measured", "[mapping][report]") {
  report r;
  r.servers = {"fra1"};
  r.figures = {{0, 4, "up", 12.34567, 0.12345, 0.04}, {0, 6, "up", 1e-9, 1e-9, 1234567.89}};
  const std::string text = to_json(r, "e1.example.", 1);
  CHECK(text.find(R"([[0,4,"up",12.35,0.123,0],[0,6,"up",0,0,1234567.9]])") != std::string::npos);
}

TEST_CASE("a report without servers and names is one", "[mapping][report]") {
  const auto read = parse_report(to_json({}, "e1.example.", 1));
  REQUIRE(read.has_value());
  CHECK(read->content == report{});
}

TEST_CASE("members and columns that are not known are ignored", "[mapping][report]") {
  CHECK(parse_report(with("{\"edge\"", R"({"later":[],"edge")"))->content == usual());
  CHECK(parse_report(with("12.25,0,0.5]", R"(12.25,0,0.5,"later"])"))->content == usual());
}

TEST_CASE("an error of a report names the member", "[mapping][report]") {
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {R"("sequence":17)", R"("sequence":17.5)", "sequence: expected an integer from 1 to 9007199254740991"},
      {R"("sin1")", R"("")", "servers[1]: expected a string of 1 to 255 octets without control characters"},
      {R"("sin1")", "\"" + std::string(256, 's') + "\"",
       "servers[1]: expected a string of 1 to 255 octets without control characters"},
      {R"("sin1")", R"("sin\n1")", "servers[1]: expected a string of 1 to 255 octets without control characters"},
      {"[1,4,", "[2,4,", "figures[1][0]: expected an integer from 0 to 1"},
      {"[1,4,", "[1.0,4,", "figures[1][0]: expected an integer from 0 to 1"},
      {"[1,4,", "[1,5,", "figures[1][1]: expected 4 or 6"},
      {R"("down")", R"("asleep")", "figures[1][2]: expected \"up\", \"down\" or \"unknown\""},
      {"12.25", "-0.5", "figures[0][3]: expected a number from 0 to 60000"},
      {"12.25", "60000.5", "figures[0][3]: expected a number from 0 to 60000"},
      {"12.25", "1e999", "figures[0][3]: expected a number from 0 to 60000"},
      {"null,1,3", "null,1.01,3", "figures[1][4]: expected a number from 0 to 1"},
      {"null,1,3", "null,1,-3", "figures[1][5]: expected a number from 0 to 1000000000"},
      {"[1,4,\"down\",null,1,3]", "[1,4]", "figures[1]: expected an array of 6 or more"},
      {"[1,4,\"down\",null,1,3]", "{}", "figures[1]: expected an array of 6 or more"},
      {R"("family":6)", R"("family":7)", "answers[1].family: expected an integer from 4 to 6"},
      {R"("family":6)", R"("family":5)", "answers[1].family: expected 4 or 6"},
      {R"("ttl":5)", R"("ttl":172801)", "answers[1].ttl: expected an integer from 0 to 172800"},
      {R"("api.lb.example.com.")", R"("api..example.com.")", "answers[0].names[1]: expected a domain name"},
      {R"(["www.lb.example.com."],"family":6)", R"([],"family":6)", "answers[1].names: expected an array of 1 or more"},
      {R"("rank":[0,1])", R"("rank":[0,2])", "answers[0].rank[1]: expected an integer from 0 to 1"},
      {R"("rank":[0,1])", R"("rank":[0,0])", "answers[0].rank[1]: expected each server once"},
      {R"("rank":[0,1])", R"("rank":[0,1],"shares":[1000])", "answers[0].shares: expected an array of 2 or more"},
      {R"("rank":[0,1])", R"("rank":[0,1],"shares":[1001,0])",
       "answers[0].shares[0]: expected an integer from 0 to 1000"},
      {R"("servers":["fra1","sin1"])", R"("servers":[])", "figures: at most 0 are taken"},
      {R"("figures":)", R"("figure":)", "figures: expected an array"}};
  for (const auto& [part, other, said] : cases) {
    CAPTURE(part, other);
    const auto read = parse_report(with(part, other));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message == said);
  }
  CHECK(parse_report(
            R"({"edge":"e.","sequence":1,"servers":[],"figures":[],"answers":[{"names":["w."],"family":4,"ttl":1,)"
            R"("rank":[0]}]})")
            .error()
            .message == "answers[0].rank[0]: expected the number of a server, of which there are none");
}

TEST_CASE("a report beyond its bounds is too large", "[mapping][report]") {
  const auto too_large = [](const std::string& text, const std::string& said) {
    const auto read = parse_report(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == error{errc::exhausted, said});
    CHECK(refusal_of(read.error()) == refusal::too_large);
  };
  CHECK(parse_report(with(R"("sin1")", repeated(R"("s")", 4095))).has_value());
  too_large(with(R"("sin1")", repeated(R"("s")", 4096)), "servers: at most 4096 are taken");
  too_large(with("[1,4,", "[1,4,\"up\",1,0,0],[1,6,\"up\",1,0,0],[1,4,"), "figures: at most 4 are taken");
  CHECK(parse_report(with(R"(,"api.lb.example.com.")", "," + repeated(R"("a.example.")", 999))).has_value());
  too_large(with(R"(,"api.lb.example.com.")", "," + repeated(R"("a.example.")", 1000)),
            "answers[0].names: at most 1000 are taken");
  // Not in small portions either.
  const std::string more = R"({"names":[)" + repeated(R"("a.example.")", 999) + R"(],"family":4,"ttl":1,"rank":[]})";
  too_large(with(R"("answers":[)", R"("answers":[)" + more + ","), "answers[1].names: at most 1000 are taken");

  report wide;
  wide.answers.push_back({{"www.example."}, 4, 1, std::vector<std::uint32_t>(65)});
  wide.servers.resize(65, "s");
  std::iota(wide.answers[0].rank.begin(), wide.answers[0].rank.end(), 0U);
  too_large(to_json(wide, "e.", 1), "answers[0].rank: at most 64 are taken");
  wide.answers[0].rank.pop_back();
  CHECK(parse_report(to_json(wide, "e.", 1)).has_value());
  too_large(usual_text + std::string(most_inflated, ' '),
            "a message of " + std::to_string(usual_text.size() + most_inflated) + " octets; at most 1048576 are taken");
}

TEST_CASE("a report of 100 names and 20 servers is less than 4 KiB on the wire", "[mapping][report]") {
  std::mt19937 random(4);
  const auto parts = [&](unsigned most, double of) { return static_cast<double>(random() % most) / of; };
  report r;
  for (int i = 0; i < 20; ++i) r.servers.push_back("server-" + std::to_string(i) + ".fra");
  for (std::uint32_t i = 0; i < 20; ++i)
    for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}})
      r.figures.push_back(
          {i, family, i % 7 == 0 ? "down" : "up", parts(30'000, 100), parts(1000, 1000), parts(100, 10)});
  // Every name has an order of its own: that of the delays, where a few servers have changed places.
  std::vector<std::uint32_t> nearest(20);
  std::iota(nearest.begin(), nearest.end(), 0U);
  std::shuffle(nearest.begin(), nearest.end(), random);
  for (int n = 0; n < 100; ++n) {
    std::vector<std::uint32_t> rank = nearest;
    for (int moved = 0; moved < 3; ++moved) std::swap(rank[random() % 20], rank[random() % 20]);
    for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}})
      r.answers.push_back({{"name-" + std::to_string(n) + ".lb.example.com."}, family, 20, rank});
  }
  const std::string text = to_json(r, "e17.ns.lb.example.com.", 1'800'000'000'000'000);
  const auto sent = deflate(text);
  REQUIRE(sent.has_value());
  CAPTURE(text.size(), sent->size());
  CHECK(sent->size() < 4096);
  const auto read = parse_report(inflate(*sent, most_inflated).value());
  REQUIRE(read.has_value());
  CHECK(read->content == r);
}

}  // namespace
TEST_CASE("a report says how often each server of a rank stands first", "[mapping][report]") {
  report told{{"fra1", "lon1"}, {}, {{{"www.lb.example.com."}, 4, 20, {1, 0}, {750, 250}}}};
  const auto read = parse_report(to_json(told, "e1.example.", 7));
  REQUIRE(read.has_value());
  CHECK(read->content == told);
}

}  // namespace nearside::mapping
