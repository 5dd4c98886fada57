// SPDX-License-Identifier: BSD-2-Clause
#include "cli/message_text.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <memory>

#include "agent/dns/ldns.hpp"

namespace nearside::cli {
namespace {

struct free_text {
  void operator()(char* text) const noexcept { std::free(text); }
};

/// Takes over text that ldns allocated; nullptr becomes "?".
std::string taken(char* text) {
  const std::unique_ptr<char, free_text> owned(text);
  return owned ? std::string(owned.get()) : "?";
}

std::string data_text(const ldns_rr& rr) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&rr); ++i)
    (text += i == 0 ? "" : " ") += taken(ldns_rdf2str(ldns_rr_rdf(&rr, i)));
  return text;
}

std::vector<record_text> records_of(const ldns_rr_list* list) {
  std::vector<record_text> records;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const ldns_rr& rr = *ldns_rr_list_rr(list, i);
    records.push_back({taken(ldns_rdf2str(ldns_rr_owner(&rr))), ldns_rr_ttl(&rr),
                       taken(ldns_rr_type2str(ldns_rr_get_type(&rr))), data_text(rr)});
  }
  return records;
}

/// The client subnet (RFC 7871 6) among the EDNS options.
std::string ecs_text(std::span<const std::uint8_t> options) {
  const auto word = [&](std::size_t at) { return std::size_t{options[at]} << 8 | options[at + 1]; };
  while (options.size() >= 4) {
    const std::size_t code = word(0);
    const std::size_t length = word(2);
    options = options.subspan(4);
    if (length > options.size()) return {};
    if (code == 8 && length >= 4) {
      const bool four = word(0) == 1;
      boost::asio::ip::address_v4::bytes_type bytes4{};
      boost::asio::ip::address_v6::bytes_type bytes6{};
      const auto address = options.subspan(4, length - 4);
      if (address.size() > (four ? bytes4.size() : bytes6.size())) return {};
      std::copy(address.begin(), address.end(), four ? bytes4.data() : bytes6.data());
      return (four ? boost::asio::ip::address_v4(bytes4).to_string()
                   : boost::asio::ip::address_v6(bytes6).to_string()) +
             "/" + std::to_string(options[2]) + ", scope " + std::to_string(options[3]);
    }
    options = options.subspan(length);
  }
  return {};
}

boost::json::array records_json(const std::vector<record_text>& records) {
  boost::json::array all;
  for (const record_text& r : records)
    all.push_back({{"name", r.owner}, {"ttl", r.ttl}, {"type", r.type}, {"data", r.data}});
  return all;
}

}  // namespace

result<message_text> decode_message(std::span<const std::uint8_t> message) {
  ldns_pkt* raw = nullptr;
  const ldns_status status = ldns_wire2pkt(&raw, message.data(), message.size());
  if (status != LDNS_STATUS_OK)
    return error{errc::invalid, std::string("the reply cannot be decoded: ") + ldns_get_errorstr_by_id(status)};
  const dns::owned_packet packet(raw);

  message_text text;
  text.rcode = taken(ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet.get())));
  const auto flag = [&](bool set, const char* label) {
    if (set) text.flags.emplace_back(label);
  };
  flag(ldns_pkt_qr(packet.get()), "qr");
  flag(ldns_pkt_aa(packet.get()), "aa");
  flag(ldns_pkt_tc(packet.get()), "tc");
  flag(ldns_pkt_rd(packet.get()), "rd");
  flag(ldns_pkt_ra(packet.get()), "ra");
  flag(ldns_pkt_ad(packet.get()), "ad");
  flag(ldns_pkt_cd(packet.get()), "cd");
  text.answer = records_of(ldns_pkt_answer(packet.get()));
  text.authority = records_of(ldns_pkt_authority(packet.get()));
  text.additional = records_of(ldns_pkt_additional(packet.get()));
  text.edns = ldns_pkt_edns(packet.get());
  if (const ldns_rdf* options = ldns_pkt_edns_data(packet.get()))
    text.ecs = ecs_text({ldns_rdf_data(options), ldns_rdf_size(options)});
  return text;
}

std::string to_string(const record_text& record) {
  return record.owner + " " + std::to_string(record.ttl) + " " + record.type + " " + record.data;
}

boost::json::object to_json(const message_text& message) {
  boost::json::array flags;
  for (const std::string& f : message.flags) flags.emplace_back(f);
  return {{"rcode", message.rcode},
          {"flags", std::move(flags)},
          {"answer", records_json(message.answer)},
          {"authority", records_json(message.authority)},
          {"additional", records_json(message.additional)},
          {"edns", message.edns},
          {"ecs", message.ecs.empty() ? boost::json::value() : boost::json::value(message.ecs)}};
}

}  // namespace nearside::cli
