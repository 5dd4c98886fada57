// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/tls.hpp"

#include <openssl/x509_vfy.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/probe/tcp.hpp"
#include "agent/tls/certificate.hpp"

namespace nearside::probe {
namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

asio::awaitable<std::optional<trouble>> connect_tls(attempt& now, tls_stream& stream, const prepared_check& check,
                                                    const config::probe_target& target) {
  if (auto wrong = co_await connect(now, stream.next_layer(), target)) co_return wrong;
  const std::string name = expected_name(check.asked, target);
  if (!tls::expect_name(stream.native_handle(), name))
    co_return trouble{cause::local, "tls: no name to verify: " + name, errc::invalid};

  now.step("handshake");
  const auto [failed] = co_await stream.async_handshake(tls_stream::client, as_result);
  if (failed.category() == asio::error::get_ssl_category() && !now.timed_out())
    co_return trouble{cause::tls, tls::handshake_reason(static_cast<unsigned>(failed.value()))};
  if (failed == asio::ssl::error::stream_truncated) co_return trouble{cause::broken, "closed: handshake"};
  if (failed) co_return now.why(failed);

  now.found.certificate_days = tls::days_left(stream.native_handle());
  if (!check.asked.verify) co_return std::nullopt;
  if (const long verified = SSL_get_verify_result(stream.native_handle()); verified != X509_V_OK)
    co_return trouble{cause::tls, tls::certificate_reason(verified)};
  // X509_V_OK also stands where no certificate came at all.
  if (!now.found.certificate_days) co_return trouble{cause::tls, "tls: no certificate"};
  co_return std::nullopt;
}

asio::awaitable<std::optional<trouble>> check_tls(attempt& now, const prepared_check& check,
                                                  const config::probe_target& target) {
  tls_stream stream(now.executor(), *check.tls);
  auto wrong = co_await connect_tls(now, stream, check, target);
  if (!wrong) now.found.first_byte = now.elapsed();
  co_return wrong;
}

}  // namespace nearside::probe
