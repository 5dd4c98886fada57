// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/discovery.hpp"

#include <algorithm>
#include <utility>

#include "agent/mapping/record.hpp"

namespace nearside::mapping {

using boost::asio::ip::address;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

// A packet may be lost, and another one; the third failure in a row is one of the resolver or of the zone.
constexpr std::uint32_t failures_that_count = 3;
// n egresses, each as likely as the others: once 3n answers have shown none that is new, one in twenty runs misses
// some, and the trickle finds them.
constexpr std::size_t answers_for_each = 3;
// An egress is seen each eight minutes then, on average: its proof is fresh (10 minutes) half of the time, and it is
// next to never forgotten (6 hours) while it is there.
constexpr std::size_t egresses_of_a_trickle = 16;
constexpr std::uint32_t first_measurements = 5;
constexpr std::chrono::milliseconds first_measurements_gap{200};
constexpr std::size_t kept_measurements = 8;
constexpr std::size_t least_measurements = 3;

/// Whether an RTT has changed so much that others should know.
bool differs(microseconds one, microseconds other) {
  const auto by = one > other ? one - other : other - one;
  return by > microseconds(2000) && by * 4 > std::min(one, other);
}

}  // namespace

discovery::discovery(const discovery_settings& settings, random_source random, std::uint32_t first_counter)
    : settings_(settings), random_(std::move(random)), counter_(first_counter) {}

nanoseconds discovery::jittered(nanoseconds wait) {
  const double factor = 1 + settings_.jitter * (2 * random_() - 1);
  return nanoseconds(static_cast<nanoseconds::rep>(static_cast<double>(wait.count()) * factor));
}

bool discovery::is_current(const address& one) const {
  return std::ranges::any_of(resolvers_, [&one](const resolver& r) { return r.address == one; });
}

void discovery::set_resolvers(const std::vector<resolver>& resolvers, time now) {
  if (resolvers == resolvers_) return;
  const auto before = std::exchange(resolvers_, resolvers);
  new_resolvers_.clear();
  bool gone = false;
  for (const resolver& one : resolvers_) {
    const bool known = std::ranges::any_of(before, [&one](const resolver& r) { return r.address == one.address; });
    if (!known) new_resolvers_.push_back(one.address);
  }
  for (const resolver& one : before) gone = gone || !is_current(one.address);
  // Where nothing new is to be found, nothing is waited for.
  if (gone) changing_until_ = new_resolvers_.empty() && !resolvers_.empty() ? now : now + settings_.change_over;

  std::erase_if(distances_, [this](const auto& one) { return !is_current(one.first); });
  for (const resolver& one : resolvers_)
    if (!distances_.contains(one.address)) distances_[one.address].due = now;
  make_lanes(now);
  forget_old(now);
}

void discovery::set_backbone(backbone_id backbone, const nonce_source& source, time now) {
  auto& known = backbones_[backbone];
  if (known == source) return;
  known = source;
  // What proved something to the old key proves nothing to the new one.
  for (auto& [key, one] : egresses_)
    if (one.proofs.erase(backbone) > 0) ++version_;
  std::erase_if(lanes_, [backbone](const auto& one) { return one.first.backbone == backbone; });
  std::erase_if(under_way_,
                [backbone](const auto& asked) { return asked.second.of && asked.second.of->backbone == backbone; });
  make_lanes(now);
}

void discovery::make_lanes(time now) {
  std::map<lane_key, lane> wanted;
  for (const auto& [backbone, source] : backbones_) {
    for (const resolver& one : resolvers_) {
      for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
        const lane_key key{backbone, one.address, one.port, family};
        if (const auto known = lanes_.find(key); known != lanes_.end()) {
          wanted.insert(*known);
          continue;
        }
        lane fresh;
        start_burst(fresh, now);
        wanted.emplace(key, std::move(fresh));
      }
    }
  }
  lanes_ = std::move(wanted);
  std::erase_if(under_way_, [this](const auto& asked) {
    return asked.second.of ? !lanes_.contains(*asked.second.of) : !is_current(asked.second.resolver);
  });
}

void discovery::start_burst(lane& one, time now) const {
  one.bursting = true;
  one.left = settings_.burst;
  one.in_burst = 0;
  one.since_new = 0;
  one.last_burst = now;
  one.due = now;
}

void discovery::refused(backbone_id backbone, const egress_claim& claimed, time now) {
  const auto known = egresses_.find(key_of(claimed.address));
  if (known == egresses_.end()) return;
  const auto shown = known->second.proofs.find(backbone);
  if (shown == known->second.proofs.end() || shown->second.label != claimed.nonce) return;
  known->second.proofs.erase(shown);
  ++version_;
  known->second.refused.insert(backbone);
  const std::uint8_t family = claimed.address.is_v4() ? 4 : 6;
  for (auto& [key, one] : lanes_) {
    const bool rested = !one.last_burst || *one.last_burst + settings_.burst_again <= now;
    if (key.backbone == backbone && key.family == family && one.works && !one.bursting && rested) start_burst(one, now);
  }
}

