// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/discovery.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "agent/mapping/record.hpp"

using namespace nearside::mapping;
using namespace std::chrono_literals;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

namespace {

secret_key key_with(std::uint8_t octet) {
  secret_key key{};
  key.fill(octet);
  return key;
}

const nonce_source b1{"b1.who.lb.example.com.", key_with(1), 17};
const nonce_source b2{"b2.who.lb.example.com.", key_with(2), 4};
const resolver isp{make_address("192.0.2.53"), 53, resolver_source::resolv_conf};
const resolver other{make_address("198.51.100.53"), 53, resolver_source::resolv_conf};

/// An edge whose resolvers answer as `answers` says, in simulated time.
struct simulation {
  struct outcome {
    std::chrono::milliseconds takes{20};
    std::optional<address> egress;  // nothing: a failure
  };

  double random() {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(seed >> 11) / 9007199254740992.0;
  }
  address one_of(const std::vector<address>& farm) {
    return farm[static_cast<std::size_t>(random() * static_cast<double>(farm.size()))];
  }

  void run(std::chrono::milliseconds time) {
    const auto end = now + time;
    while (now < end) {
      while (!coming.empty() && coming.begin()->first <= now) {
        const auto [question, result] = coming.begin()->second;
        coming.erase(coming.begin());
        if (question.measures && result.egress)
          plan.measured(question.id, std::chrono::duration_cast<std::chrono::microseconds>(result.takes), now);
        else if (result.egress)
          plan.answered(question.id, *result.egress, now);
        else
          plan.failed(question.id, "SERVFAIL", now);
      }
      while (const auto question = plan.next(now)) {
        asked.emplace_back(now, *question);
        labels.insert(question->qname);
        const outcome result = answers(*question);
        coming.emplace(now + result.takes, std::pair(*question, result));
        most_under_way = std::max(most_under_way, coming.size());
      }
      auto next = end;
      if (const auto wake = plan.wake()) next = std::min(next, std::max(*wake, now + 1ms));
      if (!coming.empty()) next = std::min(next, coming.begin()->first);
      now = std::max(next, now);
    }
  }

  /// Questions to this resolver below that zone since `from`.
  std::size_t count(const std::string& zone, std::size_t from = 0, const resolver& to = isp) const {
    std::size_t found = 0;
    for (std::size_t i = from; i < asked.size(); ++i)
      if (asked[i].second.qname.ends_with("." + zone) && asked[i].second.to == to) ++found;
    return found;
  }
  std::set<std::string> found(backbone_id backbone = 0) const {
    std::set<std::string> all;
    for (const auto& one : plan.claims(backbone))
      if (!one.nonce.empty()) all.insert(one.address.to_string());
    return all;
  }

  std::chrono::steady_clock::time_point now{1h};
  std::uint64_t seed = 1;
  discovery_settings settings;
  std::function<outcome(const discovery::question&)> answers = [](const discovery::question& asked_now) -> outcome {
    if (asked_now.measures || asked_now.qname.find(".v4.") != std::string::npos)
      return {20ms, make_address("203.0.113.1")};
    return {20ms, std::nullopt};
  };
  discovery plan{settings, [this] { return random(); }, 1000};
  std::vector<std::pair<std::chrono::steady_clock::time_point, discovery::question>> asked;
  std::set<std::string> labels;
  std::multimap<std::chrono::steady_clock::time_point, std::pair<discovery::question, outcome>> coming;
  std::size_t most_under_way = 0;
};

std::vector<address> farm_of(unsigned size, const char* first = "203.0.113.1") {
  std::vector<address> farm;
  const auto base = make_address(first).to_v4().to_uint();
  for (unsigned i = 0; i < size; ++i) farm.emplace_back(boost::asio::ip::address_v4(base + i));
  return farm;
}

bool is_v4(const discovery::question& asked) { return asked.qname.find(".v4.") != std::string::npos; }

}  // namespace

TEST_CASE("nothing is asked before a backbone node has given a key", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.run(10s);
  CHECK(edge.count(b1.zone) == 0);
  CHECK(edge.plan.rtt(isp.address) == 20ms);
}

