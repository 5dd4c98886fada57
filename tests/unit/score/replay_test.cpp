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

TEST_CASE("a time-out, an unreachable network and a lost probe cost less than an answer that is an error",
          "[score][replay]") {
  for (const char* reason : {"timeout: connect", "unreachable", "lost"})
    CHECK(outcome_of_failure(reason) == outcome::lost);
  for (const char* reason : {"refused", "http 503", "tls: certificate expired", ""})
    CHECK(outcome_of_failure(reason) == outcome::failed);
}

TEST_CASE("a replay takes interval and TTL of the recording, and the connect time where there is one",
          "[score][replay]") {
  replay_settings settings;
  settings.why = true;
  settings.health.rise = 4;
  told t(settings);
  t.feed(R"({"type":"start","isps":["isp0"],"servers":["a"],"interval_s":1.5,"ttl_s":9})");
  t.feed(R"({"type":"sample","t":0,"isp":"isp0","server":"a","ok":true,"first_byte_ms":20,"connect_ms":7.5})");
  CHECK(t.lines.back().find(R"("srtt_ms":7.5E0)") != std::string::npos);
  CHECK(t.lines.back().find(R"("ttl":9)") != std::string::npos);
  const auto refused = [](const std::string& ttl) {
    return told().through.feed(R"({"type":"start","isps":["i"],"servers":["a"],"ttl_s":)" + ttl + "}").has_error();
  };
  CHECK(refused("0.5"));
  CHECK(refused("200000"));
  CHECK(refused("\"20\""));
  CHECK_FALSE(refused("1"));
}

TEST_CASE("a TTL below the usual least one is told as it is", "[score][replay]") {
  told t;
  t.feed(R"({"type":"start","isps":["isp0"],"servers":["a"],"ttl_s":2})");
  t.feed(failure_of("isp0", "a", 1, "timeout"));
  CHECK(t.lines.back() == R"({"t":1,"isp":"isp0","server":"a","ttl":2})");
}

TEST_CASE("NODATA, SERVFAIL and fallbacks have a form, and IPv6 is told apart", "[score][replay]") {
  fixture given(1, policy::failover);
  given.with_ipv6();
  given.usual.families[0].fallbacks = 1;
  given.usual.rules.all_down = all_down_rule::fallback;
  replay_settings settings;
  settings.by = given.usual;
  settings.targets = given.targets;
  told t(settings);
  t.feed(R"({"type":"start","isps":["isp0"],"servers":["a","a/ipv6","z"]})");
  t.feed(sample_of("isp0", "z", 1, 20));  // of no interest to this pool
  t.feed(sample_of("isp0", "a", 1, 20));
  t.feed(sample_of("isp0", "a/ipv6", 1, 20));
  t.lines.clear();
  for (const double now : {2.0, 3.0}) t.feed(failure_of("isp0", "a/ipv6", now, "timeout"));
  CHECK(t.lines.back() == R"({"t":3,"isp":"isp0","family":"ipv6","server":null,"ttl":3})");
  for (const double now : {4.0, 5.0}) t.feed(failure_of("isp0", "a", now, "timeout"));
  CHECK(t.lines.back() == R"({"t":5,"isp":"isp0","server":"fallback 1","ttl":3})");
}

TEST_CASE("a replay decides by the numbers that it is given", "[score][replay]") {
  replay_settings settings;
  settings.latency.evidence = 10;
  settings.latency.smoothing = 0s;
  settings.health.fall = 1;
  told t(settings);
  t.feed(start);
  t.feed(sample_of("isp0", "a", 0, 20));
  t.feed(sample_of("isp0", "b", 0, 30));
  t.feed(sample_of("isp0", "b", 5, 17));
  CHECK(t.lines.back() == R"({"t":5,"isp":"isp0","server":"b","ttl":20})");
  t.feed(failure_of("isp0", "b", 6, "timeout"));
  CHECK(t.lines.back() == R"({"t":6,"isp":"isp0","server":"a","ttl":20})");
}

TEST_CASE("a start that makes no sense, or lacks a server of the configuration, is an error", "[score][replay]") {
  const auto wrong = [](const std::string& line, replay_settings settings = {}) {
    const auto done = told(std::move(settings)).through.feed(line);
    REQUIRE_FALSE(done.has_value());
    return done.error().message;
  };
  CHECK(wrong(R"({"type":"start","isps":["i"],"servers":["a","a"]})") == "start: \"servers\": \"a\" is given twice");
  CHECK(wrong(R"({"type":"start","isps":[],"servers":["a"]})") ==
        "start: \"isps\": expected an array of 1 to 10000 strings");
  CHECK(wrong(R"({"type":"start","isps":["i"],"servers":[1]})") == "start: \"servers\": expected strings");
  const fixture given(2);
  replay_settings settings;
  settings.by = given.usual;
  settings.targets = given.targets;
  CHECK(wrong(R"({"type":"start","isps":["i"],"servers":["a"]})", settings) ==
        "start: the recording has no server \"b\", which the configuration has");
}

TEST_CASE("several samples may have one t, and none is beyond the range", "[score][replay]") {
  told t;
  t.feed(start);
  t.feed(sample_of("isp0", "a", 1, 20));
  t.feed(sample_of("isp0", "b", 1, 20));
  CHECK(t.through.feed(sample_of("isp0", "a", 2e9, 20)).has_error());
}

TEST_CASE("a recorded sample has its times to the microsecond, and its reason", "[score][recording]") {
  sample s = ok(0, 12.3456789);
  s.connect = ms(4.5);
  CHECK(
      sample_line(1.2345678, "e17", "a", s) ==
      R"({"type":"sample","t":1.234568,"isp":"e17","server":"a","ok":true,"first_byte_ms":12.346,"connect_ms":4.5,"reason":""})");
  CHECK(
      sample_line(2, "e17", "a", bad(2, "http 503")) ==
      R"({"type":"sample","t":2,"isp":"e17","server":"a","ok":false,"first_byte_ms":null,"connect_ms":null,"reason":"http 503"})");
  CHECK(
      start_line("e17", fixture(2).targets, 5, 0.5, 2, std::chrono::seconds(30)) ==
      R"({"type":"start","isps":["e17"],"servers":["a","b"],"interval_s":5,"timeout_s":0.5,"rechecks":2,"ttl_s":30})");
}

}  // namespace
}  // namespace nearside::score
