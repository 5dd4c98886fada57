// SPDX-License-Identifier: BSD-2-Clause
// The usual pool of the tests: three servers with one check each, IPv4, policy latency. A test changes one thing.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "agent/score/scoreboard.hpp"

namespace nearside::score {

inline instant at(double seconds) {
  return instant(std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds)));
}
inline duration ms(double milliseconds) {
  return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(milliseconds));
}

inline sample ok(double seconds, double first_byte_ms) {
  sample s;
  s.at = at(seconds);
  s.first_byte = ms(first_byte_ms);
  return s;
}
inline sample bad(double seconds, const std::string& reason = "timeout: connect") {
  sample s;
  s.at = at(seconds);
  s.what = outcome_of_failure(reason);
  s.reason = reason;
  return s;
}

/// Servers a, b, c, ... of IPv4, each with a target of the same index.
struct fixture {
  explicit fixture(std::size_t servers = 3, policy how = policy::latency) {
    usual.key = "usual";
    usual.label = "www.lb.example.";
    usual.rules.how = how;
    for (std::size_t i = 0; i < servers; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      target t;
      t.key = t.label = t.server = name;
      t.check = "web";
      targets.push_back(t);
      member m;
      m.server = name;
      usual.members.push_back(m);
      usual.families[0].addresses.push_back({i, {i}});
    }
  }
  /// Gives the servers IPv6 addresses too, measured by targets of their own that follow the others.
  fixture& with_ipv6() {
    const std::size_t servers = usual.members.size();
    for (std::size_t i = 0; i < servers; ++i) {
      target t = targets[i];
      t.key = t.label += "/ipv6";
      targets.push_back(t);
      usual.families[1].addresses.push_back({i, {servers + i}});
    }
    return *this;
  }
  [[nodiscard]] scoreboard board(const memory& known = {}) const { return {targets, {usual}, latency, at(0), known}; }

  std::vector<target> targets;
  pool usual;
  latency_settings latency;
};

/// The first addresses of all prepared answers, as letters: "abc".
inline std::string firsts(const scoreboard& board, std::size_t family = 0) {
  std::string letters;
  for (const auto& a : board.choices()->front().families[family].alternatives)
    letters += static_cast<char>('a' + a.order.front());
  return letters;
}
/// The whole of the first prepared answer.
inline std::string whole(const scoreboard& board, std::size_t family = 0) {
  std::string letters;
  for (const auto address : board.choices()->front().families[family].alternatives.at(0).order)
    letters += static_cast<char>('a' + address);
  return letters;
}
inline const dns::choice& choice_of(const scoreboard& board, std::size_t family = 0) {
  return board.choices()->front().families[family];
}

/// a 50 ms, b 20 ms, c 90 ms, all up.
inline void measure(scoreboard& board, std::size_t targets = 3) {
  const double times[]{50, 20, 90};
  for (std::size_t t = 0; t < targets; ++t) board.add(t, ok(0.1 * static_cast<double>(t), times[t % 3]));
}
inline void kill(scoreboard& board, std::size_t target, double when) {
  board.add(target, bad(when));
  board.add(target, bad(when + 0.2));
}
inline const verdict& verdict_of(const trace& told, const std::string& server, std::size_t family = 0) {
  for (const verdict& v : told.families[family].verdicts)
    if (v.server == server) return v;
  throw std::runtime_error("no such server in the trace");
}

}  // namespace nearside::score
