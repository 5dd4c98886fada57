// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/registrar.hpp"

#include <catch2/catch.hpp>

using namespace nearside::mapping;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using state = registrar::state;

namespace nearside::mapping {
std::ostream& operator<<(std::ostream& out, message_kind kind) { return out << text_of(kind); }
std::ostream& operator<<(std::ostream& out, registrar::state where) { return out << text_of(where); }
}  // namespace nearside::mapping

namespace {

constexpr auto registers = message_kind::registration;
constexpr auto renews = message_kind::renewal;
constexpr auto withdraws = message_kind::withdrawal;
constexpr auto reports = message_kind::report;

registrar_settings usual_settings() {
  registrar_settings settings;
  settings.edge = "e17.ns.lb.example.com.";
  return settings;
}

egress_claim egress(const char* address, const char* label = "nonce1") { return {make_address(address), label, {}}; }

/// `rtt` in milliseconds, of the only server.
std::shared_ptr<report> a_report(double rtt = 10, std::vector<std::uint32_t> rank = {0, 1}) {
  report made{{"fra1", "ams1"}, {}, {}};
  made.figures.push_back({0, 4, "up", rtt, 0, 1});
  made.answers.push_back({{"www.lb.example.com."}, 4, 30, std::move(rank)});
  return std::make_shared<report>(std::move(made));
}

/// An edge, and whoever answers its messages by hand.
struct fixture {
  using time = registrar::time;

  std::optional<registrar::request> next() {
    auto what = one.next({now, wall});
    if (auto* request = std::get_if<registrar::request>(&what)) {
      CHECK(request->sequence > newest);
      newest = request->sequence;
      return std::move(*request);
    }
    finished = std::holds_alternative<registrar::done>(what);
    until.reset();
    if (const auto* wait = std::get_if<registrar::wait>(&what)) until = wait->until;
    return std::nullopt;
  }
  /// What kind of message is due within `most`: time goes on to it, or that far.
  std::optional<message_kind> next_kind(std::chrono::milliseconds most = 0ms) {
    const auto end = now + most;
    for (;;) {
      if (const auto request = next()) {
        body = request->body;
        return request->kind;
      }
      if (!until || *until > end) {
        pass(std::chrono::duration_cast<std::chrono::milliseconds>(end - now));
        return std::nullopt;
      }
      pass(std::chrono::duration_cast<std::chrono::milliseconds>(std::max(*until, now) - now) + 1ms);
    }
  }
  void pass(std::chrono::milliseconds by) {
    now += by;
    wall += by;
  }

  void ok(std::vector<egress_verdict> verdicts = {}, std::chrono::seconds lifetime = 300s) {
    registered answer;
    answer.lifetime = lifetime;
    answer.nonce_zone = "b1.who.lb.example.com.";
    answer.nonce_edge = 17;
    answer.ttl = 60;
    answer.default_servers = {"e17.ns.lb.example.com."};
    answer.egresses = std::move(verdicts);
    one.answered(200, to_json(answer), now);
  }
  void empty_ok() { one.answered(200, "{}", now); }
  void refuse(refusal why, std::optional<std::uint64_t> known = std::nullopt) {
    one.answered(http_status_of(why), to_json(refused{why, "because", known}), now);
  }
  void set(std::vector<egress_claim> egresses) {
    one.set_content({make_address("192.0.2.17")}, std::move(egresses), now);
  }
  /// Registered with one egress, nothing changed.
  void settle() {
    set({egress("203.0.113.1")});
    REQUIRE(next_kind() == registers);
    ok({{make_address("203.0.113.1"), true, ""}});
    REQUIRE(one.where() == state::registered);
    REQUIRE(next_kind() == std::nullopt);
  }

  time now{1h};
  std::chrono::system_clock::time_point wall{std::chrono::sys_days(std::chrono::year(2026) / 7 / 1)};
  sequence_numbers numbers;
  double random = 0.5;
  registrar one{usual_settings(), numbers, [this] { return random; }};
  std::uint64_t newest = 0;
  std::optional<time> until;
  std::string body;
  bool finished = false;
};

}  // namespace

TEST_CASE("nothing is sent before there is an address to register", "[mapping][registrar]") {
  fixture edge;
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.one.where() == state::unregistered);
}

