// SPDX-License-Identifier: BSD-2-Clause
// What operators said of servers: up, down, drain, each with an owner, a reason and perhaps an end. Owned by the
// scoreboard; pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/score/candidate.hpp"

namespace nearside::score {

struct order_of_operator {
  administrative state = administrative::none;
  std::string owner;
  std::string reason;
  instant since;
  std::optional<instant> until;  // none: until it is released
};

class administration {
 public:
  /// Does the server's name match the shell pattern (fnmatch(3))?
  [[nodiscard]] static bool matches(const std::string& pattern, const std::string& server);

  /// Says it of this server; `none` releases it. False: nothing changed.
  bool set(const std::string& server, const order_of_operator& said);
  [[nodiscard]] const order_of_operator* find(const std::string& server) const;
  /// Removes what has ended; the servers concerned.
  std::vector<std::string> expire(instant now);
  /// When the next one ends.
  [[nodiscard]] std::optional<instant> next_end() const;
  [[nodiscard]] const std::map<std::string, order_of_operator>& all() const noexcept { return orders_; }

 private:
  std::map<std::string, order_of_operator> orders_;  // by server
};

}  // namespace nearside::score
