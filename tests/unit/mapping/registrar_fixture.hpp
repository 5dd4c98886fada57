// SPDX-License-Identifier: BSD-2-Clause
// A registrar whose messages a test answers by hand, with a clock of its own.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/mapping/registrar.hpp"

namespace nearside::mapping {

using namespace std::chrono_literals;

inline std::ostream& operator<<(std::ostream& out, message_kind kind) { return out << text_of(kind); }
inline std::ostream& operator<<(std::ostream& out, registrar::state where) { return out << text_of(where); }

inline constexpr auto registers = message_kind::registration;
inline constexpr auto renews = message_kind::renewal;
inline constexpr auto withdraws = message_kind::withdrawal;
inline constexpr auto reports = message_kind::report;

inline registrar_settings usual_settings() {
  registrar_settings settings;
  settings.edge = "e17.ns.lb.example.com.";
  return settings;
}

inline egress_claim egress(const char* address, const char* label = "nonce1") {
  return {boost::asio::ip::make_address(address), label, {}};
}

/// `rtt` in milliseconds, of the only server.
inline std::shared_ptr<report> a_report(double rtt = 10, std::vector<std::uint32_t> rank = {0, 1}) {
  report made{{"fra1", "ams1"}, {}, {}};
  made.figures.push_back({0, 4, "up", rtt, 0, 1});
  made.answers.push_back({{"www.lb.example.com."}, 4, 30, std::move(rank)});
  return std::make_shared<report>(std::move(made));
}

/// An edge, and whoever answers its messages by hand.
struct registrar_by_hand {
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
    one.set_content({boost::asio::ip::make_address("192.0.2.17")}, std::move(egresses), now);
  }
  /// Registered with one egress, nothing changed.
  void settle() {
    set({egress("203.0.113.1")});
    REQUIRE(next_kind() == registers);
    ok({{boost::asio::ip::make_address("203.0.113.1"), true, ""}});
    REQUIRE(one.where() == registrar::state::registered);
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

}  // namespace nearside::mapping
