// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/environment.hpp"

#include <cap-ng.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <charconv>
#include <string>

namespace nearside::dataplane {

namespace fs = std::filesystem;

bool kernel_is_recent_enough(std::string_view release) noexcept {
  unsigned major = 0;
  unsigned minor = 0;
  const char* const end = release.data() + release.size();
  const auto first = std::from_chars(release.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return false;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc{}) return false;
  return major > 5 || (major == 5 && minor >= 10);
}

result<void> check_capabilities() {
  if (capng_get_caps_process() != 0) return error{errc::system, "capabilities of this process: cannot be read"};
  const auto have = [](unsigned capability) { return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0; };
  const bool all = have(CAP_SYS_ADMIN);
  std::string missing;
  const auto need = [&missing](bool present, std::string_view label) {
    if (!present) missing += (missing.empty() ? "" : ", ") + std::string(label);
  };
  need(all || have(CAP_BPF), "CAP_BPF");
  need(have(CAP_NET_ADMIN), "CAP_NET_ADMIN");
  need(all || have(CAP_PERFMON), "CAP_PERFMON");
  if (missing.empty()) return {};
  return error{errc::denied, "loading and using the XDP program: missing " + missing +
                                 "; run as root, or give the process these capabilities"};
}

result<void> check_environment(const fs::path& root) {
  struct utsname kernel {};
  if (uname(&kernel) != 0) return system_error(errno, "uname");
  if (!kernel_is_recent_enough(kernel.release)) {
    return error{errc::unsupported, std::string("kernel ") + kernel.release + ": nearside needs Linux 5.10 or later"};
  }
  if (auto rights = check_capabilities(); !rights) return rights;

  std::error_code ignored;
  fs::path existing = root;
  while (!existing.empty() && existing != existing.root_path() && !fs::exists(existing, ignored)) {
    existing = existing.parent_path();
  }
  struct statfs where {};
  if (statfs(existing.c_str(), &where) != 0) return system_error(errno, existing.string());
  if (where.f_type != BPF_FS_MAGIC) {
    return error{errc::unsupported, root.string() + ": " + existing.string() +
                                        " is not on a BPF file system; run `mount -t bpf bpf /sys/fs/bpf`"};
  }
  return {};
}

}  // namespace nearside::dataplane