TEST_CASE("an edge that the node does not know registers, and again with the egresses it finds",
          "[mapping][registrar]") {
  fixture edge;
  edge.set({});
  // The node may know us from before a restart: what it knows is not taken away.
  REQUIRE(edge.next_kind() == renews);
  edge.refuse(refusal::unknown_edge);
  REQUIRE(edge.next_kind() == registers);
  CHECK(parse_registration(edge.body, true)->egresses.empty());
  edge.ok();
  CHECK(edge.one.where() == state::registered);
  CHECK(edge.one.answer()->nonce_zone == "b1.who.lb.example.com.");

  const auto found = edge.now;
  edge.set({egress("203.0.113.1")});
  edge.pass(100ms);
  edge.set({egress("203.0.113.1"), egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.now - found <= 600ms);
  const auto sent = parse_registration(edge.body, true).value();
  CHECK(sent.edge == "e17.ns.lb.example.com.");
  CHECK(sent.addresses == std::vector{make_address("192.0.2.17")});
  CHECK(sent.egresses.size() == 2);
  CHECK(sent.egresses[0].nonce == "nonce1");
}

TEST_CASE("an edge that was restarted leaves what the node knows in force until it has found its egresses",
          "[mapping][registrar]") {
  fixture edge;
  edge.set({});
  REQUIRE(edge.next_kind() == renews);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
  edge.pass(200ms);
  edge.set({egress("203.0.113.1")});
  CHECK(edge.next_kind(2s) == std::nullopt);
  edge.set({egress("203.0.113.1"), egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1500ms) == registers);
  CHECK(parse_registration(edge.body, true)->egresses.size() == 2);
}

TEST_CASE("a registration is renewed at a third of its lifetime, with some jitter", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.random = GENERATE(0.0, 0.5, 0.999);
  for (int i = 0; i < 5; ++i) {
    const auto before = edge.now;
    REQUIRE(edge.next_kind(200s) == renews);
    if (i > 0) {
      CHECK(edge.now - before >= 89s);
      CHECK(edge.now - before <= 109s);
    }
    edge.ok();
  }
  CHECK(parse_registration(edge.body, false)->edge == "e17.ns.lb.example.com.");
}

TEST_CASE("the granted lifetime counts, not the one asked for", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok({}, 30s);
  const auto before = edge.now;
  REQUIRE(edge.next_kind(60s) == renews);
  CHECK(edge.now - before <= 11s);
}

TEST_CASE("other nonces and the order of things are no change", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.set({egress("203.0.113.1", "nonce2")});
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("a change is registered within a second", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.pass(10s);
  const auto before = edge.now;
  SECTION("of the addresses") { edge.one.set_content({make_address("192.0.2.18")}, {egress("203.0.113.1")}, edge.now); }
  SECTION("of the egresses") { edge.set({egress("203.0.113.2")}); }
  SECTION("of a distance") {
    auto claim = egress("203.0.113.1");
    claim.rtt = 5ms;
    edge.set({claim});
  }
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.now - before <= 1s);
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("what changes without end is registered all the same, but not more often than twice a second",
          "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  int sent = 0;
  for (int i = 0; i < 100; ++i) {
    edge.set({egress(("203.0.113." + std::to_string(i + 1)).c_str())});
    if (edge.next_kind() == registers) {
      ++sent;
      edge.ok();
    }
    edge.pass(100ms);
  }
  CHECK(sent >= 15);
  CHECK(sent <= 21);
}

TEST_CASE("what changes and changes back is not registered", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  edge.pass(100ms);
  edge.set({egress("203.0.113.1")});
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("there is never more than one message under way", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == registers);
  edge.set({egress("203.0.113.2")});
  CHECK(edge.next_kind(1h) == std::nullopt);
}

TEST_CASE("what changes while its registration is under way is registered after it", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  SECTION("to something new") { edge.set({egress("203.0.113.3")}); }
  SECTION("back to what is accepted still") { edge.set({egress("203.0.113.1")}); }
  edge.ok();
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(parse_registration(edge.body, true)->egresses[0].address != make_address("203.0.113.2"));
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("what changes and changes back under way is registered once", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  edge.set({egress("203.0.113.3")});
  edge.set({egress("203.0.113.2")});
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("a registration whose answer was lost is sent again, as a newer one", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.failed("b1: timeout", edge.now);
  CHECK(edge.one.error_text() == "b1: timeout");
  REQUIRE(edge.next_kind(2s) == registers);  // next() checks that its number is higher
  edge.ok();
  CHECK(edge.one.error_text().empty());
}

TEST_CASE("a change whose registration's answer was lost is not forgotten", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  edge.one.failed("timeout", edge.now);
  REQUIRE(edge.next_kind(2s) == registers);
}

TEST_CASE("a node that cannot be reached is tried ever more rarely, up to once a minute", "[mapping][registrar]") {
  fixture edge;
  edge.random = 0.999;
  edge.set({egress("203.0.113.1")});
  std::vector<std::int64_t> waits;
  auto before = edge.now;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(edge.next_kind(2min) == registers);
    waits.push_back(std::chrono::round<std::chrono::seconds>(edge.now - before).count());
    before = edge.now;
    edge.one.failed("refused", edge.now);
  }
  CHECK(waits == std::vector<std::int64_t>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60});
  CHECK(edge.one.failures() == 10);
  SECTION("and by jitter down to half of it") {
    edge.random = 0;
    edge.one.failed("late", edge.now);  // nothing is under way: no effect
    REQUIRE(edge.next_kind(2min) == registers);
    edge.one.failed("refused", edge.now);
    before = edge.now;
    REQUIRE(edge.next_kind(2min) == registers);
    CHECK(edge.now - before <= 31s);
  }
  SECTION("and at once again after a success") {
    REQUIRE(edge.next_kind(2min) == registers);
    edge.ok();
    edge.set({egress("203.0.113.2")});
    REQUIRE(edge.next_kind(1s) == registers);
    edge.one.failed("refused", edge.now);
    CHECK(edge.next_kind(1100ms) == registers);
  }
}

TEST_CASE("changes do not hurry a node that fails", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  for (int i = 0; i < 6; ++i) {
    REQUIRE(edge.next_kind(2min) == registers);
    edge.one.answered(503, "", edge.now);
  }
  edge.set({egress("203.0.113.2")});
  CHECK(edge.next_kind(10s) == std::nullopt);
}

TEST_CASE("a node that was restarted and does not know us is told at once", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  SECTION("at a renewal") { REQUIRE(edge.next_kind(120s) == renews); }
  SECTION("at a report") {
    edge.one.set_report(a_report());
    REQUIRE(edge.next_kind(1s) == reports);
  }
  edge.refuse(refusal::unknown_edge);
  CHECK(edge.one.where() == state::unregistered);
  REQUIRE(edge.next_kind() == registers);
  CHECK(parse_registration(edge.body, true)->egresses.size() == 1);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("a node that never knows us is not asked in a loop", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.refuse(refusal::unknown_edge);
  CHECK(edge.next_kind() == std::nullopt);
}

TEST_CASE("a stale number is raised above what the node knows, and the message sent again", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const std::uint64_t known = edge.newest + 1'000'000'000'000;
  edge.refuse(refusal::stale_sequence, known);
  REQUIRE(edge.next_kind() == registers);
  CHECK(edge.newest == known + 1);
  edge.ok();
  // And stays above, though the clock is behind.
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.newest == known + 2);
}

TEST_CASE("a stale number of a node that does not say more leaps ever farther", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  const std::uint64_t year = 31'536'000'000'000;
  int tries = 0;
  std::uint64_t first = 0;
  while (edge.next_kind(2min) == registers && ++tries < 40) {
    if (first == 0) first = edge.newest;
    if (edge.newest > first + year) break;
    edge.refuse(refusal::stale_sequence);
  }
  CHECK(tries < 25);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("numbers never end, and never leave what JSON can carry", "[mapping][registrar]") {
  sequence_numbers numbers;
  numbers.go_above(~std::uint64_t{0});
  CHECK(numbers.next(std::chrono::system_clock::now()) == (std::uint64_t{1} << 53U) - 1);
  sequence_numbers from_the_past;
  CHECK(from_the_past.next(std::chrono::system_clock::time_point(-5s)) == 1);
}

TEST_CASE("a clock that is set back does not set the numbers back", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  const auto before = edge.newest;
  edge.wall -= 24h;
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.newest == before + 1);
}

TEST_CASE("all nodes are sent numbers of one row", "[mapping][registrar]") {
  fixture edge;
  registrar other(usual_settings(), edge.numbers, [] { return 0.5; });
  other.set_content({make_address("192.0.2.17")}, {egress("203.0.113.1")}, edge.now);
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const auto sent = std::get<registrar::request>(other.next({edge.now, edge.wall}));
  CHECK(sent.sequence == edge.newest + 1);
}

TEST_CASE("an edge that is not allowed tries slowly and says why", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const auto why = GENERATE(refusal::not_allowed, refusal::malformed);
  edge.refuse(why);
  CHECK(edge.one.where() == state::refused);
  CHECK_THAT(edge.one.error_text(), Catch::Matchers::Contains(std::string(text_of(why)) + ": because"));
  CHECK(edge.next_kind(45s) == std::nullopt);
  REQUIRE(edge.next_kind(30s) == registers);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("an egress that lacks a proof is registered anew when there is one, ever more rarely",
          "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1", "")});
  REQUIRE(edge.next_kind() == registers);
  const std::vector<egress_verdict> not_seen{{make_address("203.0.113.1"), false, "not_seen"}};
  edge.ok(not_seen);
  CHECK(edge.next_kind(60s) == std::nullopt);
  edge.set({egress("203.0.113.1", "proof1")});
  REQUIRE(edge.next_kind() == registers);
  SECTION("until it is accepted") {
    edge.ok({{make_address("203.0.113.1"), true, ""}});
    edge.set({egress("203.0.113.1", "proof2")});
    CHECK(edge.next_kind(30s) == std::nullopt);
  }
  SECTION("however many proofs there are") {
    int sent = 0;
    edge.ok(not_seen);
    const auto end = edge.now + 60s;
    for (int i = 0; edge.now < end; ++i) {
      edge.set({egress("203.0.113.1", ("again" + std::to_string(i)).c_str())});
      const auto kind = edge.next_kind();
      if (kind) {
        CHECK(kind == registers);
        ++sent;
        edge.ok(not_seen);
      }
      edge.pass(50ms);
    }
    CHECK(sent >= 4);
    CHECK(sent <= 8);
  }
}

