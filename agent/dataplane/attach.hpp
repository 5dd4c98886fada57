// SPDX-License-Identifier: BSD-2-Clause
// Attaching the program to interfaces: one bpf_link each, pinned as `<root>/links/<interface>`, which outlives the
// process. Used by the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// native: in the driver; generic: in the stack, far slower; automatic: native where the driver can, else generic.
enum class attach_mode { automatic, native, generic };
[[nodiscard]] std::string_view mode_label(attach_mode mode) noexcept;

struct attach_options {
  attach_mode mode = attach_mode::automatic;
  /// The NIC takes VLAN tags off before the program sees the frame; with this option that is accepted, and right where
  /// no tagged queries come in.
  bool allow_vlan_offload = false;
};

/// What is attached to one interface.
struct attachment {
  std::string interface;
  std::uint32_t interface_index = 0;       // 0: the interface is gone, the pinned link is a left-over
  attach_mode mode = attach_mode::native;  // native or generic
  std::uint32_t program_id = 0;
  std::string program_tag;  // 16 hex digits
  bool current = false;     // it runs the pinned program
};

/// How an attach went.
struct attach_outcome {
  enum class change { attached, updated, unchanged } what = change::attached;
  attachment now;
};

/// Attaches the pinned program, or updates the link in place where it runs another one (call object::refresh_program
/// before, so that the pinned program is this executable's).
/// Errors: not_found, no such interface; denied; busy, another XDP program is there (its id, name and mode are told);
/// unsupported, no native XDP in this driver (says to use --mode generic), or rx-vlan-offload is on (says how to switch
/// it off).
result<attach_outcome> attach(const object& tables, const std::string& interface, const attach_options& options = {});

/// Takes the program off. Errors: not_found, we are not attached there.
/// `also_purge`: after the last interface the pins of maps and program go too; not while an agent is to be served.
result<void> detach(const std::filesystem::path& root, const std::string& interface, bool also_purge = false);

/// All our attachments below `root`, by name of the interface. No pins: an empty list.
result<std::vector<attachment>> attachments(const std::filesystem::path& root);

}  // namespace nearside::dataplane
