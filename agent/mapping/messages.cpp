// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/messages.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "agent/mapping/encoding.hpp"
#include "agent/mapping/json_reader.hpp"

namespace nearside::mapping {
namespace json = boost::json;
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

struct refusal_row {
  std::string_view word;
  unsigned status;
};
constexpr std::array<refusal_row, refusal_count> refusals{{{"malformed", 400},
                                                           {"not_allowed", 403},
                                                           {"unknown_edge", 404},
                                                           {"stale_sequence", 409},
                                                           {"too_large", 413},
                                                           {"too_many", 429}}};
constexpr std::size_t most_reason = 64;
constexpr std::size_t most_detail = 1024;
constexpr std::size_t most_label = 63;

json::array names_json(const std::vector<std::string>& names) {
  json::array all;
  all.reserve(names.size());
  for (const std::string& name : names) all.emplace_back(name);
  return all;
}

std::vector<std::string> names_in(json_reader& from, const json::value* value, const place& at) {
  std::vector<std::string> names;
  if (const json::array* all = from.array(value, at, 0, most_servers)) {
    names.reserve(all->size());
    for (std::size_t i = 0; i < all->size(); ++i) names.push_back(from.name(&(*all)[i], place(at, i)));
  }
  return names;
}

void read_envelope(json_reader& from, std::string& edge, std::uint64_t& sequence) {
  edge = from.name(from.member("edge"), place("edge"));
  sequence = from.integer(from.member("sequence"), place("sequence"), 1, most_integer);
}

void read_addresses(json_reader& from, registration& message) {
  const place at("addresses");
  const json::array* all = from.array(from.member("addresses"), at, 1, most_addresses);
  if (all == nullptr) return;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto address = from.host(&(*all)[i], place(at, i));
    if (std::find(message.addresses.begin(), message.addresses.end(), address) != message.addresses.end())
      from.fail(place(at, i), "each address once");
    message.addresses.push_back(address);
  }
}

void read_egresses(json_reader& from, registration& message) {
  const place at("egresses");
  const json::array* all = from.array(from.member("egresses"), at, 0, most_egresses);
  if (all == nullptr) return;
  message.egresses.reserve(all->size());
  for (std::size_t i = 0; i < all->size(); ++i) {
    const place here(at, i);
    const json::value* one = from.object(&(*all)[i], here);
    egress_claim claim;
    claim.address = from.host(json_reader::member(one, "address"), place(here, "address"));
    if (const json::value* nonce = json_reader::member(one, "nonce"); nonce != nullptr && !nonce->is_null())
      claim.nonce = from.text(nonce, place(here, "nonce"), 0, most_label);
    if (const auto rtt = from.optional_integer(json_reader::member(one, "rtt_us"), place(here, "rtt_us"),
                                               static_cast<std::uint64_t>(most_rtt.count())))
      claim.rtt = microseconds(*rtt);
    message.egresses.push_back(std::move(claim));
    if (!from.good()) return;
  }
}

void read_verdicts(json_reader& from, registered& answer) {
  const place at("egresses");
  const json::value* value = from.member("egresses");
  if (value == nullptr) return;  // a renewal's answer
  const json::array* all = from.array(value, at, 0, most_egresses);
  if (all == nullptr) return;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const place here(at, i);
    const json::value* one = from.object(&(*all)[i], here);
    egress_verdict verdict;
    verdict.address = from.host(json_reader::member(one, "address"), place(here, "address"));
    const auto state = from.text(json_reader::member(one, "state"), place(here, "state"), 1, most_reason);
    verdict.accepted = state == "accepted";
    if (!verdict.accepted && state != "refused") from.fail(place(here, "state"), R"("accepted" or "refused")");
    if (const json::value* reason = json_reader::member(one, "reason"); reason != nullptr)
      verdict.reason = from.text(reason, place(here, "reason"), 0, most_reason);
    answer.egresses.push_back(std::move(verdict));
    if (!from.good()) return;
  }
}

void read_servers(json_reader& from, registered& answer) {
  const place at("servers");
  const json::value* servers = from.object(from.member("servers"), at);
  answer.default_servers = names_in(from, json_reader::member(servers, "default"), place(at, "default"));
  const place clients(at, "by_client");
  const json::array* all = from.array(json_reader::member(servers, "by_client"), clients, 0, most_egresses);
  if (all == nullptr) return;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const place here(clients, i);
    const json::value* one = from.object(&(*all)[i], here);
    served_by served;
    const auto who = parse_prefix(from.text(json_reader::member(one, "prefix"), place(here, "prefix"), 1, 64));
    if (who)
      served.who = *who;
    else
      from.fail(place(here, "prefix"), "an address prefix");
    served.servers = names_in(from, json_reader::member(one, "ns"), place(here, "ns"));
    answer.servers.push_back(std::move(served));
    if (!from.good()) return;
  }
}

void read_nonce(json_reader& from, registered& answer) {
  answer.nonce_zone = from.name(from.member("nonce_zone"), place("nonce_zone"));
  const auto key = parse_base64url(from.text(from.member("nonce_key"), place("nonce_key"), 1, 64));
  if (key && key->size() == answer.nonce_key.size())
    std::copy(key->begin(), key->end(), answer.nonce_key.begin());
  else
    from.fail(place("nonce_key"), "32 octets in base64url without padding");
  answer.nonce_edge = static_cast<edge_id>(
      from.integer(from.member("nonce_edge"), place("nonce_edge"), 0, std::numeric_limits<edge_id>::max()));
}

}  // namespace