TEST_CASE("a public resolver's refusal is no reason to try again", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok({{make_address("203.0.113.1"), false, "public_resolver"}});
  edge.set({egress("203.0.113.1", "newer")});
  CHECK(edge.next_kind(60s) == std::nullopt);
  CHECK(edge.one.verdicts()[0].reason == "public_resolver");
}

TEST_CASE("a report goes out when it changes, at most once a second, and every half minute", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.empty_ok();
  edge.one.set_report(a_report(10, {1, 0}));
  auto before = edge.now;
  REQUIRE(edge.next_kind(2s) == reports);
  CHECK(edge.now - before >= 1s);
  edge.empty_ok();
  CHECK(edge.one.reported_at() == edge.now);
  before = edge.now;
  REQUIRE(edge.next_kind(60s) == reports);
  CHECK(edge.now - before >= 29s);
  CHECK(edge.now - before <= 31s);
}

TEST_CASE("figures that differ little wait for the next refresh", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.set_report(a_report(10));
  REQUIRE(edge.next_kind() == reports);
  edge.empty_ok();
  edge.one.set_report(a_report(11.5));
  CHECK(edge.next_kind(25s) == std::nullopt);
  REQUIRE(edge.next_kind(6s) == reports);
  CHECK(parse_report(edge.body)->content.figures[0].rtt_ms == 11.5);
  edge.empty_ok();
  edge.one.set_report(a_report(15));
  CHECK(edge.next_kind(2s) == reports);
}

