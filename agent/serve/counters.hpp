// SPDX-License-Identifier: BSD-2-Clause
// What the answering sockets did since the agent started. Plain numbers: written and read on the one serving thread.
#pragma once

#include <array>
#include <cstdint>

namespace nearside::serve {

struct counters {
  // UDP: received = answered + ignored + failed.
  std::uint64_t udp_received = 0;  ///< datagrams
  std::uint64_t udp_answered = 0;  ///< replies handed to the kernel
  std::uint64_t udp_ignored = 0;   ///< no reply is due: a response, less than a header, source port 0, ourselves
  std::uint64_t udp_failed = 0;    ///< a reply was due, and the kernel did not take it

  std::uint64_t tcp_accepted = 0;   ///< connections
  std::uint64_t tcp_evicted = 0;    ///< closed to make room for a newer one
  std::uint64_t tcp_timed_out = 0;  ///< no whole message, or no reading of our answers, in time
  std::uint64_t tcp_broken = 0;     ///< closed for a length that no DNS message has
  std::uint64_t tcp_received = 0;   ///< messages
  std::uint64_t tcp_answered = 0;   ///< replies put in the output
  std::uint64_t tcp_ignored = 0;    ///< messages to which no reply is due

  std::array<std::uint64_t, 16>
      rcodes{};                 ///< replies by the header's RCODE (BADVERS counts as 0: its upper bits are in OPT)
  std::uint64_t truncated = 0;  ///< replies with TC=1
};

}  // namespace nearside::serve