std::optional<discovery::time> discovery::due_of(const lane& one) const {
  // Until something is known to answer, one question tells as much as many.
  if (one.under_way >= (one.works ? most_of_lane : 1)) return std::nullopt;
  return one.due;
}

discovery::question discovery::ask_nonce(const lane_key& key, lane& one, time now) {
  const nonce_source& source = backbones_.at(key.backbone);
  const std::string label = label_of({source.edge, ++counter_}, source.key);
  const auto to = std::ranges::find_if(
      resolvers_, [&key](const resolver& r) { return r.address == key.resolver && r.port == key.port; });
  ++one.asked;
  ++one.under_way;
  if (one.left > 0) {
    --one.left;
    ++one.in_burst;
  }
  const auto farm = static_cast<nanoseconds::rep>(1 + known_through(key) / egresses_of_a_trickle);
  one.due = now + (one.left > 0 ? nanoseconds(settings_.burst_gap) : jittered(settings_.trickle) / farm);
  const std::uint64_t id = next_id_++;
  under_way_.emplace(id, pending{key, key.resolver, label});
  return {id, *to, label + (key.family == 4 ? ".v4." : ".v6.") + source.zone, false};
}

std::optional<discovery::question> discovery::next(time now) {
  forget_old(now);
  if (under_way_.size() >= most_under_way) return std::nullopt;
  std::pair<const lane_key, lane>* first = nullptr;
  for (auto& one : lanes_) {
    const auto due = due_of(one.second);
    if (due && *due <= now && (first == nullptr || *due < first->second.due)) first = &one;
  }
  if (first != nullptr) return ask_nonce(first->first, first->second, now);

  for (const resolver& one : resolvers_) {
    distance& far = distances_[one.address];
    if (far.under_way || far.due > now) continue;
    far.under_way = true;
    ++far.asked;
    far.due =
        now + (far.asked < first_measurements ? nanoseconds(first_measurements_gap) : jittered(settings_.trickle));
    const std::uint64_t id = next_id_++;
    under_way_.emplace(id, pending{std::nullopt, one.address, {}});
    return question{id, one, ".", true};
  }
  return std::nullopt;
}

std::optional<discovery::time> discovery::wake() const {
  std::optional<time> first;
  const auto sooner = [&first](time when) { first = first ? std::min(*first, when) : when; };
  if (under_way_.size() < most_under_way) {
    for (const auto& [key, one] : lanes_)
      if (const auto due = due_of(one)) sooner(*due);
    for (const auto& [address, far] : distances_)
      if (!far.under_way) sooner(far.due);
  }
  for (const auto& [key, one] : egresses_) {
    for (const auto& [through, seen] : one.through) sooner(seen + settings_.row_age);
    for (const auto& [backbone, shown] : one.proofs) sooner(shown.seen + settings_.row_age);
  }
  if (changing_until_) sooner(*changing_until_);
  return first;
}

std::optional<discovery::pending> discovery::taken(std::uint64_t id) {
  const auto found = under_way_.extract(id);
  if (!found) return std::nullopt;
  return std::move(found.mapped());
}

discovery::lane& discovery::answered_lane(const pending& asked) {
  lane& one = lanes_.at(*asked.of);
  --one.under_way;
  return one;
}

std::size_t discovery::known_through(const lane_key& key) const {
  return static_cast<std::size_t>(std::ranges::count_if(egresses_, [&key](const auto& one) {
    return (key.family == 4) == one.first.address.is_v4() && one.second.through.contains(key.resolver) &&
           one.second.proofs.contains(key.backbone);
  }));
}

bool discovery::note(const pending& asked, const address& seen_from, time now) {
  const prefix key = key_of(seen_from);
  auto known = egresses_.find(key);
  if (known == egresses_.end()) {
    if (egresses_.size() >= most_egresses) {
      ++overflow_;
      return false;
    }
    known = egresses_.emplace(key, egress{seen_from, now, now, {}, {}, {}}).first;
    ++version_;
  }
  egress& one = known->second;
  one.address = seen_from;
  one.seen = now;
  const bool through_new = one.through.insert_or_assign(asked.resolver, now).second;
  const bool proof_new = one.proofs.insert_or_assign(asked.of->backbone, proof{seen_from, asked.label, now}).second;
  if (through_new || proof_new) ++version_;
  return through_new || (proof_new && !one.refused.contains(asked.of->backbone));
}

