// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/attach.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "agent/dataplane/environment.hpp"
#include "agent/dataplane/ethtool.hpp"
#include "agent/dataplane/pins.hpp"

namespace nearside::dataplane {

namespace fs = std::filesystem;

namespace {

struct program_facts {
  std::uint32_t id = 0;
  std::string name;
  std::string tag;
};

result<program_facts> facts_of(int fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return system_error(errno, "reading about the program");
  program_facts facts{info.id, info.name, {}};
  for (const unsigned char octet : info.tag) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", octet);
    facts.tag += hex.data();
  }
  return facts;
}

program_facts facts_by_id(std::uint32_t id) {
  const unique_fd fd(bpf_prog_get_fd_by_id(id));
  if (fd) {
    if (auto facts = facts_of(fd.get())) return *facts;
  }
  return {id, "?", {}};
}

// What runs on an interface now; mode and id of the first program found.
struct running {
  attach_mode mode = attach_mode::native;
  std::uint32_t program = 0;
};

result<running> query(std::uint32_t index, const std::string& interface) {
  bpf_xdp_query_opts seen{};
  seen.sz = sizeof seen;
  if (const int refused = bpf_xdp_query(static_cast<int>(index), 0, &seen); refused != 0) {
    return system_error(refused, interface + ": asking for its XDP program");
  }
  if (seen.skb_prog_id != 0) return running{attach_mode::generic, seen.skb_prog_id};
  return running{attach_mode::native, seen.drv_prog_id != 0 ? seen.drv_prog_id : seen.hw_prog_id};
}

struct link_facts {
  std::uint32_t interface_index = 0;
  std::uint32_t program = 0;
};

result<link_facts> facts_of_link(int fd, const fs::path& pin) {
  bpf_link_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return system_error(errno, pin.string());
  if (info.type != BPF_LINK_TYPE_XDP) return error{errc::invalid, pin.string() + ": is not an XDP link"};
  return link_facts{info.xdp.ifindex, info.prog_id};
}

// The pinned link of an interface, if there is one that still holds it.
result<std::optional<unique_fd>> live_link(const fs::path& root, const std::string& interface, std::uint32_t index) {
  const fs::path pin = pins::link(root, interface);
  auto fd = pins::get(pin);
  if (!fd) {
    if (fd.error().kind == errc::not_found) return std::optional<unique_fd>();
    return fd.error();
  }
  const auto facts = facts_of_link(fd->get(), pin);
  if (!facts) return facts.error();
  if (facts->interface_index == index) return std::optional(std::move(*fd));
  // The interface that it held is gone (the kernel says 0), or bears another name now.
  if (facts->interface_index != 0) {
    std::array<char, IF_NAMESIZE> other{};
    if (::if_indextoname(facts->interface_index, other.data()) != nullptr) {
      return error{errc::busy, interface + ": " + pin.string() + " holds the interface that is now called " +
                                   other.data() + "; run `nearside detach " + interface + "` first"};
    }
  }
  std::error_code ignored;
  fs::remove(pin, ignored);
  return std::optional<unique_fd>();
}

error occupied(const std::string& interface, const running& other) {
  const program_facts facts = facts_by_id(other.program);
  return {errc::busy, interface + ": another XDP program is attached: id " + std::to_string(facts.id) + ", name " +
                          (facts.name.empty() ? "(none)" : facts.name) + ", mode " +
                          std::string(mode_label(other.mode)) + "; take it off first (`ip link set dev " + interface +
                          (other.mode == attach_mode::generic ? " xdpgeneric" : " xdp") + " off`)"};
}

result<unique_fd> make_link(int program, std::uint32_t index, attach_mode mode) {
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = mode == attach_mode::generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
  unique_fd link(bpf_link_create(program, static_cast<int>(index), BPF_XDP, &options));
  if (!link) return system_error(errno, std::string(mode_label(mode)) + " XDP");
  return link;
}

result<unique_fd> make_link(const object& tables, const std::string& interface, std::uint32_t index, attach_mode mode) {
  const attach_mode first = mode == attach_mode::generic ? attach_mode::generic : attach_mode::native;
  auto link = make_link(tables.program(), index, first);
  if (!link && mode == attach_mode::automatic && link.error().kind == errc::unsupported) {
    link = make_link(tables.program(), index, attach_mode::generic);
  }
  if (link) return link;
  error why = link.error();
  why.message = "attaching to " + interface + ": " + why.message;
  if (why.kind == errc::unsupported && mode == attach_mode::native) {
    why.message += "; its driver has no native XDP, use --mode generic (slower)";
  } else if (why.kind == errc::system && mode != attach_mode::generic) {
    why.message += "; the driver refuses its present settings (MTU, LRO or number of queues), see `dmesg`";
  }
  return why;
}

result<attachment> describe(const std::string& interface, int link, const fs::path& pin, int pinned_program) {
  const auto facts = facts_of_link(link, pin);
  if (!facts) return facts.error();
  attachment a;
  a.interface = interface;
  a.interface_index = facts->interface_index;
  const program_facts program = facts_by_id(facts->program);
  a.program_id = program.id;
  a.program_tag = program.tag;
  if (pinned_program >= 0) {
    if (const auto ours = facts_of(pinned_program)) a.current = ours->id == program.id;
  }
  if (a.interface_index != 0) {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(a.interface_index, name.data()) != nullptr) a.interface = name.data();
    if (const auto there = query(a.interface_index, a.interface)) a.mode = there->mode;
  }
  return a;
}

}  // namespace

