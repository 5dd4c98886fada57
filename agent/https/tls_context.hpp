// SPDX-License-Identifier: BSD-2-Clause
// What a TLS connection of ours is made with: whom we believe, who we are, which versions. Made at the start and on a
// reload; immutable afterwards, shared by connections.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "agent/base/result.hpp"

namespace nearside::https {

/// TLS 1.2 is for programs of others that know no better.
enum class tls_version : std::uint8_t { tls12, tls13 };

/// All in PEM.
struct tls_files {
  std::filesystem::path ca;           // certificates of those whose word counts; empty: the system's (client only)
  std::filesystem::path certificate;  // ours, and what leads to the CA, ours first; empty: none (client only)
  std::filesystem::path key;          // the certificate's; not encrypted
  tls_version oldest = tls_version::tls13;
};

using tls_context = std::shared_ptr<boost::asio::ssl::context>;

/// For connections that we open: the other side must have a certificate of the CA's; for which name is said with each
/// connection. Errors: invalid, not_found or denied, naming the file and what is wrong with it.
[[nodiscard]] result<tls_context> client_context(const tls_files& files);
/// For connections that we accept: who has no certificate of the CA's is refused in the handshake.
[[nodiscard]] result<tls_context> server_context(const tls_files& files);

}  // namespace nearside::https
