// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/record.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent/mapping/json_reader.hpp"

namespace nearside::mapping {
namespace json = boost::json;
namespace {

using std::chrono::microseconds;

std::int64_t number_of(instant when) {
  return std::chrono::duration_cast<microseconds>(when.time_since_epoch()).count();
}

instant instant_in(json_reader& from, const json::value* value, const place& at) {
  return instant(microseconds(from.integer(value, at, 0, most_integer)));
}

void read_addresses(json_reader& from, edge_record& record) {
  const place at("addresses");
  const json::array* all = from.array(from.member("addresses"), at, record.withdrawn ? 0 : 1, most_addresses);
  if (all == nullptr) return;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto address = from.host(&(*all)[i], place(at, i));
    if (std::find(record.addresses.begin(), record.addresses.end(), address) != record.addresses.end())
      from.fail(place(at, i), "each address once");
    record.addresses.push_back(address);
  }
}

void read_egresses(json_reader& from, edge_record& record) {
  const place at("egresses");
  const json::array* all = from.array(from.member("egresses"), at, 0, most_egresses);
  if (all == nullptr) return;
  record.egresses.reserve(all->size());
  for (std::size_t i = 0; i < all->size() && from.good(); ++i) {
    const place here(at, i);
    const json::value* one = from.object(&(*all)[i], here);
    egress_record egress;
    egress.who = from.key(json_reader::member(one, "who"), place(here, "who"));
    if (const auto rtt = from.optional_integer(json_reader::member(one, "rtt_us"), place(here, "rtt_us"),
                                               static_cast<std::uint64_t>(most_rtt.count())))
      egress.rtt = microseconds(*rtt);
    egress.proved = instant_in(from, json_reader::member(one, "proved"), place(here, "proved"));
    record.egresses.push_back(egress);
  }
  const auto by_prefix = [](const egress_record& a, const egress_record& b) { return a.who < b.who; };
  std::sort(record.egresses.begin(), record.egresses.end(), by_prefix);
  const auto same = [](const egress_record& a, const egress_record& b) { return a.who == b.who; };
  if (std::adjacent_find(record.egresses.begin(), record.egresses.end(), same) != record.egresses.end())
    from.fail(at, "each prefix once");
}

}  // namespace

std::string to_json(const edge_record& r) {
  json::array addresses;
  for (const auto& address : r.addresses) addresses.emplace_back(address.to_string());
  json::array egresses;
  egresses.reserve(r.egresses.size());
  for (const egress_record& egress : r.egresses) {
    json::object one{{"who", text_of(egress.who)}};
    if (egress.rtt) one["rtt_us"] = egress.rtt->count();
    one["proved"] = number_of(egress.proved);
    egresses.push_back(std::move(one));
  }
  return json::serialize(json::object{{"edge", r.edge},
                                      {"sequence", r.sequence},
                                      {"accepted_by", r.accepted_by},
                                      {"registered", number_of(r.registered)},
                                      {"expires", number_of(r.expires)},
                                      {"withdrawn", r.withdrawn},
                                      {"addresses", std::move(addresses)},
                                      {"egresses", std::move(egresses)}});
}

result<edge_record> parse_record(std::string_view text) {
  json_reader from(text, most_record);
  edge_record record;
  record.edge = from.name(from.member("edge"), place("edge"));
  record.sequence = from.integer(from.member("sequence"), place("sequence"), 1, most_integer);
  record.accepted_by = from.text(from.member("accepted_by"), place("accepted_by"), 1, 255);
  record.registered = instant_in(from, from.member("registered"), place("registered"));
  record.expires = instant_in(from, from.member("expires"), place("expires"));
  record.withdrawn = from.truth(from.member("withdrawn"), place("withdrawn"));
  if (from.good()) read_addresses(from, record);
  if (from.good()) read_egresses(from, record);
  if (from.good() && record.withdrawn && !record.egresses.empty()) from.fail(place("egresses"), "none where withdrawn");
  if (!from.good()) return from.wrong();
  return record;
}

}  // namespace nearside::mapping
