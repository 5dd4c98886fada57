// SPDX-License-Identifier: BSD-2-Clause
// Why a check did not succeed, and how that counts: against the network, against the server, or against nobody.
// Plain values; any thread.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/score/sample.hpp"

namespace nearside::probe {

enum class cause : std::uint8_t {
  timeout,      ///< nothing came in time
  unreachable,  ///< no way to the host or its network
  refused,      ///< nobody listens on the port
  broken,       ///< the connection was reset, or closed before its time
  tls,          ///< no handshake, or a certificate that is no good
  answer,       ///< an answer, and not the expected one
  local,        ///< nothing was found out about the server: no file descriptor, no right, no program here
};

/// The one place that says how a cause counts. Nothing: it must not count against the server.
[[nodiscard]] constexpr std::optional<score::outcome> outcome_of(cause why) noexcept {
  switch (why) {
    case cause::timeout:
    case cause::unreachable: return score::outcome::lost;
    case cause::refused:
    case cause::broken:
    case cause::tls:
    case cause::answer: return score::outcome::failed;
    case cause::local: return std::nullopt;
  }
  return std::nullopt;
}

/// A cause with its words, "timeout: connect", "http 503"; docs/checks.md lists them.
struct trouble {
  cause why = cause::local;
  std::string reason;
  errc kind = errc::system;  // of a local fault
};

/// What an error of a socket during `step` ("connect") means. What the system says about us (EMFILE, EPERM, EINVAL,
/// ...) is local: only errors that the network or the server can cause count.
[[nodiscard]] trouble trouble_of(const boost::system::error_code& failed, std::string_view step);

/// A local fault from an errno.
[[nodiscard]] trouble local_fault(int number, std::string_view doing);

}  // namespace nearside::probe