TEST_CASE("a resolver with one egress is known after one answer, and a burst", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(50ms);
  CHECK(edge.found() == std::set<std::string>{"203.0.113.1"});
  edge.run(3s);
  const auto v4 = edge.count("v4." + b1.zone);
  CHECK(v4 >= 20);
  CHECK(v4 <= 25);
  SECTION("after which one question comes each half minute") {
    const auto before = edge.asked.size();
    edge.run(10min);
    CHECK(edge.count("v4." + b1.zone, before) >= 16);
    CHECK(edge.count("v4." + b1.zone, before) <= 25);
  }
  SECTION("and each claim carries a label that the edge's key has made") {
    const auto claims = edge.plan.claims(0);
    REQUIRE(claims.size() == 1);
    CHECK(verify(claims[0].nonce, b1.key));
    CHECK(parse_label(claims[0].nonce)->edge == b1.edge);
    CHECK(claims[0].rtt == 20ms);
  }
}

TEST_CASE("no name is asked for twice", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp, other}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.plan.set_backbone(1, b2, edge.now);
  edge.run(1h);
  std::size_t nonces = 0;
  for (const auto& [at, question] : edge.asked) nonces += question.measures ? 0 : 1;
  CHECK(edge.labels.size() == nonces + 1);  // and "."
}

TEST_CASE("two questions of a burst are 50 ms apart", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(3s);
  std::optional<std::chrono::steady_clock::time_point> before;
  for (const auto& [at, question] : edge.asked) {
    if (!is_v4(question)) continue;
    if (before && edge.count(b1.zone) > 2) CHECK((at - *before >= 20ms));  // the second waits for the first answer only
    before = at;
  }
}

