// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/instance_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <string>

namespace nearside::admin {
namespace {

/// Locks without waiting. The descriptor must be closed on exec, or a child would hold the lock on.
result<void> take(const unique_fd& file, const std::filesystem::path& path, const std::string& holder) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK)
    return error{errc::busy,
                 path.string() + ": another nearsided is running with it (pid " + holder + "); stop that one first"};
  return system_error(errno, "lock " + path.string());
}

std::string read_pid(const unique_fd& file) {
  std::array<char, 16> text{};
  const auto octets = ::pread(file.get(), text.data(), text.size(), 0);
  const std::string pid(text.data(), octets > 0 ? static_cast<std::size_t>(octets) : 0);
  const auto digits = pid.find_first_not_of("0123456789");
  return pid.empty() || digits == 0 ? "unknown" : pid.substr(0, digits);
}

}  // namespace

result<unique_fd> lock_file(const std::filesystem::path& path) {
  std::error_code ignored;  // where the folder cannot be made, opening the file says why
  std::filesystem::create_directories(path.parent_path(), ignored);
  unique_fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return system_error(errno, "lock " + path.string());
  if (auto taken = take(file, path, read_pid(file)); !taken) return taken.error();
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
    return system_error(errno, "write " + path.string());
  return file;
}

result<unique_fd> lock_directory(const std::filesystem::path& path, std::uint32_t holder) {
  unique_fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error(errno, "lock " + path.string());
  if (auto taken = take(directory, path, std::to_string(holder)); !taken) return taken.error();
  return directory;
}

}  // namespace nearside::admin