TEST_CASE("what changes while a report is under way is reported after it", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.set_report(a_report(10));
  REQUIRE(edge.next_kind() == reports);
  edge.one.set_report(a_report(10, {1}));
  edge.empty_ok();
  REQUIRE(edge.next_kind(1100ms) == reports);
  CHECK(parse_report(edge.body)->content.answers[0].rank == std::vector<std::uint32_t>{1});
}

TEST_CASE("a server's state, its loss and its figures by much are news", "[mapping][report]") {
  const auto base = *a_report();
  auto other = base;
  CHECK(!is_news(base, other));
  SECTION("age and TTL are none") {
    other.figures[0].age_s = 5;
    other.answers[0].ttl = 5;
    CHECK(!is_news(base, other));
    return;
  }
  SECTION("state") { other.figures[0].state = "down"; }
  SECTION("loss") { other.figures[0].loss = 0.2; }
  SECTION("rtt") { other.figures[0].rtt_ms = 13; }
  SECTION("no rtt") { other.figures[0].rtt_ms.reset(); }
  SECTION("names") { other.answers[0].names.emplace_back("api.lb.example.com."); }
  SECTION("servers") { other.servers[1] = "ams2"; }
  CHECK(is_news(base, other));
}

TEST_CASE("reports wait for the registration", "[mapping][registrar]") {
  fixture edge;
  edge.one.set_report(a_report());
  CHECK(edge.next_kind(1h) == std::nullopt);
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok();
  CHECK(edge.next_kind() == reports);
}