TEST_CASE("all egresses of a farm are found while new ones keep appearing", "[mapping][discovery]") {
  const unsigned size = GENERATE(2U, 8U, 50U, 200U);
  simulation edge;
  const auto farm = farm_of(size);
  edge.answers = [&](const discovery::question& question) -> simulation::outcome {
    if (question.measures || is_v4(question)) return {20ms, edge.one_of(farm)};
    return {20ms, std::nullopt};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(60s);
  // n ln n + 0.58 n are needed (the coupon collector's problem); the end of a burst costs three times n more.
  CHECK(edge.found().size() >= size - size / 20);
  CHECK(edge.count("v4." + b1.zone) <= edge.settings.most_burst + 5);
  edge.run(3h);
  CHECK(edge.found().size() == size);
}

TEST_CASE("a burst ends where egresses never end", "[mapping][discovery]") {
  simulation edge;
  std::uint32_t next = 0;
  edge.answers = [&](const discovery::question& question) -> simulation::outcome {
    if (question.measures || is_v4(question)) return {20ms, boost::asio::ip::address_v4(0xcb007100U + next++)};
    return {20ms, std::nullopt};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(60s);
  CHECK(edge.plan.egresses().size() == most_egresses);
  CHECK(edge.plan.overflow() > 0);
  CHECK(edge.count("v4." + b1.zone) <= edge.settings.most_burst + 20);
}

TEST_CASE("both families are asked apart; IPv6 addresses of one /64 are one egress", "[mapping][discovery]") {
  simulation edge;
  std::uint8_t host = 0;
  edge.answers = [&](const discovery::question& question) -> simulation::outcome {
    if (question.measures || is_v4(question)) return {20ms, make_address("203.0.113.1")};
    return {20ms, make_address("2001:db8::" + std::to_string(++host % 10))};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(3s);
  CHECK(edge.plan.egresses().size() == 2);
  const auto claims = edge.plan.claims(0);
  REQUIRE(claims.size() == 2);
  // The claim is of the address that its nonce came from.
  CHECK(claims[1].address.to_string() == "2001:db8::" + std::to_string(host % 10));
}

TEST_CASE("a family that does not work is given up politely, and taken up again when it does", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(10s);
  CHECK(edge.count("v6." + b1.zone) <= 7);
  edge.run(1h);
  const auto before = edge.asked.size();
  edge.run(1h);
  CHECK(edge.count("v6." + b1.zone, before) >= 4);
  CHECK(edge.count("v6." + b1.zone, before) <= 8);
  for (const auto& lane : edge.plan.lanes())
    if (lane.family == 6) CHECK(lane.error == "SERVFAIL");

  edge.answers = [](const discovery::question&) -> simulation::outcome { return {20ms, make_address("2001:db8::1")}; };
  const auto then = edge.asked.size();
  edge.run(15min);
  CHECK(edge.found().contains("2001:db8::1"));
  CHECK(edge.count("v6." + b1.zone, then) >= 20);
}

TEST_CASE("a resolver that is dead is asked one question at a time, ever more rarely", "[mapping][discovery]") {
  simulation edge;
  edge.answers = [](const discovery::question&) -> simulation::outcome { return {5000ms, std::nullopt}; };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(60s);
  CHECK(edge.most_under_way <= 3);  // a lane a family, and the measuring
  CHECK(edge.count("v4." + b1.zone) <= 8);
  CHECK(edge.found().empty());
  CHECK(!edge.plan.rtt(isp.address));
}

TEST_CASE("a few lost answers do not end a burst", "[mapping][discovery]") {
  simulation edge;
  const auto farm = farm_of(8);
  edge.answers = [&](const discovery::question& question) -> simulation::outcome {
    if (!question.measures && !is_v4(question)) return {20ms, std::nullopt};
    if (edge.random() < 0.2) return {2000ms, std::nullopt};
    return {20ms, edge.one_of(farm)};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(30s);
  CHECK(edge.found().size() >= 7);
}

TEST_CASE("a change of resolver is followed at once", "[mapping][discovery]") {
  simulation edge;
  edge.answers = [](const discovery::question& question) -> simulation::outcome {
    if (!question.measures && !is_v4(question)) return {20ms, std::nullopt};
    return {20ms, make_address(question.to == isp ? "203.0.113.1" : "203.0.113.200")};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(10min);
  const auto version = edge.plan.version();
  edge.plan.set_resolvers({other}, edge.now);
  // Nothing is lost until there is something else.
  CHECK(edge.found() == std::set<std::string>{"203.0.113.1"});
  edge.run(100ms);
  CHECK(edge.found() == std::set<std::string>{"203.0.113.200"});
  CHECK(edge.plan.version() > version);
  const auto before = edge.asked.size();
  edge.run(1min);
  CHECK(edge.count(b1.zone, before, isp) == 0);
}

TEST_CASE("egresses of a resolver that is gone stay three seconds where the new one says nothing",
          "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(1min);
  edge.answers = [](const discovery::question&) -> simulation::outcome { return {1000ms, std::nullopt}; };
  edge.plan.set_resolvers({other}, edge.now);
  edge.run(2900ms);
  CHECK(edge.found().size() == 1);
  edge.run(200ms);
  CHECK(edge.found().empty());
}

TEST_CASE("one of two resolvers that goes takes its egresses with it at once", "[mapping][discovery]") {
  simulation edge;
  edge.answers = [](const discovery::question& question) -> simulation::outcome {
    if (!question.measures && !is_v4(question)) return {20ms, std::nullopt};
    return {20ms, make_address(question.to == isp ? "203.0.113.1" : "203.0.113.200")};
  };
  edge.plan.set_resolvers({isp, other}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(5s);
  CHECK(edge.found().size() == 2);
  edge.plan.set_resolvers({other}, edge.now);
  CHECK(edge.found() == std::set<std::string>{"203.0.113.200"});
}

TEST_CASE("what has not been seen for six hours is forgotten", "[mapping][discovery]") {
  simulation edge;
  bool moved = false;
  edge.answers = [&moved](const discovery::question& question) -> simulation::outcome {
    if (!question.measures && !is_v4(question)) return {20ms, std::nullopt};
    return {20ms, make_address(moved ? "203.0.113.2" : "203.0.113.1")};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(1min);
  moved = true;
  edge.run(5h);
  CHECK(edge.found().size() == 2);
  edge.run(61min);
  CHECK(edge.found() == std::set<std::string>{"203.0.113.2"});
}

TEST_CASE("each backbone node is given the nonces that it has seen itself, and all egresses", "[mapping][discovery]") {
  simulation edge;
  edge.answers = [](const discovery::question& question) -> simulation::outcome {
    if (question.measures) return {20ms, make_address("203.0.113.1")};
    if (!is_v4(question)) return {20ms, std::nullopt};
    return {20ms, make_address(question.qname.ends_with(b1.zone) ? "203.0.113.1" : "203.0.113.2")};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.plan.set_backbone(1, b2, edge.now);
  edge.run(5s);
  CHECK(edge.found(0) == std::set<std::string>{"203.0.113.1"});
  CHECK(edge.found(1) == std::set<std::string>{"203.0.113.2"});
  const auto claims = edge.plan.claims(1);
  REQUIRE(claims.size() == 2);
  CHECK(claims[0].nonce.empty());
  CHECK(verify(claims[1].nonce, b2.key));
}

TEST_CASE("a new key of a backbone node is used at once", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(1min);
  nonce_source anew = b1;
  anew.key = key_with(9);
  edge.plan.set_backbone(0, anew, edge.now);
  CHECK(edge.found().empty());
  edge.run(100ms);
  REQUIRE(edge.found().size() == 1);
  CHECK(verify(edge.plan.claims(0)[0].nonce, anew.key));
  CHECK(edge.plan.egresses().size() == 1);
}

TEST_CASE("an egress that a backbone node has not seen is proved again", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(5min);
  auto claim = edge.plan.claims(0)[0];
  claim.nonce = "an older one";
  edge.plan.refused(0, claim, edge.now);
  CHECK(edge.found().size() == 1);
  edge.plan.refused(0, edge.plan.claims(0)[0], edge.now);
  CHECK(edge.found().empty());
  edge.run(200ms);
  CHECK(edge.found().size() == 1);
  SECTION("but not by burst after burst") {
    const auto before = edge.asked.size();
    for (int i = 0; i < 50; ++i) {
      edge.plan.refused(0, edge.plan.claims(0)[0], edge.now);
      edge.run(1s);
    }
    CHECK(edge.count("v4." + b1.zone, before) < 30);
  }
}

TEST_CASE("an answer of a question whose resolver is gone means nothing", "[mapping][discovery]") {
  simulation edge;
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  const auto question = edge.plan.next(edge.now);
  REQUIRE(question.has_value());
  edge.plan.set_resolvers({other}, edge.now);
  edge.plan.answered(question->id, make_address("203.0.113.1"), edge.now);
  CHECK(edge.plan.egresses().empty());
  edge.plan.answered(question->id, make_address("203.0.113.1"), edge.now);
  edge.plan.failed(12345, "x", edge.now);
}

TEST_CASE("the distance of a resolver is the median of its answers, told anew when it changes by much",
          "[mapping][discovery]") {
  simulation edge;
  std::chrono::milliseconds far = 20ms;
  int number = 0;
  edge.answers = [&](const discovery::question& question) -> simulation::outcome {
    if (question.measures) return {++number % 4 == 0 ? 500ms : far, make_address("203.0.113.1")};
    if (!is_v4(question)) return {20ms, std::nullopt};
    return {100ms, make_address("203.0.113.1")};
  };
  edge.plan.set_resolvers({isp}, edge.now);
  edge.plan.set_backbone(0, b1, edge.now);
  edge.run(20min);
  CHECK(edge.plan.claims(0)[0].rtt == 20ms);
  const auto version = edge.plan.version();
  far = 22ms;
  edge.run(20min);
  CHECK(edge.plan.claims(0)[0].rtt == 20ms);
  CHECK(edge.plan.version() == version);
  far = 60ms;
  edge.run(20min);
  CHECK(edge.plan.claims(0)[0].rtt == 60ms);
  CHECK(edge.plan.version() > version);
}
