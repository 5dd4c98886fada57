// SPDX-License-Identifier: BSD-2-Clause
#include "agent/tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace nearside::tls {

std::optional<int> days_left(const SSL* connection) {
  const X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return std::nullopt;
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return std::nullopt;
  // Both are negative or both are not: an hour past the end is the day -1, not the day 0.
  return seconds < 0 ? days - 1 : days;
}

std::string certificate_reason(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "tls: certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "tls: certificate is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "tls: certificate is for another name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "tls: certificate is self-signed";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "tls: certificate is of an unknown issuer";
    default: return std::string("tls: ") + X509_verify_cert_error_string(verify_result);
  }
}

std::string handshake_reason(unsigned long openssl_error) {
  const char* text = ERR_reason_error_string(openssl_error);
  return std::string("tls: ") + (text != nullptr ? text : "handshake failed");
}

bool expect_name(SSL* connection, const std::string& name) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(connection);
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(name, no_address);
  // RFC 6066 3: SNI carries no addresses.
  if (!no_address) return X509_VERIFY_PARAM_set1_ip_asc(expected, address.to_string().c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(connection, name.c_str()) == 1;
}

}  // namespace nearside::tls
