// SPDX-License-Identifier: BSD-2-Clause
// How the registry's records change: by what is newer, by what DNS and port checks show, and by time.
#include <algorithm>

#include "agent/mapping/registry.hpp"
#include "agent/mapping/registry_entry.hpp"

namespace nearside::mapping {
namespace {

/// Proofs are told to the store and to other nodes no oftener than this part of a row's age: every nonce is one.
constexpr int proofs_told_per_age = 16;

auto find_in(std::vector<egress_record>& all, const prefix& who) {
  const auto at =
      std::lower_bound(all.begin(), all.end(), who, [](const egress_record& r, const prefix& p) { return r.who < p; });
  return at != all.end() && at->who == who ? at : all.end();
}

}  // namespace

void registry::put(const entry& e, const egress_record& egress) {
  claim c;
  c.edge = e.shown.id;
  c.rtt = egress.rtt;
  c.proved = egress.proved;
  rows_.put(egress.who, c);
}

/// What the edge has from now on; whether it is the newest has been decided.
void registry::apply(entry& e, edge_record record, instant now) {
  if (!e.has_record()) ++registered_;
  edge_record& known = e.shown.record;
  // Both are in the order of their prefixes.
  auto old = known.egresses.begin();
  for (const egress_record& egress : record.egresses) {
    for (; old != known.egresses.end() && old->who < egress.who; ++old)
      rows_.erase(old->who, e.shown.id, source::proved);
    const bool had = old != known.egresses.end() && old->who == egress.who;
    if (!had || !(*old == egress)) put(e, egress);
    if (had) ++old;
  }
  for (; old != known.egresses.end(); ++old) rows_.erase(old->who, e.shown.id, source::proved);

  std::vector<service_address> services;
  services.reserve(record.addresses.size());
  for (const auto& address : record.addresses) {
    const auto same = std::find_if(e.shown.services.begin(), e.shown.services.end(),
                                   [&](const service_address& s) { return s.address == address; });
    services.push_back(same == e.shown.services.end() ? service_address{address, false, {}, {}} : std::move(*same));
  }
  const bool other_addresses = record.addresses != known.addresses;
  e.shown.services = std::move(services);
  known = std::move(record);
  if (other_addresses) note(changes_.liveness, e.liveness_noted, e.shown.id);
  if (!e.leased(now)) end(e);
  schedule(e, now);
  settle(e, now);
}

/// Nothing of the edge is used any longer; its sequence stays known.
void registry::end(entry& e) {
  for (const egress_record& egress : e.shown.record.egresses) rows_.erase(egress.who, e.shown.id, source::proved);
  e.shown.record.egresses = std::vector<egress_record>();  // {} would keep the memory
  e.seen.clear();
  drop_report(e);
}

void registry::drop_report(entry& e) {
  if (!e.shown.reported) return;
  e.shown.reported.reset();
  reports_size_ -= e.report_size;
  e.report_size = 0;
  note(changes_.reports, e.report_noted, e.shown.id);
}

/// Rows that nothing has proved for too long.
void registry::age(entry& e, instant now) {
  auto& egresses = e.shown.record.egresses;
  const auto aged = [&](const egress_record& r) { return r.proved + settings_.claims.row_age <= now; };
  for (const egress_record& r : egresses)
    if (aged(r)) rows_.erase(r.who, e.shown.id, source::proved);
  egresses.erase(std::remove_if(egresses.begin(), egresses.end(), aged), egresses.end());
}

void registry::schedule(entry& e, instant now) {
  const edge_record& record = e.shown.record;
  if (!e.leased(now)) {
    calendar_.set(e.shown.id, calendar::kind::forget, record.expires + settings_.remembered);
    return;
  }
  instant due = record.expires;
  for (const egress_record& r : record.egresses) due = std::min(due, r.proved + settings_.claims.row_age);
  calendar_.set(e.shown.id, calendar::kind::upkeep, due);
}

/// Whether the edge may be used now.
void registry::settle(entry& e, instant now) {
  edge_state& s = e.shown;
  const liveness before = s.state;
  const auto& services = s.services;
  if (!e.has_record()) {
    s.state = liveness::unregistered;
  } else if (s.record.withdrawn) {
    s.state = liveness::withdrawn;
  } else if (!e.leased(now)) {
    s.state = liveness::expired;
  } else if (std::any_of(services.begin(), services.end(), [](const service_address& a) { return a.answers; })) {
    s.state = liveness::alive;
  } else if (std::any_of(services.begin(), services.end(), [](const service_address& a) { return !a.checked; })) {
    s.state = liveness::checking;
  } else {
    s.state = liveness::port_dead;
  }
  // One that was not alive, and now is not even asked any more, is told of as well.
  const bool asked = is_asked(s.state);
  if ((before == liveness::alive) != (s.state == liveness::alive) || is_asked(before) != asked)
    note(changes_.liveness, e.liveness_noted, s.id);
}

void registry::sighted(const nonce& seen, const boost::asio::ip::address& egress, instant now) {
  now = std::chrono::time_point_cast<std::chrono::microseconds>(now);
  entry* e = entry_of(seen.edge);
  if (e == nullptr || !e->leased(now)) return;
  if (!e->seen.add(egress, seen.counter, settings_.most_sightings, settings_.sighting_counts, now)) return;
  ++counters_.sightings;
  const auto row = find_in(e->shown.record.egresses, mapping::key_of(egress));
  if (row == e->shown.record.egresses.end() || row->proved >= now) return;
  row->proved = now;
  put(*e, *row);
  schedule(*e, now);
  if (now - e->proofs_told < settings_.claims.row_age / proofs_told_per_age) return;
  e->proofs_told = now;
  note(changes_.records, e->record_noted, e->shown.id);
}

void registry::checked(edge_id edge, const boost::asio::ip::address& address, const std::string& reason, instant now) {
  entry* e = entry_of(edge);
  if (e == nullptr) return;
  const auto service = std::find_if(e->shown.services.begin(), e->shown.services.end(),
                                    [&](const service_address& s) { return s.address == address; });
  if (service == e->shown.services.end()) return;
  const bool answers = reason.empty();
  service->checked = now;
  if (!answers) service->reason = reason;
  if (service->answers != answers) {
    service->answers = answers;
    note(changes_.liveness, e->liveness_noted, edge);
  }
  settle(*e, now);
}

/// The same registration, with proofs that the other node has seen since: the newer of each counts.
bool registry::join(entry& e, const edge_record& same, instant now) {
  bool newer = false;
  for (const egress_record& theirs : same.egresses) {
    const auto ours = find_in(e.shown.record.egresses, theirs.who);
    if (ours == e.shown.record.egresses.end() || theirs.proved <= ours->proved) continue;
    ours->proved = theirs.proved;
    put(e, *ours);
    newer = true;
  }
  if (newer) schedule(e, now);
  return newer;
}

bool registry::adopt(edge_record record, bool trusted_alive, instant now) {
  now = std::chrono::time_point_cast<std::chrono::microseconds>(now);
  if (record.edge.empty() || record.sequence == 0) return false;
  // A node whose clock is ahead shall not keep an edge, or a row, beyond what it could have got here.
  record.expires = std::min(record.expires, now + settings_.claims.longest_lease);
  if (record.expires + settings_.remembered <= now) return false;
  auto& egresses = record.egresses;
  for (egress_record& r : egresses) r.proved = std::min(r.proved, now);
  egresses.erase(std::remove_if(egresses.begin(), egresses.end(),
                                [&](const egress_record& r) {
                                  return r.proved + settings_.claims.row_age <= now ||
                                         forbidden(record.edge, r.who) != nullptr;
                                }),
                 egresses.end());
  entry* e = entry_of(record.edge);
  if (e != nullptr && e->has_record()) {
    const edge_record& known = e->shown.record;
    if (record.sequence < known.sequence) return false;
    if (record.sequence == known.sequence) {
      if (record.accepted_by == known.accepted_by) return join(*e, record, now);
      if (record.accepted_by < known.accepted_by) return false;
    }
  } else if (!make_room()) {
    return false;
  }
  if (e == nullptr) e = &add(record.edge);
  apply(*e, std::move(record), now);
  e->proofs_told = now;
  if (!trusted_alive) return true;
  for (service_address& service : e->shown.services) {
    if (service.checked || service.answers) continue;
    service.answers = true;
    note(changes_.liveness, e->liveness_noted, e->shown.id);
  }
  settle(*e, now);
  return true;
}

void registry::forget(entry& e) {
  const edge_id number = e.shown.id;
  changes_.forgotten.push_back(e.name);
  calendar_.clear(number);
  --registered_;
  if (e.permanent) {
    e.shown.record = {};
    e.shown.record.edge = e.name;
    e.shown.services.clear();
    e.shown.report_sequence = 0;
    settle(e, {});
    return;
  }
  numbers_.erase(e.name);
  entries_[number].reset();
  resting_.push_back(number);
}

void registry::expire(instant now) {
  while (const auto edge = calendar_.due(calendar::kind::upkeep, now)) {
    entry& e = *entries_[*edge];
    if (e.leased(now))
      age(e, now);
    else
      end(e);
    schedule(e, now);
    settle(e, now);
  }
  while (const auto edge = calendar_.due(calendar::kind::forget, now)) forget(*entries_[*edge]);
}

}  // namespace nearside::mapping
