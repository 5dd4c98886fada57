// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/route_watch.hpp"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string_view>

namespace nearside::dataplane {

namespace {

struct close_socket {
  void operator()(mnl_socket* s) const noexcept { mnl_socket_close(s); }
};

// libmnl's own loops over attributes are macros that are C only.
template <typename Visit>
int visit_attribute(const nlattr* attribute, void* visit) {
  (*static_cast<Visit*>(visit))(attribute);
  return MNL_CB_OK;
}

template <typename Visit>
void for_each_attribute(const nlmsghdr* message, unsigned int header_size, Visit visit) {
  mnl_attr_parse(message, header_size, visit_attribute<Visit>, &visit);
}

template <typename Visit>
void for_each_nested(const nlattr* nest, Visit visit) {
  mnl_attr_parse_nested(nest, visit_attribute<Visit>, &visit);
}

bool is_main(std::uint32_t table) { return table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT; }

// Replies to a link-local address leave by the link that the query came from, whatever this table says of other links.
bool is_link_local(const nlattr* destination, std::uint8_t family) {
  if (family != AF_INET6 || destination == nullptr || mnl_attr_get_payload_len(destination) < 2) return false;
  const auto* const octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(destination));
  return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

void read_next_hops(const nlattr* attribute, route& to) {
  const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(attribute));
  std::size_t left = mnl_attr_get_payload_len(attribute);
  while (left >= sizeof(rtnexthop) && hop->rtnh_len >= sizeof(rtnexthop) && hop->rtnh_len <= left) {
    to.devices.push_back(static_cast<std::uint32_t>(hop->rtnh_ifindex));
    const std::size_t step = std::min<std::size_t>(left, RTNH_ALIGN(hop->rtnh_len));
    left -= step;
    hop = reinterpret_cast<const rtnexthop*>(reinterpret_cast<const std::uint8_t*>(hop) + step);
  }
}

int on_route(const nlmsghdr* message, void* context) {
  auto& seen = *static_cast<network*>(context);
  const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  if (message->nlmsg_type != RTM_NEWROUTE || header->rtm_type != RTN_UNICAST) return MNL_CB_OK;
  if ((header->rtm_flags & RTM_F_CLONED) != 0) return MNL_CB_OK;
  route found;
  std::uint32_t table = header->rtm_table;
  const nlattr* destination = nullptr;
  for_each_attribute(message, sizeof(rtmsg), [&](const nlattr* attribute) {
    switch (mnl_attr_get_type(attribute)) {
      case RTA_TABLE: table = mnl_attr_get_u32(attribute); break;
      case RTA_OIF: found.devices.push_back(mnl_attr_get_u32(attribute)); break;
      case RTA_MULTIPATH: read_next_hops(attribute, found); break;
      case RTA_DST: destination = attribute; break;
      default: break;
    }
  });
  if (is_main(table) && !is_link_local(destination, header->rtm_family)) seen.routes.push_back(std::move(found));
  return MNL_CB_OK;
}

int on_rule(const nlmsghdr* message, void* context) {
  auto& seen = *static_cast<network*>(context);
  const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(message));
  if (message->nlmsg_type != RTM_NEWRULE) return MNL_CB_OK;
  std::uint32_t table = header->table;
  for_each_attribute(message, sizeof(fib_rule_hdr), [&table](const nlattr* attribute) {
    if (mnl_attr_get_type(attribute) == FRA_TABLE) table = mnl_attr_get_u32(attribute);
  });
  if (header->action != FR_ACT_TO_TBL || !(is_main(table) || table == RT_TABLE_LOCAL)) seen.other_tables = true;
  return MNL_CB_OK;
}

int on_link(const nlmsghdr* message, void* context) {
  auto& seen = *static_cast<network*>(context);
  const auto* const header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  if (message->nlmsg_type != RTM_NEWLINK) return MNL_CB_OK;
  interface_link link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  std::uint32_t below = 0;
  bool vlan = false;
  for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr* attribute) {
    switch (mnl_attr_get_type(attribute)) {
      case IFLA_IFNAME: link.name = mnl_attr_get_str(attribute); break;
      case IFLA_LINK: below = mnl_attr_get_u32(attribute); break;
      case IFLA_LINKINFO:
        for_each_nested(attribute, [&vlan](const nlattr* detail) {
          if (mnl_attr_get_type(detail) == IFLA_INFO_KIND) vlan = std::string_view(mnl_attr_get_str(detail)) == "vlan";
        });
        break;
      default: break;
    }
  });
  // Of a veth, IFLA_LINK is the other end: only a VLAN device has something below it.
  if (vlan) link.parent = below;
  seen.links[link.index] = std::move(link);
  return MNL_CB_OK;
}

result<void> dump(std::uint16_t type, std::uint8_t family, mnl_cb_t callback, network& seen) {
  const std::unique_ptr<mnl_socket, close_socket> socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0)
    return system_error(errno, "rtnetlink socket");
  alignas(nlmsghdr) std::array<char, 32768> buffer{};
  nlmsghdr* const request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = type;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  // rtmsg, ifinfomsg and fib_rule_hdr begin with the family.
  auto* const header = static_cast<std::uint8_t*>(
      mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(rtmsg)));
  header[0] = family;
  if (mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0) return system_error(errno, "rtnetlink request");
  for (;;) {
    const auto length = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (length < 0) return system_error(errno, "rtnetlink reply");
    const int more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 1, mnl_socket_get_portid(socket.get()),
                                callback, &seen);
    if (more == MNL_CB_STOP) return {};
    // A kernel without IPv6 or without policy routing has no such table.
    if (more < 0 && (errno == EOPNOTSUPP || errno == EAFNOSUPPORT)) return {};
    // The table changed during the dump: what was read may be incomplete, but a change is announced as well.
    if (more < 0 && errno != EINTR) return system_error(errno, "rtnetlink reply");
    if (more < 0) return error{errc::busy, "the routing table changed while it was read"};
  }
}

}  // namespace

result<route_watch> route_watch::open() {
  route_watch watch;
  watch.events_ = unique_fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!watch.events_) return system_error(errno, "rtnetlink socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  constexpr std::uint32_t ipv6_rules = 1u << (RTNLGRP_IPV6_RULE - 1);
  address.nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_LINK | RTMGRP_IPV4_RULE | ipv6_rules;
  if (::bind(watch.events_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error(errno, "rtnetlink subscription");
  }
  return watch;
}

result<bool> route_watch::drain() {
  std::array<char, 8192> buffer{};
  for (bool any = false;; any = true) {
    const auto length = ::recv(events_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length >= 0 || errno == EINTR) continue;
    // So much changed that the kernel could not tell it all.
    if (errno == ENOBUFS) continue;
    if (errno == EAGAIN) return any;
    return system_error(errno, "rtnetlink news");
  }
}

result<network> route_watch::read() {
  network seen;
  for (int tries = 0;; ++tries) {
    seen = {};
    result<void> done = dump(RTM_GETLINK, AF_UNSPEC, on_link, seen);
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
      if (done) done = dump(RTM_GETROUTE, family, on_route, seen);
      if (done) done = dump(RTM_GETRULE, family, on_rule, seen);
    }
    if (done) return seen;
    if (done.error().kind != errc::busy || tries == 5) return done.error();
  }
}

}  // namespace nearside::dataplane
