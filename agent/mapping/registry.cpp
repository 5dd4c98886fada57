// SPDX-License-Identifier: BSD-2-Clause
// The registry's front: messages and what is known. How records change is in registry_records.cpp.
#include "agent/mapping/registry.hpp"

#include <algorithm>

#include "agent/mapping/registry_entry.hpp"

namespace nearside::mapping {
namespace {

using boost::asio::ip::address;

/// As records keep it.
instant whole(instant now) { return std::chrono::time_point_cast<std::chrono::microseconds>(now); }

bool is_local(const address& a) {
  if (a.is_loopback()) return true;
  if (a.is_v6()) return a.to_v6().is_link_local();
  return (a.to_v4().to_uint() & 0xFFFF0000U) == 0xA9FE0000U;  // 169.254.0.0/16, RFC 3927
}

/// About what it takes in memory.
std::size_t size_of(const report& r) {
  std::size_t size = sizeof(report);
  const auto text = [](const std::string& s) { return sizeof(std::string) + (s.size() > 15 ? s.size() + 17 : 0); };
  for (const std::string& server : r.servers) size += text(server);
  size += r.figures.size() * sizeof(reported_figure);
  for (const reported_answer& answer : r.answers) {
    size += sizeof(answer) + answer.rank.size() * sizeof(std::uint32_t);
    for (const std::string& name : answer.names) size += text(name);
  }
  return size;
}

}  // namespace

std::string_view text_of(liveness l) noexcept {
  constexpr std::array<std::string_view, 6> words{"alive",   "checking",  "port_dead",
                                                  "expired", "withdrawn", "unregistered"};
  return words[static_cast<std::size_t>(l)];
}

std::vector<address> addresses_to_give(const edge_state& edge) {
  std::vector<address> answering;
  for (const service_address& service : edge.services)
    if (service.answers) answering.push_back(service.address);
  return answering.empty() ? edge.record.addresses : answering;
}

registry::registry(registry_settings settings)
    : settings_(std::move(settings)),
      public_resolvers_(settings_.claims.public_resolvers),
      rows_([this](edge_id edge) -> const std::string& { return entries_[edge]->name; }) {}

registry::~registry() = default;

registry::entry* registry::entry_of(edge_id edge) const noexcept {
  return edge < entries_.size() ? entries_[edge].get() : nullptr;
}

registry::entry* registry::entry_of(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? nullptr : entries_[found->second].get();
}

registry::entry& registry::add(const std::string& name) {
  auto number = static_cast<edge_id>(entries_.size());
  if (unused_.empty()) {
    entries_.emplace_back();
  } else {
    number = unused_.back();
    unused_.pop_back();
  }
  entries_[number] = std::make_unique<entry>();
  entry& e = *entries_[number];
  e.name = name;
  e.shown.id = number;
  e.shown.record.edge = name;
  numbers_.emplace(e.name, number);
  return e;
}

edge_id registry::number_of(const std::string& name) {
  entry* e = entry_of(name);
  if (e == nullptr) e = &add(name);
  e->permanent = true;
  return e->shown.id;
}

bool registry::make_room() {
  if (registered_ < settings_.most_edges) return true;
  const auto ended = calendar_.first(calendar::kind::forget);
  if (!ended) return false;
  forget(*entries_[*ended]);
  return true;
}

registry::refused registry::refuse(refusal why, std::string detail, std::optional<std::uint64_t> newest) {
  count_refusal(why);
  return {why, std::move(detail), newest};
}

std::optional<registry::refused> registry::refusal_for(const credentials& who, std::string_view edge) const {
  if (std::find(who.names.begin(), who.names.end(), edge) != who.names.end()) return std::nullopt;
  return refused{refusal::not_allowed, "the certificate is not for " + std::string(edge), {}};
}

std::optional<registry::refused> registry::stale(std::uint64_t sequence, std::uint64_t newest) const {
  if (sequence > newest) return std::nullopt;
  return refused{refusal::stale_sequence, std::to_string(sequence) + " is not newer than " + std::to_string(newest),
                 newest};
}

const secret_key& registry::key_of(entry& e) const {
  if (!e.key) e.key = key_of_edge(settings_.master, e.name);
  return *e.key;
}

void registry::configure(claim_settings claims) {
  settings_.claims = std::move(claims);
  public_resolvers_ = prefix_set(settings_.claims.public_resolvers);
}

const char* registry::forbidden(const std::string& edge, const prefix& egress) const {
  if (public_resolvers_.contains(egress.address)) return "public_resolver";
  const auto own = settings_.claims.egresses_of.find(edge);
  if (own == settings_.claims.egresses_of.end()) return nullptr;
  // A record has the /64 of an address; the operator may have named the address alone.
  const auto covers = [&](const prefix& range) { return contains(range, egress) || contains(egress, range); };
  return std::any_of(own->second.begin(), own->second.end(), covers) ? nullptr : "not_allowed";
}

egress_verdict registry::judge(entry& e, const egress_claim& claim, instant now, std::vector<egress_record>& proved) {
  egress_verdict verdict{claim.address, false, {}};
  const prefix key = mapping::key_of(claim.address);
  const auto refuse_because = [&](const char* reason) {
    ++counters_.egresses_refused;
    verdict.reason = reason;
    return verdict;
  };
  if (!is_host_address(claim.address)) return refuse_because("not_allowed");
  if (const char* why = forbidden(e.name, prefix_of(claim.address, 128))) return refuse_because(why);
  std::optional<instant> seen;
  if (!claim.nonce.empty()) {
    if (!verify(claim.nonce, key_of(e))) return refuse_because("bad_nonce");
    seen = e.seen.find(claim.address, parse_label(claim.nonce)->counter, settings_.sighting_counts, now);
  }
  const auto& known = e.shown.record.egresses;
  const auto had = std::lower_bound(known.begin(), known.end(), key,
                                    [](const egress_record& r, const prefix& p) { return r.who < p; });
  if (had != known.end() && had->who == key && had->proved + settings_.claims.row_age > now)
    seen = std::max(seen.value_or(had->proved), had->proved);
  if (!seen) return refuse_because("not_seen");
  verdict.accepted = true;
  proved.push_back({key, claim.rtt, *seen});
  return verdict;
}

registered registry::answer_for(entry& e, instant now, std::vector<egress_verdict> verdicts) {
  registered answer;
  answer.lifetime = std::chrono::duration_cast<std::chrono::seconds>(e.shown.record.expires - now);
  answer.nonce_zone = settings_.nonce_zone;
  answer.nonce_key = key_of(e);
  answer.nonce_edge = e.shown.id;
  answer.egresses = std::move(verdicts);
  answer.ttl = ttl_;
  if (!servers_of_) return answer;
  answer.default_servers = servers_of_(e.shown, nullptr);
  answer.servers.reserve(e.shown.record.egresses.size());
  for (const egress_record& egress : e.shown.record.egresses)
    answer.servers.push_back({egress.who, servers_of_(e.shown, &egress.who)});
  return answer;
}

registry::outcome<registered> registry::accept(const credentials& who, const registration& message, instant now) {
  now = whole(now);
  if (auto no = refusal_for(who, message.edge)) return refuse(no->why, std::move(no->detail));
  if (message.addresses.empty()) return refuse(refusal::malformed, "no service address");
  if (message.addresses.size() > most_addresses) return refuse(refusal::too_large, "too many addresses");
  if (message.egresses.size() > most_egresses) return refuse(refusal::too_large, "too many egresses");
  for (const address& a : message.addresses) {
    if (!is_host_address(a) || (is_local(a) && !settings_.local_addresses))
      return refuse(refusal::malformed, a.to_string() + " is no address that resolvers can reach");
    if (!who.addresses.empty() && std::find(who.addresses.begin(), who.addresses.end(), a) == who.addresses.end())
      return refuse(refusal::not_allowed, "the certificate is not for " + a.to_string());
  }
  entry* e = entry_of(message.edge);
  if (e != nullptr && e->has_record())
    if (auto no = stale(message.sequence, e->shown.record.sequence))
      return refuse(no->why, std::move(no->detail), no->newest);
  if ((e == nullptr || !e->has_record()) && !make_room())
    return refuse(refusal::too_many, std::to_string(registered_) + " edges are registered");
  if (e == nullptr) e = &add(message.edge);

  std::vector<egress_verdict> verdicts;
  verdicts.reserve(message.egresses.size());
  edge_record record;
  record.edge = message.edge;
  record.sequence = message.sequence;
  record.accepted_by = settings_.node;
  record.registered = now;
  record.expires = now + std::min(message.lifetime, settings_.claims.longest_lease);
  record.addresses = message.addresses;
  record.egresses.reserve(message.egresses.size());
  for (const egress_claim& claim : message.egresses) verdicts.push_back(judge(*e, claim, now, record.egresses));
  // Several addresses of one /64 are one row: the newest proof, the shortest way.
  auto& rows = record.egresses;
  std::sort(rows.begin(), rows.end(), [](const egress_record& a, const egress_record& b) { return a.who < b.who; });
  std::size_t kept = 0;
  for (const egress_record& row : rows) {
    if (kept == 0 || rows[kept - 1].who != row.who) {
      rows[kept++] = row;
      continue;
    }
    egress_record& one = rows[kept - 1];
    one.proved = std::max(one.proved, row.proved);
    if (row.rtt) one.rtt = one.rtt ? std::min(*one.rtt, *row.rtt) : row.rtt;
  }
  rows.resize(kept);
  apply(*e, std::move(record), now);
  note(changes_.records, e->record_noted, e->shown.id);
  e->proofs_told = now;
  ++counters_.registered;
  return answer_for(*e, now, std::move(verdicts));
}

registry::outcome<registered> registry::renew(const credentials& who, const registration& message, instant now) {
  now = whole(now);
  if (auto no = refusal_for(who, message.edge)) return refuse(no->why, std::move(no->detail));
  entry* e = entry_of(message.edge);
  if (e == nullptr || !e->has_record()) return refuse(refusal::unknown_edge, message.edge + " is not registered");
  if (auto no = stale(message.sequence, e->shown.record.sequence))
    return refuse(no->why, std::move(no->detail), no->newest);
  if (!e->leased(now)) return refuse(refusal::unknown_edge, "the lease of " + message.edge + " has ended");
  edge_record& record = e->shown.record;
  record.sequence = message.sequence;
  record.accepted_by = settings_.node;
  record.expires = now + std::min(message.lifetime, settings_.claims.longest_lease);
  schedule(*e, now);
  note(changes_.records, e->record_noted, e->shown.id);
  e->proofs_told = now;
  ++counters_.renewed;
  return answer_for(*e, now, {});
}

registry::outcome<std::monostate> registry::withdraw(const credentials& who, std::string_view edge,
                                                     std::uint64_t sequence, instant now) {
  now = whole(now);
  if (auto no = refusal_for(who, edge)) return refuse(no->why, std::move(no->detail));
  entry* e = entry_of(edge);
  if (e != nullptr && e->has_record())
    if (auto no = stale(sequence, e->shown.record.sequence)) return refuse(no->why, std::move(no->detail), no->newest);
  if ((e == nullptr || !e->has_record()) && !make_room())
    return refuse(refusal::too_many, std::to_string(registered_) + " edges are registered");
  if (e == nullptr) e = &add(std::string(edge));
  edge_record record;
  record.edge = e->name;
  record.sequence = sequence;
  record.accepted_by = settings_.node;
  record.registered = e->has_record() ? e->shown.record.registered : now;
  // Other nodes need a moment to hear of it.
  record.expires = std::max(e->shown.record.expires, now + least_lifetime);
  record.withdrawn = true;
  apply(*e, std::move(record), now);
  note(changes_.records, e->record_noted, e->shown.id);
  ++counters_.withdrawn;
  return std::monostate{};
}

registry::outcome<std::monostate> registry::take(const credentials& who, report_message message, instant now) {
  now = whole(now);
  if (auto no = refusal_for(who, message.edge)) return refuse(no->why, std::move(no->detail));
  entry* e = entry_of(message.edge);
  if (e == nullptr || !e->leased(now)) return refuse(refusal::unknown_edge, message.edge + " is not registered");
  if (auto no = stale(message.sequence, e->shown.report_sequence))
    return refuse(no->why, std::move(no->detail), no->newest);
  const std::size_t size = size_of(message.content);
  if (reports_size_ - e->report_size + size > settings_.most_reports)
    return refuse(refusal::too_many, "the reports of all edges take " + std::to_string(reports_size_) + " octets");
  reports_size_ = reports_size_ - e->report_size + size;
  e->report_size = size;
  e->shown.reported = std::move(message.content);
  e->shown.report_sequence = message.sequence;
  e->shown.reported_at = now;
  note(changes_.reports, e->report_noted, e->shown.id);
  ++counters_.reported;
  return std::monostate{};
}

void registry::tell_servers(servers_of ask, std::uint32_t ttl) {
  servers_of_ = std::move(ask);
  ttl_ = ttl;
}

std::optional<nonce> registry::verified(std::string_view label) const {
  const auto claimed = parse_label(label);
  if (!claimed) return std::nullopt;
  entry* e = entry_of(claimed->edge);
  if (e == nullptr || !e->has_record() || e->shown.state == liveness::expired || e->shown.state == liveness::withdrawn)
    return std::nullopt;
  return verify(label, key_of(*e)) ? claimed : std::nullopt;
}

const edge_state* registry::find(edge_id edge) const noexcept {
  const entry* e = entry_of(edge);
  return e == nullptr ? nullptr : &e->shown;
}

const edge_state* registry::find(std::string_view name) const {
  const entry* e = entry_of(name);
  return e == nullptr ? nullptr : &e->shown;
}

void registry::for_each(const std::function<void(const edge_state&)>& visit) const {
  for (const auto& e : entries_)
    if (e) visit(e->shown);
}

bool registry::alive(edge_id edge) const noexcept {
  const entry* e = entry_of(edge);
  return e != nullptr && e->shown.state == liveness::alive;
}

void registry::note(std::vector<edge_id>& list, bool& noted, edge_id edge) {
  if (noted) return;
  noted = true;
  list.push_back(edge);
}

registry::changes registry::take_changes() {
  changes told = std::exchange(changes_, {});
  for (const auto* list : {&told.records, &told.liveness, &told.reports})
    for (const edge_id edge : *list)
      if (entry* e = entry_of(edge)) e->record_noted = e->liveness_noted = e->report_noted = false;
  told.rows = rows_.take_changes();
  unused_.insert(unused_.end(), resting_.begin(), resting_.end());
  resting_.clear();
  return told;
}

}  // namespace nearside::mapping
