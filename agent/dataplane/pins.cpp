// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/pins.hpp"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace nearside::dataplane::pins {

namespace fs = std::filesystem;

result<unique_fd> lock(const fs::path& root, sharing how) {
  for (;;) {
    unique_fd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return system_error(errno, root.string());
    while (::flock(directory.get(), how == sharing::shared ? LOCK_SH : LOCK_EX) != 0) {
      if (errno != EINTR) return system_error(errno, "locking " + root.string());
    }
    // While we waited, a purge may have removed the directory and another process made it anew.
    struct stat held {};
    struct stat there {};
    if (::fstat(directory.get(), &held) == 0 && ::stat(root.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
        held.st_dev == there.st_dev) {
      return directory;
    }
  }
}

result<unique_fd> make_and_lock(const fs::path& root) {
  for (;;) {
    std::error_code failed;
    fs::create_directories(root, failed);
    if (failed) return system_error(failed.value(), "making the directory " + root.string());
    auto locked = lock(root, sharing::exclusive);
    if (locked || locked.error().kind != errc::not_found) return locked;
  }
}

fs::path link(const fs::path& root, const std::string& interface) {
  std::string pin;
  for (const char c : interface) {
    if (c == '.') {
      pin += "%2e";
    } else if (c == '%') {
      pin += "%25";
    } else {
      pin += c;
    }
  }
  return links(root) / pin;
}

std::string interface_of(const fs::path& link_pin) {
  const std::string pin = link_pin.filename().string();
  std::string interface;
  for (std::size_t i = 0; i < pin.size(); ++i) {
    const std::string_view escape = std::string_view(pin).substr(i, 3);
    if (escape == "%2e" || escape == "%25") {
      interface += escape == "%2e" ? '.' : '%';
      i += 2;
    } else {
      interface += pin[i];
    }
  }
  return interface;
}

bool any_link(const fs::path& root) {
  std::error_code none;
  const fs::directory_iterator entries(links(root), none);
  return !none && entries != fs::directory_iterator();
}

result<unique_fd> get(const fs::path& pin) {
  unique_fd fd(bpf_obj_get(pin.c_str()));
  if (!fd) return system_error(errno, pin.string());
  return fd;
}

result<void> put(int fd, const fs::path& pin) {
  fs::path aside = pin;
  aside += "_new";
  std::error_code ignored;
  fs::remove(aside, ignored);
  if (bpf_obj_pin(fd, aside.c_str()) != 0) return system_error(errno, "pinning " + pin.string());
  if (::rename(aside.c_str(), pin.c_str()) != 0) {
    const int why = errno;
    fs::remove(aside, ignored);
    return system_error(why, "pinning " + pin.string());
  }
  return {};
}

}  // namespace nearside::dataplane::pins
