// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/replay.hpp"

#include <catch2/catch.hpp>

#include "agent/score/recording.hpp"
#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

const std::string start =
    R"({"type":"start","isps":["isp0","isp1"],"servers":["a","b"],"interval_s":5.0,"timeout_s":1.0,"rechecks":2,"ttl_s":20.0})";

std::string sample_of(const std::string& isp, const std::string& server, double t, double first_byte) {
  return R"({"type":"sample","t":)" + fixed(t) + R"(,"isp":")" + isp + R"(","server":")" + server +
         R"(","ok":true,"first_byte_ms":)" + fixed(first_byte) + R"(,"reason":""})";
}
std::string failure_of(const std::string& isp, const std::string& server, double t, const std::string& reason) {
  return R"({"type":"sample","t":)" + fixed(t) + R"(,"isp":")" + isp + R"(","server":")" + server +
         R"(","ok":false,"first_byte_ms":null,"reason":")" + reason + R"("})";
}

struct told {
  std::vector<std::string> lines;
  replay through;
  explicit told(replay_settings settings = {})
      : through(std::move(settings), [this](const std::string& line) { lines.push_back(line); }) {}
  void feed(const std::string& line) {
    const auto done = through.feed(line);
    REQUIRE(done.has_value());
  }
};

TEST_CASE("a replay tells each change of an answer with the t of the sample that decided", "[score][replay]") {
  told t;
  t.feed(start);
  t.feed(sample_of("isp0", "a", 0.5, 20));
  t.feed(sample_of("isp0", "b", 1.25, 40));
  t.feed(sample_of("isp1", "a", 1.5, 90));
  t.feed(sample_of("isp1", "b", 2, 30));
  CHECK(t.lines == std::vector<std::string>{R"({"t":0.5,"isp":"isp0","server":"a","ttl":3})",
                                            R"({"t":1.25,"isp":"isp0","server":"a","ttl":20})",
                                            R"({"t":1.5,"isp":"isp1","server":"a","ttl":3})",
                                            R"({"t":2,"isp":"isp1","server":"b","ttl":20})"});
  t.lines.clear();
  t.feed(failure_of("isp0", "a", 6, "timeout"));
  t.feed(failure_of("isp0", "a", 7.001, "timeout"));
  CHECK(t.lines == std::vector<std::string>{R"({"t":6,"isp":"isp0","server":"a","ttl":3})",
                                            R"({"t":7.001,"isp":"isp0","server":"b","ttl":20})"});
  const auto ended = t.through.feed(R"({"type":"end"})");
  REQUIRE(ended.has_value());
  CHECK_FALSE(*ended);
}

TEST_CASE("a policy with several answers tells weights", "[score][replay]") {
  fixture given(2, policy::weighted);
  given.usual.members[1].weight = 2;
  replay_settings settings;
  settings.by = given.usual;
  settings.targets = given.targets;
  told t(settings);
  t.feed(start);
  t.feed(sample_of("isp0", "a", 1, 20));
  t.feed(sample_of("isp0", "b", 2, 20));
  CHECK(t.lines.back() == R"({"t":2,"isp":"isp0","weights":{"a":1,"b":2},"ttl":20})");
}

TEST_CASE("--why adds the trace", "[score][replay]") {
  replay_settings settings;
  settings.why = true;
  told t(settings);
  t.feed(start);
  t.feed(sample_of("isp0", "a", 1, 20));
  CHECK(t.lines.back().find(R"("why":{"outcome":"policy latency among 1 eligible")") != std::string::npos);
}

TEST_CASE("a line that makes no sense is an error that names what was expected", "[score][replay]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"nonsense", "expected a JSON object"},
      {R"({"type":"sampel"})", "expected \"type\" to be start, sample or end"},
      {start, "start: there was one before"},
      {sample_of("isp9", "a", 20, 1), "sample: \"isp\": none of those of the start"},
      {sample_of("isp0", "z", 20, 1), "sample: \"server\": none of those of the start"},
      {sample_of("isp0", "a", 1, 1), "sample: \"t\" runs backwards"},
      {failure_of("isp0", "a", 20, ""), "sample: \"reason\": expected the reason of the failure"},
      {R"({"type":"sample","t":20,"isp":"isp0","server":"a","ok":true})",
       "sample: \"first_byte_ms\": expected the milliseconds of a sample that is ok"}};
  for (const auto& [line, message] : cases) {
    told t;
    t.feed(start);
    t.feed(sample_of("isp0", "a", 10, 20));
    const auto done = t.through.feed(line);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message == message);
  }
  told t;
  CHECK(t.through.feed(sample_of("isp0", "a", 1, 1)).error().message == "a sample before the start");
}

TEST_CASE("as many ISPs and servers as are allowed cost nothing until they have samples", "[score][replay]") {
  std::string isps;
  std::string servers;
  for (int i = 0; i < 10'000; ++i) isps += (i == 0 ? "\"i" : ",\"i") + std::to_string(i) + "\"";
  for (int i = 0; i < 255; ++i) servers += (i == 0 ? "\"s" : ",\"s") + std::to_string(i) + "\"";
  told t;
  t.feed(R"({"type":"start","isps":[)" + isps + R"(],"servers":[)" + servers + "]}");
  t.feed(sample_of("i9999", "s254", 1, 20));
  CHECK(t.lines.size() == 1);
}

TEST_CASE("what the agent writes down is what a replay reads", "[score][replay][recording]") {
  const fixture given(2);
  told t;
  t.feed(start_line("e17", given.targets, 5, 0.5, 2, std::chrono::seconds(30)));
  t.feed(sample_line(0.25, "e17", "a", ok(0.25, 12.3456)));
  t.feed(sample_line(1.5, "e17", "b", bad(1.5, "http 503")));
  t.feed(sample_line(2.5, "e17", "b", ok(2.5, 40)));
  CHECK(t.lines.back() == R"({"t":2.5,"isp":"e17","server":"a","ttl":30})");
  CHECK_FALSE(*t.through.feed(end_line()));
}

}  // namespace
}  // namespace nearside::score
