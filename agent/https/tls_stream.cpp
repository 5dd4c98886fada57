// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/tls_stream.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "agent/https/find_host.hpp"
#include "agent/tls/certificate.hpp"

namespace nearside::https {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// Of the first of `left` addresses: an even part, so that a dead one does not use up the time of those after it.
milliseconds part_of(deadline::clock::time_point end, std::size_t left) {
  const auto rest = std::chrono::ceil<milliseconds>(end - deadline::clock::now());
  return std::max(rest, milliseconds(0)) / static_cast<milliseconds::rep>(left);
}

std::string handshake_failure(const error_code& failed, tls_stream& stream, const deadline& until) {
  const long verified = SSL_get_verify_result(stream.native_handle());
  if (!until.expired() && verified != X509_V_OK) return tls::certificate_reason(verified);
  if (failed == asio::ssl::error::stream_truncated && !until.expired()) return "closed in the TLS handshake";
  return reason_of(failed, until);
}

}  // namespace

std::string text_of(const peer& to) {
  const std::string port = ":" + std::to_string(to.port);
  return to.host.find(':') == std::string::npos ? to.host + port : "[" + to.host + "]" + port;
}

std::string reason_of(const error_code& failed, const deadline& until) {
  if (until.expired()) return "timeout";
  if (failed.category() == asio::error::get_ssl_category())
    return tls::handshake_reason(static_cast<unsigned>(failed.value()));
  if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated ||
      failed == boost::beast::http::error::end_of_stream)
    return "closed by the other side";
  return failed.message();
}

asio::awaitable<result<std::unique_ptr<tls_stream>>> connect(peer to, milliseconds time) {
  const auto executor = co_await asio::this_coro::executor;
  const auto end = deadline::clock::now() + time;
  const auto addresses = co_await find_host(to.host, time);
  if (!addresses) co_return error{addresses.error().kind, text_of(to) + ": " + addresses.error().message};

  std::unique_ptr<tls_stream> stream;
  std::string why;
  for (std::size_t left = addresses->size(); left > 0; --left) {
    const auto& address = (*addresses)[addresses->size() - left];
    stream = std::make_unique<tls_stream>(executor, *to.tls);
    deadline until(executor);
    until.give_up_by([&stream] {
      error_code ignored;
      stream->next_layer().close(ignored);
    });
    until.within(part_of(end, left));
    const auto [failed] = co_await stream->next_layer().async_connect(tcp::endpoint(address, to.port), as_result);
    if (!failed && !until.expired()) {
      why.clear();
      break;
    }
    why = "connect: " + reason_of(failed, until);
    // Whoever gave us up does not want the next address tried.
    if (failed == asio::error::operation_aborted && !until.expired()) break;
  }
  if (!why.empty()) co_return error{errc::failing, text_of(to) + ": " + why};

  error_code ignored;
  stream->next_layer().set_option(tcp::no_delay(true), ignored);
  if (!tls::expect_name(stream->native_handle(), to.server_name.empty() ? to.host : to.server_name))
    co_return error{errc::invalid, text_of(to) + ": tls: not a name to verify: " + to.server_name};
  deadline until(executor);
  until.give_up_by([&stream] {
    error_code closing;
    stream->next_layer().close(closing);
  });
  until.within(part_of(end, 1));
  const auto [failed] = co_await stream->async_handshake(tls_stream::client, as_result);
  if (failed) co_return error{errc::failing, text_of(to) + ": " + handshake_failure(failed, *stream, until)};
  co_return stream;
}

}  // namespace nearside::https