TEST_CASE("a report that the node does not take leaves the registration as it is", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.refuse(GENERATE(refusal::too_large, refusal::malformed));
  CHECK(edge.one.where() == state::registered);
  CHECK(edge.next_kind(40s) == std::nullopt);
  CHECK(edge.next_kind(40s) == reports);
}

TEST_CASE("a lost report is sent again", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.one.failed("timeout", edge.now);
  CHECK(edge.next_kind(1100ms) == reports);
}

TEST_CASE("a lease that has ended while the node was away is registered anew", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  const auto end = edge.now + 300s;
  std::optional<message_kind> kind;
  while (edge.now < end) {
    kind = edge.next_kind(2min);
    REQUIRE(kind == renews);
    edge.one.failed("refused", edge.now);
    if (edge.next_kind() == std::nullopt && edge.until && *edge.until >= end) break;
  }
  REQUIRE(edge.next_kind(2min) == registers);
}

TEST_CASE("at the end the registration is withdrawn, once", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.stop();
  REQUIRE(edge.next_kind() == withdraws);
  CHECK(parse_withdrawal(edge.body)->edge == "e17.ns.lb.example.com.");
  SECTION("and answered") { edge.empty_ok(); }
  SECTION("and not answered") { edge.one.failed("timeout", edge.now); }
  SECTION("and not known") { edge.refuse(refusal::unknown_edge); }
  SECTION("and refused") { edge.refuse(refusal::not_allowed); }
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.finished);
  CHECK(edge.one.where() == state::withdrawn);
}

TEST_CASE("a registration that may have been taken is withdrawn as well", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.stop();
  CHECK(edge.next_kind() == std::nullopt);
  CHECK(!edge.finished);
  edge.one.failed("given up", edge.now);
  CHECK(edge.next_kind() == withdraws);
}

TEST_CASE("a withdrawal that is stale is sent again", "[mapping][registrar]") {
  fixture edge;
  edge.settle();
  edge.one.stop();
  REQUIRE(edge.next_kind() == withdraws);
  edge.refuse(refusal::stale_sequence, edge.newest + 5);
  CHECK(edge.next_kind() == withdraws);
}

TEST_CASE("what was never registered needs no withdrawal", "[mapping][registrar]") {
  fixture edge;
  edge.one.stop();
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.finished);
}

TEST_CASE("an answer that makes no sense counts as none", "[mapping][registrar]") {
  fixture edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.answered(200, "<html>", edge.now);
  CHECK(edge.one.where() == state::unregistered);
  CHECK_THAT(edge.one.error_text(), Catch::Matchers::StartsWith("not an answer to register: "));
  CHECK(edge.next_kind() == std::nullopt);
  CHECK(edge.next_kind(1100ms) == registers);
}

TEST_CASE("answers to nothing have no effect", "[mapping][registrar]") {
  fixture edge;
  edge.ok();
  edge.refuse(refusal::not_allowed);
  edge.one.failed("late", edge.now);
  CHECK(edge.one.where() == state::unregistered);
  CHECK(edge.one.failures() == 0);
}
