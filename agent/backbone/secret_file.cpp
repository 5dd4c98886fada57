// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/secret_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

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
