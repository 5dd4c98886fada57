// SPDX-License-Identifier: BSD-2-Clause
// A check as the configuration has it, and what is made of it once for all its runs: the TLS context, the compiled
// expression, the DNS query. Owned by the prober; read by the checks on its thread.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/pattern.hpp"
#include "agent/base/result.hpp"
#include "agent/config/measuring.hpp"
#include "agent/probe/dns_question.hpp"

namespace nearside::probe {

struct prepared_check {
  /// Errors: invalid (expression, rdata, request line), not_found or denied (ca_file), each naming the check.
  [[nodiscard]] static result<prepared_check> make(const config::check& check);

  config::check asked;
  std::unique_ptr<boost::asio::ssl::context> tls;  // tls, https
  std::optional<pattern> body;                     // http, https with a body_regex
  std::optional<dns_question> question;            // dns
};

/// The name that SNI carries and the certificate must be for: the check's server_name, else its host without a port,
/// else the address.
[[nodiscard]] std::string expected_name(const config::check& check, const config::probe_target& target);

}  // namespace nearside::probe
