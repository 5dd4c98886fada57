// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/ethtool.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "agent/base/unique_fd.hpp"

namespace nearside::dataplane {

result<bool> vlan_offload(const std::string& interface) {
  const unique_fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_error(errno, "a socket to ask for settings of " + interface);
  if (interface.size() >= IFNAMSIZ) return error{errc::not_found, interface + ": no such network interface"};
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&flags);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) {
    if (errno == EOPNOTSUPP) return false;
    return system_error(errno, interface + ": asking for its VLAN settings");
  }
  return (flags.data & ETH_FLAG_RXVLAN) != 0;
}

}  // namespace nearside::dataplane