void discovery::answered(std::uint64_t id, const address& seen_from, time now) {
  const auto about = under_way_.find(id);
  if (about == under_way_.end() || !about->second.of) return;
  if ((about->second.of->family == 4) != seen_from.is_v4())
    return failed(id, "an address of the other family: " + seen_from.to_string(), now);
  const auto asked = taken(id);
  lane& one = answered_lane(*asked);
  ++one.answered;
  one.failures = 0;
  one.retries = 0;
  one.error.clear();
  const bool found_new = note(*asked, seen_from, now);
  if (std::ranges::find(new_resolvers_, asked->resolver) != new_resolvers_.end() && changing_until_) {
    changing_until_ = now;
    forget_old(now);
  }
  if (!one.works && !one.bursting) start_burst(one, now);
  if (!one.works) one.due = std::min(one.due, now);
  one.works = true;
  if (!one.bursting) return;

  one.since_new = found_new ? 0 : one.since_new + 1;
  const auto enough =
      static_cast<std::uint32_t>(std::max<std::size_t>(settings_.burst, answers_for_each * known_through(*asked->of)));
  const std::uint32_t coming = one.left + one.under_way;
  const std::uint32_t room = settings_.most_burst - std::min(settings_.most_burst, one.in_burst + one.left);
  if (one.since_new + coming < enough && room > 0) {
    one.left += std::min(room, enough - one.since_new - coming);
    one.due = std::min(one.due, now + settings_.burst_gap);
  }
  if (one.left == 0 && one.under_way == 0) one.bursting = false;
}

void discovery::measured(std::uint64_t id, microseconds rtt_found, time now) {
  static_cast<void>(now);
  const auto asked = taken(id);
  if (!asked || asked->of) return;
  const auto known = distances_.find(asked->resolver);
  if (known == distances_.end()) return;
  distance& far = known->second;
  far.under_way = false;
  far.newest.push_back(rtt_found);
  if (far.newest.size() > kept_measurements) far.newest.pop_front();
  const auto median = rtt(asked->resolver);
  if (!median || (far.reported && !differs(*median, *far.reported))) return;
  far.reported = median;
  ++version_;
}

void discovery::failed(std::uint64_t id, const std::string& why, time now) {
  const auto asked = taken(id);
  if (!asked) return;
  if (!asked->of) {
    const auto known = distances_.find(asked->resolver);
    if (known != distances_.end()) known->second.under_way = false;
    return;
  }
  lane& one = answered_lane(*asked);
  one.error = why;
  if (++one.failures < failures_that_count) {
    if (!one.works) one.due = now + settings_.burst_gap;
    return;
  }
  one.works = false;
  one.bursting = false;
  one.left = 0;
  if (one.under_way > 0) return;
  constexpr std::uint32_t most_doublings = 20;
  const auto wait = settings_.retry * (std::int64_t{1} << std::min(one.retries++, most_doublings));
  one.due = now + jittered(std::min<nanoseconds>(wait, settings_.slow_retry));
}

void discovery::forget_old(time now) {
  const bool changed_over = changing_until_ && *changing_until_ <= now;
  if (changed_over) changing_until_.reset();
  const auto too_old = [&](time seen) { return seen + settings_.row_age <= now; };
  for (auto at = egresses_.begin(); at != egresses_.end();) {
    egress& one = at->second;
    std::size_t gone = std::erase_if(one.through, [&](const auto& way) {
      return too_old(way.second) || (!changing_until_ && !is_current(way.first));
    });
    gone += std::erase_if(one.proofs, [&](const auto& shown) { return too_old(shown.second.seen); });
    if (gone > 0) ++version_;
    at = one.through.empty() ? egresses_.erase(at) : std::next(at);
  }
}

std::optional<microseconds> discovery::rtt(const address& of) const {
  const auto known = distances_.find(of);
  if (known == distances_.end() || known->second.newest.size() < least_measurements) return std::nullopt;
  std::vector<microseconds> sorted(known->second.newest.begin(), known->second.newest.end());
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

std::vector<egress_claim> discovery::claims(backbone_id backbone) const {
  std::vector<egress_claim> all;
  for (const auto& [key, one] : egresses_) {
    const auto shown = one.proofs.find(backbone);
    egress_claim claim{one.address, {}, std::nullopt};
    if (shown != one.proofs.end()) claim = {shown->second.address, shown->second.label, std::nullopt};
    for (const auto& [through, seen] : one.through) {
      const auto far = distances_.find(through);
      if (far == distances_.end() || !far->second.reported) continue;
      claim.rtt = claim.rtt ? std::min(*claim.rtt, *far->second.reported) : *far->second.reported;
    }
    all.push_back(std::move(claim));
  }
  return all;
}

std::vector<discovery::lane_status> discovery::lanes() const {
  std::vector<lane_status> all;
  for (const auto& [key, one] : lanes_)
    all.push_back({key.backbone, key.resolver, key.family, one.asked, one.answered, one.bursting, one.error});
  return all;
}

}  // namespace nearside::mapping
