// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/prepared_check.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace nearside::probe {
namespace ssl = boost::asio::ssl;
using config::check_type;

namespace {

error about(const config::check& check, const error& why) {
  return {why.kind, "check " + check.name + ": " + why.message};
}

result<std::unique_ptr<ssl::context>> make_context(const config::check& check) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  // The handshake goes through with any certificate, and tls.cpp judges afterwards, before anything is sent over the
  // connection: so a certificate that is no good is still known with its date.
  SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection does not live here: buffers are of use for as long as a probe takes.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  if (!check.verify) return context;
  boost::system::error_code failed;
  if (check.ca_file.empty())
    context->set_default_verify_paths(failed);
  else
    context->load_verify_file(check.ca_file, failed);
  if (failed)
    return error{errc::not_found,
                 "ca_file " + (check.ca_file.empty() ? "of the system" : check.ca_file) + ": " + failed.message()};
  return context;
}

/// Octets that would end the request line or a field early must not come from the configuration.
bool fit_for_a_request(const config::check& check) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; };
  return std::ranges::all_of(check.method, plain) && std::ranges::all_of(check.path, plain) &&
         std::ranges::all_of(check.host, plain) && check.path.starts_with('/') && !check.method.empty();
}

}  // namespace

result<prepared_check> prepared_check::make(const config::check& check) {
  prepared_check made{check, nullptr, std::nullopt, std::nullopt};
  const bool http = check.type == check_type::http || check.type == check_type::https;
  if (check.type == check_type::tls || check.type == check_type::https) {
    auto context = make_context(check);
    if (!context) return about(check, context.error());
    made.tls = std::move(*context);
  }
  if (http && !fit_for_a_request(check))
    return about(check, {errc::invalid, "method, path and host must be printable, without spaces; path begins with /"});
  if (http && !check.body_regex.empty()) {
    auto compiled = pattern::compile(check.body_regex);
    if (!compiled) return about(check, {errc::invalid, "body_regex: " + compiled.error().message});
    made.body = std::move(*compiled);
  }
  if (check.type == check_type::dns) {
    auto question = dns_question::make(check);
    if (!question) return about(check, question.error());
    made.question = std::move(*question);
  }
  if (check.type == check_type::exec && (check.command.empty() || !check.command.front().starts_with('/')))
    return about(check, {errc::invalid, "command: expected the absolute path of a program and its arguments"});
  return made;
}

std::string expected_name(const config::check& check, const config::probe_target& target) {
  if (!check.server_name.empty()) return check.server_name;
  std::string name = check.host;
  if (name.starts_with('[')) {
    name = name.substr(1, name.find(']') - 1);
  } else if (const auto colon = name.find(':'); colon != std::string::npos && name.rfind(':') == colon) {
    name.resize(colon);
  }
  if (name.ends_with('.')) name.pop_back();
  return name.empty() ? target.address.to_string() : name;
}

}  // namespace nearside::probe