std::string_view text_of(refusal why) noexcept { return refusals[static_cast<std::size_t>(why)].word; }
unsigned http_status_of(refusal why) noexcept { return refusals[static_cast<std::size_t>(why)].status; }
refusal refusal_of(const error& e) noexcept {
  return e.kind == errc::exhausted ? refusal::too_large : refusal::malformed;
}

std::string to_json(const registration& message, bool with_content) {
  json::object whole{{"edge", message.edge}, {"sequence", message.sequence}, {"lifetime", message.lifetime.count()}};
  if (with_content) {
    json::array addresses;
    for (const auto& address : message.addresses) addresses.emplace_back(address.to_string());
    whole["addresses"] = std::move(addresses);
    json::array egresses;
    egresses.reserve(message.egresses.size());
    for (const egress_claim& claim : message.egresses) {
      json::object one{{"address", claim.address.to_string()}};
      if (!claim.nonce.empty()) one["nonce"] = claim.nonce;
      if (claim.rtt) one["rtt_us"] = claim.rtt->count();
      egresses.push_back(std::move(one));
    }
    whole["egresses"] = std::move(egresses);
  }
  return json::serialize(whole);
}

result<registration> parse_registration(std::string_view body, bool with_content) {
  json_reader from(body, most_body);
  registration message;
  read_envelope(from, message.edge, message.sequence);
  message.lifetime = seconds(from.integer(from.member("lifetime"), place("lifetime"),
                                          static_cast<std::uint64_t>(least_lifetime.count()),
                                          static_cast<std::uint64_t>(most_lifetime.count())));
  if (with_content && from.good()) {
    read_addresses(from, message);
    read_egresses(from, message);
  }
  if (!from.good()) return from.wrong();
  return message;
}

std::string to_json(const withdrawal& message) {
  return json::serialize(json::object{{"edge", message.edge}, {"sequence", message.sequence}});
}

result<withdrawal> parse_withdrawal(std::string_view body) {
  json_reader from(body, most_body);
  withdrawal message;
  read_envelope(from, message.edge, message.sequence);
  if (!from.good()) return from.wrong();
  return message;
}

std::string to_json(const registered& answer) {
  json::array egresses;
  egresses.reserve(answer.egresses.size());
  for (const egress_verdict& verdict : answer.egresses) {
    json::object one{{"address", verdict.address.to_string()}, {"state", verdict.accepted ? "accepted" : "refused"}};
    if (!verdict.reason.empty()) one["reason"] = verdict.reason;
    egresses.push_back(std::move(one));
  }
  json::array by_client;
  by_client.reserve(answer.servers.size());
  for (const served_by& served : answer.servers)
    by_client.push_back(json::object{{"prefix", text_of(served.who)}, {"ns", names_json(served.servers)}});
  return json::serialize(json::object{
      {"lifetime", answer.lifetime.count()},
      {"nonce_zone", answer.nonce_zone},
      {"nonce_key", base64url(answer.nonce_key)},
      {"nonce_edge", answer.nonce_edge},
      {"egresses", std::move(egresses)},
      {"ttl", answer.ttl},
      {"servers", json::object{{"default", names_json(answer.default_servers)}, {"by_client", std::move(by_client)}}}});
}

result<registered> parse_registered(std::string_view body) {
  json_reader from(body, most_answer);
  registered answer;
  answer.lifetime = seconds(
      from.integer(from.member("lifetime"), place("lifetime"), 1, static_cast<std::uint64_t>(most_lifetime.count())));
  if (from.good()) read_nonce(from, answer);
  if (from.good()) read_verdicts(from, answer);
  answer.ttl = static_cast<std::uint32_t>(from.integer(from.member("ttl"), place("ttl"), 0, most_ttl));
  if (from.good()) read_servers(from, answer);
  if (!from.good()) return from.wrong();
  return answer;
}

std::string to_json(const refused& answer) {
  json::object whole{{"error", text_of(answer.why)}, {"detail", answer.detail}};
  if (answer.newest) whole["newest"] = *answer.newest;
  return json::serialize(whole);
}

result<refused> parse_refused(std::string_view body) {
  json_reader from(body, most_body);
  refused answer;
  const std::string_view word = from.text(from.member("error"), place("error"), 1, most_reason);
  const auto* const found =
      std::find_if(refusals.begin(), refusals.end(), [&](const refusal_row& row) { return row.word == word; });
  if (found == refusals.end())
    from.fail(place("error"), "a word of the protocol");
  else
    answer.why = static_cast<refusal>(found - refusals.begin());
  if (const json::value* detail = from.member("detail"); detail != nullptr)
    answer.detail = from.text(detail, place("detail"), 0, most_detail);
  answer.newest = from.optional_integer(from.member("newest"), place("newest"), most_integer);
  if (!from.good()) return from.wrong();
  return answer;
}

}  // namespace nearside::mapping
