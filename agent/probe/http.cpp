// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/http.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/probe/tcp.hpp"
#include "agent/probe/tls.hpp"
#include "agent/tls/certificate.hpp"

namespace nearside::probe {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_octets = 4096;

bool is_end(const error_code& failed) {
  return failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
}

trouble why(const attempt& now, const error_code& failed) {
  if (failed.category() == asio::error::get_ssl_category() && !now.timed_out())
    return {cause::tls, tls::handshake_reason(static_cast<unsigned>(failed.value()))};
  return now.why(failed);
}

/// Request out, answer in, over a connection that stands.
template <typename Stream>
asio::awaitable<std::optional<trouble>> exchange(attempt& now, Stream& stream, const prepared_check& check,
                                                 const config::probe_target& target) {
  now.step("first byte");
  const std::string request = http_request(check.asked, target);
  const auto [unsent, sent] = co_await asio::async_write(stream, asio::buffer(request), as_result);
  // A server may answer and close without reading all: the answer tells more than the failed write.
  if (unsent && now.timed_out()) co_return now.late();

  http_answer answer(check.asked.body_limit, check.asked.method == "HEAD");
  std::array<char, read_octets> octets;  // NOLINT(*-member-init): filled by each read
  while (!answer.enough()) {
    const auto [failed, got] = co_await stream.async_read_some(asio::buffer(octets), as_result);
    if (got > 0 && !now.found.first_byte) {
      now.found.first_byte = now.elapsed();
      now.step("body");
    }
    if (auto wrong = answer.take({octets.data(), got})) co_return wrong;
    if (answer.enough()) break;
    if (failed && is_end(failed) && !now.timed_out()) {
      if (auto wrong = answer.take_end()) co_return wrong;
      break;
    }
    if (failed) co_return why(now, failed);
  }
  co_return judge(check, answer);
}

}  // namespace

std::string http_request(const config::check& check, const config::probe_target& target) {
  std::string host = check.host;
  if (host.empty()) {
    const std::string address = target.address.to_string();
    host = target.address.is_v6() ? "[" + address.substr(0, address.find('%')) + "]" : address;
    const int usual = check.type == config::check_type::https ? 443 : 80;
    if (target.port != usual) host += ":" + std::to_string(target.port);
  }
  std::string request = check.method + " " + check.path + " HTTP/1.1\r\nHost: " + host +
                        "\r\nUser-Agent: nearside\r\nAccept: */*\r\nConnection: close\r\n";
  // RFC 9110 8.6: a method that gives content a meaning says that there is none.
  if (check.method == "POST" || check.method == "PUT" || check.method == "PATCH") request += "Content-Length: 0\r\n";
  return request + "\r\n";
}

std::optional<trouble> judge(const prepared_check& check, const http_answer& answer) {
  const auto expected = [status = answer.status()](const auto& range) {
    return status >= range.first && status <= range.second;
  };
  if (std::ranges::none_of(check.asked.status, expected))
    return trouble{cause::answer, "http " + std::to_string(answer.status())};
  if (!check.asked.body.empty() && answer.body().find(check.asked.body) == std::string_view::npos)
    return trouble{cause::answer, "body mismatch"};
  if (check.body && !check.body->found_in(answer.body())) return trouble{cause::answer, "body mismatch"};
  return std::nullopt;
}

asio::awaitable<std::optional<trouble>> check_http(attempt& now, const prepared_check& check,
                                                   const config::probe_target& target) {
  tcp::socket socket(now.executor());
  if (auto wrong = co_await connect(now, socket, target)) co_return wrong;
  co_return co_await exchange(now, socket, check, target);
}

asio::awaitable<std::optional<trouble>> check_https(attempt& now, const prepared_check& check,
                                                    const config::probe_target& target) {
  tls_stream stream(now.executor(), *check.tls);
  if (auto wrong = co_await connect_tls(now, stream, check, target)) co_return wrong;
  co_return co_await exchange(now, stream, check, target);
}

}  // namespace nearside::probe