std::string_view mode_label(attach_mode mode) noexcept {
  switch (mode) {
    case attach_mode::automatic: return "auto";
    case attach_mode::native: return "native";
    case attach_mode::generic: break;
  }
  return "generic";
}

result<attach_outcome> attach(const object& tables, const std::string& interface, const attach_options& options) {
  if (auto rights = check_capabilities(); !rights) return rights.error();
  const std::uint32_t index = ::if_nametoindex(interface.c_str());
  if (index == 0) return error{errc::not_found, interface + ": no such network interface"};
  const auto offloaded = vlan_offload(interface);
  if (!offloaded) return offloaded.error();
  if (*offloaded && !options.allow_vlan_offload) {
    return error{errc::unsupported, interface +
                                        ": the network card takes VLAN tags off (rx-vlan-offload), so that a reply "
                                        "would lose them; run `ethtool -K " +
                                        interface +
                                        " rxvlan off`, or use --allow-vlan-offload where there are no tags"};
  }
  const auto locked = pins::lock(tables.root(), pins::sharing::exclusive);
  if (!locked) return locked.error();
  auto held = live_link(tables.root(), interface, index);
  if (!held) return held.error();
  const auto there = query(index, interface);
  if (!there) return there.error();

  const fs::path pin = pins::link(tables.root(), interface);
  attach_outcome outcome;
  if (*held) {
    const auto ours = facts_of_link((*held)->get(), pin);
    if (!ours) return ours.error();
    const auto pinned = facts_of(tables.program());
    if (!pinned) return pinned.error();
    const bool other_mode = options.mode != attach_mode::automatic && options.mode != there->mode;
    if (!other_mode) {
      outcome.what = attach_outcome::change::unchanged;
      if (ours->program != pinned->id) {
        if (bpf_link_update((*held)->get(), tables.program(), nullptr) != 0) {
          return system_error(errno, interface + ": updating the attached program");
        }
        outcome.what = attach_outcome::change::updated;
      }
      auto now = describe(interface, (*held)->get(), pin, tables.program());
      if (!now) return now.error();
      outcome.now = std::move(*now);
      return outcome;
    }
    // An interface runs its programs in one mode only, so the old link must go first.
    std::error_code ignored;
    fs::remove(pin, ignored);
    if (bpf_link_detach((*held)->get()) != 0) return system_error(errno, interface + ": detaching");
    outcome.what = attach_outcome::change::updated;
  } else if (there->program != 0) {
    return occupied(interface, *there);
  }

  auto link = make_link(tables, interface, index, options.mode);
  if (!link) return link.error();
  std::error_code failed;
  fs::create_directories(pins::links(tables.root()), failed);
  if (failed) return system_error(failed.value(), "making the directory " + pins::links(tables.root()).string());
  if (bpf_obj_pin(link->get(), pin.c_str()) != 0) return system_error(errno, "pinning " + pin.string());
  auto now = describe(interface, link->get(), pin, tables.program());
  if (!now) return now.error();
  outcome.now = std::move(*now);
  return outcome;
}

result<void> detach(const fs::path& root, const std::string& interface, bool also_purge) {
  if (auto rights = check_capabilities(); !rights) return rights;
  {
    const error not_ours{errc::not_found, interface + ": nearside is not attached here"};
    const auto locked = pins::lock(root, pins::sharing::exclusive);
    if (!locked) return locked.error().kind == errc::not_found ? not_ours : locked.error();
    const fs::path pin = pins::link(root, interface);
    const auto link = pins::get(pin);
    if (!link) return link.error().kind == errc::not_found ? not_ours : link.error();
    // Closing the last descriptor would do, but somebody else (bpftool) may hold one.
    if (bpf_link_detach(link->get()) != 0 && errno != ENOLINK) return system_error(errno, interface + ": detaching");
    std::error_code failed;
    fs::remove(pin, failed);
    if (failed) return system_error(failed.value(), "removing " + pin.string());
  }
  if (also_purge && !pins::any_link(root)) return purge(root);
  return {};
}

result<std::vector<attachment>> attachments(const fs::path& root) {
  std::vector<attachment> found;
  std::error_code none;
  const unique_fd program(bpf_obj_get(pins::program(root).c_str()));
  for (const auto& entry : fs::directory_iterator(pins::links(root), none)) {
    const auto link = pins::get(entry.path());
    if (!link) return link.error();
    auto described = describe(pins::interface_of(entry.path()), link->get(), entry.path(), program.get());
    if (!described) return described.error();
    found.push_back(std::move(*described));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.interface < b.interface; });
  return found;
}

}  // namespace nearside::dataplane
