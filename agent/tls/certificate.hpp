// SPDX-License-Identifier: BSD-2-Clause
// What OpenSSL thinks of a server's certificate, in our words. Pure functions.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace nearside::tls {

/// Whole days until the certificate of the peer expires, rounded down; negative: it has. Nothing: there is none.
[[nodiscard]] std::optional<int> days_left(const SSL* connection);

/// "tls: certificate has expired" for an X509_V_ERR_* other than X509_V_OK.
[[nodiscard]] std::string certificate_reason(long verify_result);

/// "tls: wrong version number" for an error of OpenSSL's (ERR_get_error).
[[nodiscard]] std::string handshake_reason(unsigned long openssl_error);

/// SNI, and whom the certificate must be for: a host name or an IP address. False: OpenSSL does not take the name.
[[nodiscard]] bool expect_name(SSL* connection, const std::string& name);

}  // namespace nearside::tls
