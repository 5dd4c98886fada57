// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/ttl.hpp"

#include <algorithm>

namespace nearside::score {
namespace {

/// The earliest change in sight.
class horizon {
 public:
  horizon(const criteria& by, bool with_reason) : by_(by), with_reason_(with_reason), nearest_(by.ttl) {}

  template <typename Reason>
  void see(duration in, const Reason& reason) {
    const auto seconds = std::max(by_.ttl_min, std::chrono::floor<std::chrono::seconds>(in));
    if (seconds >= nearest_) return;
    nearest_ = seconds;
    if (with_reason_) reason_ = reason();
  }
  [[nodiscard]] ttl_decision decided() && {
    if (with_reason_ && reason_.empty()) reason_ = "ttl: nothing is pending";
    return {nearest_, std::move(reason_)};
  }

 private:
  const criteria& by_;
  bool with_reason_;
  std::chrono::seconds nearest_;
  std::string reason_;
};

/// Would this candidate change the answer at once, were it up?
bool would_matter(const ordering& given, const candidate& c) {
  const criteria& by = given.of.rules;
  // It would have to earn its place first.
  if (by.how == policy::latency) return false;
  if (by.how != policy::failover) return true;
  const auto priority = [&](std::size_t a) { return given.of.members[given.family.addresses[a].member].priority; };
  return std::any_of(given.eligible.begin(), given.eligible.end(), [&](std::size_t other) {
    return std::pair(priority(c.address), c.address) < std::pair(priority(other), other);
  });
}

}  // namespace

ttl_decision decide_ttl(const ordering& given, const screened& who, const std::vector<bool>& answered,
                        const family_memory& memory, bool with_reason) {
  horizon ahead(given.of.rules, with_reason);
  const auto name = [&](const candidate& c) {
    return given.of.members[given.family.addresses[c.address].member].server;
  };
  if (given.eligible.empty()) ahead.see({}, [] { return std::string("ttl_min: nothing is up"); });
  if (who.by_unknown) ahead.see({}, [] { return std::string("ttl_min: the first results are due"); });
  // The TTL holds until the next decision: a result of the one that is coming up, the next second of an order.
  for (const candidate& c : given.candidates) {
    if (c.forced_left)
      ahead.see(*c.forced_left - std::chrono::seconds(1),
                [&] { return "what an operator said of " + name(c) + " ends then"; });
    if (c.forced != administrative::none) continue;
    if (answered[c.address] && c.failing)
      ahead.see({}, [&] { return "ttl_min: " + name(c) + " has failed, and may be down at the next result"; });
    if (c.measured == standing::unknown && !answered[c.address])
      ahead.see({}, [&] { return "ttl_min: the first result of " + name(c) + " is due"; });
    if (c.missing > 0 && would_matter(given, c))
      ahead.see((c.missing - 1) * c.interval, [&] { return name(c) + " may be up again then"; });
  }
  if (given.of.rules.how == policy::latency && !given.eligible.empty()) {
    if (const auto soonest = memory.latency.nearest(contenders_of(given), given.by))
      ahead.see(*soonest, [] { return std::string("a faster server may take over then"); });
  }
  return std::move(ahead).decided();
}

}  // namespace nearside::score
