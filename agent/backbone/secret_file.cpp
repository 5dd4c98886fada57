// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/secret_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "agent/base/unique_fd.hpp"

namespace nearside::backbone {
namespace {

result<mapping::secret_key> read_secret(int fd, const std::string& doing) {
  std::array<std::uint8_t, std::tuple_size_v<mapping::secret_key> + 1> octets{};
  const ssize_t got = ::read(fd, octets.data(), octets.size());
  if (got < 0) return system_error(errno, doing);
  mapping::secret_key secret{};
  if (static_cast<std::size_t>(got) != secret.size())
    return error{errc::invalid, doing + ": expected 32 octets; remove it, and another is made"};
  std::copy_n(octets.begin(), secret.size(), secret.begin());
  return secret;
}

}  // namespace

// A file is there whole or not at all: it is written aside and moved to its name. The agent holds its lock meanwhile.
result<mapping::secret_key> secret_from(const std::filesystem::path& file) {
  const std::string doing = "secret of the nonces " + file.string();
  if (const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)); fd)
    return read_secret(fd.get(), doing);
  if (errno != ENOENT) return system_error(errno, doing);

  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  mapping::secret_key secret{};
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
    return system_error(errno, doing);
  const std::string aside = file.string() + ".new";
  ::unlink(aside.c_str());
  const unique_fd fd(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return system_error(errno, doing);
  const bool written = ::write(fd.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
                       ::fsync(fd.get()) == 0 && ::rename(aside.c_str(), file.c_str()) == 0;
  if (!written) return system_error(errno, doing);
  return secret;
}

}  // namespace nearside::backbone
