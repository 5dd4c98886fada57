// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/client.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>

namespace nearside::https {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t most_header = 16384;

/// RFC 9112 9.3.1: the end of a kept connection may cross our request.
bool is_end(const error_code& failed) {
  return failed == asio::error::eof || failed == http::error::end_of_stream ||
         failed == asio::error::connection_reset || failed == asio::error::broken_pipe ||
         failed == asio::ssl::error::stream_truncated;
}

}  // namespace

struct client::sent_request {
  http::request<http::string_body> message;
};

bool client::is_quiet() const {
  char octet = 0;
  const auto got = ::recv(stream_->next_layer().native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EINTR) && unread_.size() == 0;
}

void client::close() {
  give_up_connecting_.emit(asio::cancellation_type::terminal);
  if (!stream_) return;
  error_code ignored;
  stream_->next_layer().close(ignored);
  stream_.reset();
}

asio::awaitable<result<void>> client::open() {
  unread_.clear();
  // A coroutine of its own, which close() can end.
  auto [thrown, connected] =
      co_await asio::co_spawn(co_await asio::this_coro::executor, connect(settings_.server, settings_.connect_timeout),
                              asio::bind_cancellation_slot(give_up_connecting_.slot(), as_result));
  if (thrown) co_return error{errc::failing, text_of(settings_.server) + ": given up"};
  if (!connected) co_return connected.error();
  stream_ = std::move(*connected);
  co_return result<void>();
}

asio::awaitable<boost::system::result<response, client::failed_exchange>> client::exchange(
    std::shared_ptr<const sent_request> request) {
  const auto stream = stream_;
  deadline until(stream->get_executor());
  until.give_up_by([stream] {
    error_code ignored;
    stream->next_layer().close(ignored);
  });
  until.within(settings_.timeout);

  const auto failure = [&](const error_code& failed, bool silent) {
    return failed_exchange{{errc::failing, text_of(settings_.server) + ": " + reason_of(failed, until)},
                           silent && !until.expired() && is_end(failed)};
  };
  const auto [unsent, sent] = co_await http::async_write(*stream, request->message, as_result);
  // A server may answer and close without reading all; the answer tells more than the failed write.
  if (unsent && (until.expired() || !is_end(unsent))) co_return failure(unsent, true);

  http::response_parser<http::string_body> answer;
  answer.header_limit(most_header);
  answer.body_limit(settings_.most_response);
  const auto [failed, got] = co_await http::async_read(*stream, unread_, answer, as_result);
  if (failed == http::error::body_limit)
    co_return failed_exchange{{errc::exhausted, text_of(settings_.server) + ": an answer of more than " +
                                                    std::to_string(settings_.most_response) + " octets"},
                              false};
  if (failed) co_return failure(failed, !answer.got_some());
  response said{answer.get().result_int(), std::string(answer.get()[http::field::content_type]),
                std::move(answer.get().body())};
  // Nothing may have come behind the answer: what a server says unasked is not HTTP.
  if (!answer.get().keep_alive() || unread_.size() != 0) close();
  co_return said;
}

asio::awaitable<result<response>> client::request(std::string target, std::string body, headers fields) {
  if (under_way_) co_return error{errc::busy, text_of(settings_.server) + ": a request is under way"};
  under_way_ = true;
  struct end_of_request {
    bool& flag;
    ~end_of_request() { flag = false; }
  } const ending{under_way_};

  auto sent = std::make_shared<sent_request>();
  auto& message = sent->message;
  message.method(http::verb::post);
  message.target(target);
  message.version(11);
  peer named = settings_.server;
  if (!named.server_name.empty()) named.host = named.server_name;
  message.set(http::field::host, text_of(named));
  message.set(http::field::user_agent, "nearside");
  message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : fields) message.set(name, value);
  message.body() = std::move(body);
  message.prepare_payload();

  if (stream_ && !is_quiet()) close();
  for (;;) {
    const bool kept = stream_ != nullptr;
    if (!kept) {
      if (const auto opened = co_await open(); !opened) co_return opened.error();
    }
    auto said = co_await exchange(sent);
    if (said) co_return std::move(*said);
    close();
    if (!kept || !said.error().may_repeat) co_return said.error().why;
  }
}

}  // namespace nearside::https
