// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/administration.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace nearside::score {

bool administration::matches(const std::string& pattern, const std::string& server) {
  return ::fnmatch(pattern.c_str(), server.c_str(), 0) == 0;
}

bool administration::set(const std::string& server, const order_of_operator& said) {
  if (said.state == administrative::none) return orders_.erase(server) > 0;
  orders_.insert_or_assign(server, said);
  return true;
}

const order_of_operator* administration::find(const std::string& server) const {
  const auto found = orders_.find(server);
  return found == orders_.end() ? nullptr : &found->second;
}

std::vector<std::string> administration::expire(instant now) {
  std::vector<std::string> ended;
  for (const auto& [server, order] : orders_)
    if (order.until && *order.until <= now) ended.push_back(server);
  for (const std::string& server : ended) orders_.erase(server);
  return ended;
}

std::optional<instant> administration::next_end() const {
  std::optional<instant> next;
  for (const auto& [server, order] : orders_)
    if (order.until) next = std::min(next.value_or(*order.until), *order.until);
  return next;
}

}  // namespace nearside::score
