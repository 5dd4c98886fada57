// SPDX-License-Identifier: BSD-2-Clause
#include "cli/explanation.hpp"

#include <linux/bpf.h>

#include <algorithm>

#include "agent/dataplane/attach.hpp"
#include "agent/dataplane/client_lookup.hpp"
#include "agent/dataplane/listen.hpp"

namespace nearside::cli {
namespace {

using dataplane::map_id;
using dataplane::object;
namespace ip = boost::asio::ip;

/// A client of the documentation prefixes that is none of our own addresses: from those no query is answered.
ip::address example_client(bool four, const std::vector<ip::address>& ours) {
  for (const char* text :
       four ? std::array{"198.51.100.1", "203.0.113.1"} : std::array{"2001:db8:ffff::1", "2001:db8:fffe::1"}) {
    auto address = ip::make_address(text);
    if (std::find(ours.begin(), ours.end(), address) == ours.end()) return address;
  }
  return ip::make_address(four ? "192.0.2.1" : "2001:db8::1");
}

/// The message that the program would make of an image, without OPT.
std::vector<std::uint8_t> message_of(const dataplane::image_view& image, const query& asked, std::uint8_t zone_octets) {
  std::vector<std::uint8_t> message = query_message(asked);
  const std::size_t qname_octets = asked.qname.wire().size();
  message.resize(12 + qname_octets + 4);
  const auto count = [&](std::size_t at, std::uint16_t value) {
    message[at] = static_cast<std::uint8_t>(value >> 8);
    message[at + 1] = static_cast<std::uint8_t>(value);
  };
  message[2] = static_cast<std::uint8_t>(0x81 | ((image.flags & IMAGE_AUTHORITATIVE) != 0 ? 0x04 : 0) |
                                         ((image.flags & IMAGE_TRUNCATED) != 0 ? 0x02 : 0));
  count(6, image.ancount);
  count(8, image.nscount);
  count(10, image.arcount);
  const std::size_t start = message.size();
  message.insert(message.end(), image.octets.begin(), image.octets.end());
  if (image.zone_pointer != NO_ZONE_POINTER && image.zone_pointer + std::size_t{2} <= image.octets.size())
    count(start + image.zone_pointer, static_cast<std::uint16_t>(0xc000 | (12 + qname_octets - zone_octets)));
  return message;
}

/// Each alternative is drawn equally often, and hands on what is above its share (dns::draw()).
void add_shares(const object& tables, const answer_ref& ref, std::vector<alternative>& all) {
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto image = dataplane::image_of(tables, ref, static_cast<std::uint8_t>(k));
    if (!image) continue;
    const double kept = (image->share + 1) / 65536.0;
    all[k].share += kept / static_cast<double>(all.size());
    if (image->other < all.size()) all[image->other].share += (1 - kept) / static_cast<double>(all.size());
  }
}

std::vector<alternative> alternatives_of(const object& tables, const table_path& path, const query& asked) {
  std::vector<alternative> all;
  for (std::uint8_t k = 0; k < path.ref.alternatives; ++k) {
    alternative one;
    one.slot = path.ref.slot + k;
    if (const auto image = dataplane::image_of(tables, path.ref, k)) {
      one.generation = image->generation;
      one.settled = image->generation != 0 && (image->generation & 0xffff) == path.ref.generation;
      one.ancount = image->ancount;
      one.nscount = image->nscount;
      one.arcount = image->arcount;
      one.octets = image->octets.size();
      one.message = decode_message(message_of(*image, asked, path.name->zone_octets));
    } else {
      one.message = error{errc::invalid, "the slot is out of range"};
    }
    all.push_back(std::move(one));
  }
  add_shares(tables, path.ref, all);
  return all;
}

result<table_path> follow_tables(const object& tables, const query& asked) {
  table_path path;
  path.map = dataplane::map_label(asked.qname.wire().size() <= SHORT_QNAME ? map_id::names_short : map_id::names_long);
  path.key = dataplane::key_of(tables, asked.qname);
  path.type_class = dataplane::type_class_of(asked.qtype);
  auto found = dataplane::find_name(tables, asked.qname);
  if (!found) return found.error();
  path.name = std::move(*found);
  if (!path.name) return path;
  path.answers_index = object::answer_index(path.name->set, path.type_class);
  path.ref = dataplane::answers_of(tables, path.name->set)[path.type_class];
  if ((path.ref.flags & ANSWER_BY_SITE) != 0) {
    path.by_site = true;
    path.base = path.ref.slot;
    path.ecs_to_agent = (path.ref.flags & ANSWER_ECS_TO_AGENT) != 0;
    path.site = dataplane::site_of(tables, asked.source);
    path.ref = path.site ? dataplane::site_answer_of(tables, path.base, *path.site) : answer_ref{};
  }
  path.alternatives = alternatives_of(tables, path, asked);
  path.stale = dataplane::stale_answers_of(tables, path.name->set);
  return path;
}

/// An interface that the program is on, for the look-up of the way back; 0: none.
std::uint32_t interface_of(const object& tables) {
  const auto attached = dataplane::attachments(tables.root());
  if (!attached) return 0;
  for (const auto& a : *attached)
    if (a.interface_index != 0) return a.interface_index;
  return 0;
}

}  // namespace

result<query> compose_query(const object& tables, const dns::name& qname, std::uint16_t qtype, const asker& by) {
  query asked;
  asked.qname = qname;
  asked.qtype = qtype;
  const auto listen = dataplane::get_listen(tables);
  if (listen.addresses.empty())
    return error{errc::not_found, "the program listens on no address yet: start nearsided, which tells it"};
  asked.port = listen.port;
  asked.destination = listen.addresses.front();

  std::string source = by.resolver;
  if (!by.client.empty()) {
    // An address alone is who asks, unless a resolver asks for it.
    const auto prefix = prefix_from_text(by.client);
    if (!prefix) return prefix.error();
    if (by.client.find('/') == std::string::npos && by.resolver.empty())
      source = by.client;
    else
      asked.client = *prefix;
  }
  if (source.empty()) {
    asked.source = example_client(asked.destination.is_v4(), listen.addresses);
    return asked;
  }
  boost::system::error_code bad;
  asked.source = ip::make_address(source, bad);
  if (bad) return error{errc::invalid, source + ": not an address"};
  const bool four = asked.source.is_v4();
  const auto ours = std::find_if(listen.addresses.begin(), listen.addresses.end(),
                                 [four](const ip::address& a) { return a.is_v4() == four; });
  if (ours == listen.addresses.end())
    return error{errc::not_found,
                 std::string("the program listens on no ") + (four ? "IPv4" : "IPv6") +
                     " address, so no query can come from " + source +
                     (by.resolver.empty() ? "; as ECS: --client " + source + (four ? "/32" : "/128") : std::string())};
  asked.destination = *ours;
  return asked;
}

result<explanation> explain_query(const object& tables, const query& asked) {
  explanation all;
  all.asked = asked;
  auto path = follow_tables(tables, asked);
  if (!path) return path.error();
  all.path = std::move(*path);
  auto kernel = try_query(tables, query_frame(asked), interface_of(tables));
  if (!kernel) return kernel.error();
  all.kernel = std::move(*kernel);
  if (all.kernel.action == XDP_TX) all.reply = decode_message(message_in(all.kernel.frame));
  return all;
}

}  // namespace nearside::cli
