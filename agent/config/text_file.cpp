// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "agent/base/unique_fd.hpp"

namespace nearside::config {
namespace {

result<void> check_status(const struct stat& status, std::uintmax_t limit) {
  if (S_ISDIR(status.st_mode)) return error{errc::invalid, "expected a file, found a directory"};
  if (!S_ISREG(status.st_mode)) return error{errc::invalid, "expected a regular file"};
  if (static_cast<std::uintmax_t>(status.st_size) > limit) {
    return error{errc::exhausted, "expected a file of at most " + std::to_string(limit >> 20) + " MiB, found " +
                                      std::to_string(status.st_size) + " octets"};
  }
  return {};
}

}  // namespace

result<void> check_file(const std::filesystem::path& path, std::uintmax_t limit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error(errno, "cannot read the file");
  if (const auto fit = check_status(status, limit); !fit) return fit.error();
  if (::access(path.c_str(), R_OK) != 0) return system_error(errno, "cannot read the file");
  return {};
}

result<void> check_program(const std::filesystem::path& path, std::uintmax_t limit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error(errno, "cannot run the program");
  if (const auto fit = check_status(status, limit); !fit) return fit.error();
  if (::access(path.c_str(), X_OK) != 0) return system_error(errno, "cannot run the program");
  return {};
}

result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
  // Not blocking: opening a pipe that nobody writes to would wait for ever.
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return system_error(errno, "cannot read the file");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(errno, "cannot read the file");
  if (const auto fit = check_status(status, limit); !fit) return fit.error();

  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(errno, "cannot read the file");
    if (count == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) return error{errc::exhausted, "the file grew while it was read"};
  }
}

}  // namespace nearside::config
