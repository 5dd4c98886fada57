// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/etcd_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include "agent/base/deadline.hpp"

namespace nearside::backbone {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t most_header = 16384;
constexpr std::size_t read_octets = 16384;
// A transaction's events come in one line: 128 records of mapping::most_record at the most, in base64.
constexpr std::size_t longest_line = 16u << 20U;

/// A member that is gone without a word is noticed: a stream that waits sends nothing by itself.
void keep_alive(int socket) {
  const int on = 1;
  const int idle_seconds = 2;
  const int probes = 3;
  const unsigned unacknowledged_ms = 5000;
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds));
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &on, sizeof on));
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes));
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms));
}

}  // namespace

etcd_stream::~etcd_stream() {
  error_code ignored;
  if (stream_) stream_->next_layer().close(ignored);
}

asio::awaitable<result<void>> etcd_stream::open(https::peer member, std::string target, std::string body,
                                                std::string token, std::chrono::milliseconds time) {
  member_ = member;
  auto connected = co_await https::connect(member, time);
  if (!connected) co_return connected.error();
  stream_ = std::move(*connected);
  keep_alive(stream_->next_layer().native_handle());

  const auto stream = stream_;
  deadline until(stream->get_executor());
  until.give_up_by([stream] {
    error_code ignored;
    stream->next_layer().close(ignored);
  });
  until.within(time);
  std::string request =
      "POST " + target + " HTTP/1.1\r\nHost: " + https::text_of(member) +
      "\r\nUser-Agent: nearside\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n";
  if (!token.empty()) request += "Authorization: " + token + "\r\n";
  request += "\r\n" + body;
  const auto failure = [&](const error_code& why) {
    return error{errc::failing, https::text_of(member) + ": " + https::reason_of(why, until)};
  };
  if (const auto [unsent, sent] = co_await asio::async_write(*stream, asio::buffer(request), as_result); unsent)
    co_return failure(unsent);
  answer_ = std::make_unique<http::response_parser<http::string_body>>();
  answer_->header_limit(most_header);
  answer_->body_limit(boost::none);  // it has no end; next() takes away what has come
  answer_->eager(true);
  if (const auto [failed, got] = co_await http::async_read_header(*stream, unread_, *answer_, as_result); failed)
    co_return failure(failed);
  if (answer_->get().result_int() != 200)
    co_return error{errc::failing,
                    https::text_of(member) + ": watch: HTTP status " + std::to_string(answer_->get().result_int())};
  co_return result<void>{};
}

asio::awaitable<result<std::string>> etcd_stream::next() {
  const auto stream = stream_;
  const auto failure = [this](const std::string& why) {
    return error{errc::failing, https::text_of(member_) + ": watch: " + why};
  };
  for (;;) {
    lines_ += std::exchange(answer_->get().body(), {});
    if (const auto end = lines_.find('\n', searched_); end != std::string::npos) {
      std::string line = lines_.substr(0, end);
      lines_.erase(0, end + 1);
      searched_ = 0;
      co_return line;
    }
    searched_ = lines_.size();
    if (lines_.size() > longest_line) co_return failure("a line of more than 16 MiB");
    if (answer_->is_done()) co_return failure("ended by the member");
    error_code wrong;
    if (unread_.size() > 0) {
      const auto used = answer_->put(unread_.data(), wrong);
      unread_.consume(used);
      if (wrong && wrong != http::error::need_more) co_return failure(wrong.message());
      if (used > 0) continue;
    }
    const auto [failed, got] = co_await stream->async_read_some(unread_.prepare(read_octets), as_result);
    if (failed) co_return failure(failed.message());
    unread_.commit(got);
  }
}

}  // namespace nearside::backbone
