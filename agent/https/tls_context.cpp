// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/tls_context.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <optional>
#include <string>

#include "agent/base/unique_fd.hpp"

namespace nearside::https {
namespace ssl = boost::asio::ssl;

namespace {

/// What OpenSSL complained about; its queue is empty afterwards.
std::string openssl_reason() {
  const unsigned long first = ERR_peek_error();
  std::string said;
  while (const unsigned long one = ERR_get_error()) {
    // A decoder that finds nothing for it (OpenSSL 3).
    if (ERR_GET_LIB(one) == ERR_LIB_OSSL_DECODER) said = "nothing in PEM that is of use here";
    if (ERR_GET_LIB(one) != ERR_LIB_PEM) continue;
    if (ERR_GET_REASON(one) == PEM_R_NO_START_LINE) said = "nothing in PEM that is of use here";
    if (ERR_GET_REASON(one) == PEM_R_BAD_PASSWORD_READ)
      said = "it is encrypted, and there is nobody to ask for the password";
  }
  if (!said.empty()) return said;
  const char* text = ERR_reason_error_string(first);
  return text != nullptr ? text : "OpenSSL does not take it";
}

/// OpenSSL's own words on a file that cannot be opened do not say enough.
std::optional<error> unreadable(const std::string& what, const std::filesystem::path& file) {
  const unique_fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (!opened || ::fstat(opened.get(), &about) != 0) return system_error(errno, what + " " + file.string());
  if (!S_ISREG(about.st_mode)) return error{errc::invalid, what + " " + file.string() + ": not a file"};
  return std::nullopt;
}

error refused(const std::string& what, const std::filesystem::path& file) {
  return {errc::invalid, what + " " + file.string() + ": " + openssl_reason()};
}

/// What both sides have in common.
std::optional<error> set_up(ssl::context& context, const tls_files& files) {
  SSL_CTX* const raw = context.native_handle();
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(raw, files.oldest == tls_version::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // What may be resumed, and for how long, is the server's to say: it has its own tickets.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A hundred thousand idle connections need no buffers.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  // What is sent is what the file has: whoever is to believe the CA has its certificate.
  SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN);
  // OpenSSL would ask at the terminal.
  SSL_CTX_set_default_passwd_cb(raw, [](char*, int, int, void*) { return -1; });

  if (!files.ca.empty()) {
    if (auto wrong = unreadable("ca_file", files.ca)) return wrong;
    if (SSL_CTX_load_verify_file(raw, files.ca.c_str()) != 1) return refused("ca_file", files.ca);
  }
  if (files.certificate.empty()) return std::nullopt;
  if (auto wrong = unreadable("certificate_file", files.certificate)) return wrong;
  if (auto wrong = unreadable("key_file", files.key)) return wrong;
  if (SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1)
    return refused("certificate_file", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(raw, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return error{errc::invalid, "key_file " + files.key.string() + ": it is not the key of the certificate in " +
                                      files.certificate.string()};
    }
    return refused("key_file", files.key);
  }
  return std::nullopt;
}

}  // namespace

result<tls_context> client_context(const tls_files& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  if (auto wrong = set_up(*context, files)) return std::move(*wrong);
  if (files.ca.empty() && SSL_CTX_set_default_verify_paths(context->native_handle()) != 1)
    return error{errc::not_found, "ca_file of the system: " + openssl_reason()};
  SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER, nullptr);
  return context;
}

result<tls_context> server_context(const tls_files& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  if (files.ca.empty() || files.certificate.empty() || files.key.empty())
    return error{errc::invalid, "a server needs ca_file, certificate_file and key_file"};
  if (auto wrong = set_up(*context, files)) return std::move(*wrong);
  SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // The names in it help a client that has several certificates to choose.
  SSL_CTX_set_client_CA_list(context->native_handle(), SSL_load_client_CA_file(files.ca.c_str()));
  return context;
}

}  // namespace nearside::https
