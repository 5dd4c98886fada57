// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/http_answer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace nearside::probe {
namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

namespace {

constexpr std::uint32_t header_octets = 16384;
// Also of one chunk's header with its extensions, which has no limit of the parser's own.
constexpr std::size_t waiting_octets = 32768;
constexpr std::size_t most_interim = 8;

}  // namespace

class http_answer::parser : public http::basic_parser<false> {
 public:
  explicit parser(std::size_t kept) : kept_(kept) {
    eager(true);
    body_limit(boost::none);
    header_limit(header_octets);
  }

  int status = 0;
  std::string body;

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override { status = code; }
  void on_field_impl(http::field, string_view, string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view part, error_code&) override { return keep(part); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code&) override { return keep(part); }
  void on_finish_impl(error_code&) override {}

  std::size_t keep(string_view part) {
    body.append(part.data(), std::min(part.size(), kept_ - body.size()));
    return part.size();
  }

  std::size_t kept_;
};

http_answer::http_answer(std::size_t body_limit, bool to_head) : body_limit_(body_limit), to_head_(to_head) { begin(); }
http_answer::~http_answer() = default;

void http_answer::begin() {
  parser_ = std::make_unique<parser>(body_limit_);
  parser_->skip(to_head_);
}

std::optional<trouble> http_answer::take(std::string_view octets) {
  waiting_.append(octets);
  return parse();
}

std::optional<trouble> http_answer::parse() {
  while (!enough()) {
    error_code failed;
    const auto used = parser_->put(boost::asio::buffer(waiting_), failed);
    waiting_.erase(0, used);
    if (failed && failed != http::error::need_more) {
      if (failed == http::error::header_limit) return trouble{cause::answer, "http: header is too long"};
      return trouble{cause::answer, "http: not an HTTP answer"};
    }
    // RFC 9110 15.2: answers that only announce the final one.
    if (parser_->is_done() && parser_->status >= 100 && parser_->status < 200 && parser_->status != 101) {
      if (++interim_ > most_interim) return trouble{cause::answer, "http: no final answer"};
      begin();
      if (waiting_.empty()) break;
      continue;
    }
    if (waiting_.size() > waiting_octets) return trouble{cause::answer, "http: header is too long"};
    if (failed || waiting_.empty()) break;
  }
  return std::nullopt;
}

std::optional<trouble> http_answer::take_end() {
  if (enough()) return std::nullopt;
  if (!parser_->got_some()) return trouble{cause::broken, "closed: first byte"};
  error_code failed;
  parser_->put_eof(failed);
  if (failed) return trouble{cause::broken, "http: answer is cut short"};
  return std::nullopt;
}

bool http_answer::enough() const noexcept {
  // Only the answers that announce another one are not the last word, whatever a server makes of its status.
  if (parser_->is_done()) return parser_->status < 100 || parser_->status >= 200 || parser_->status == 101;
  return parser_->is_header_done() && parser_->body.size() >= body_limit_;
}

int http_answer::status() const noexcept { return parser_->status; }
std::string_view http_answer::body() const noexcept { return parser_->body; }

}  // namespace nearside::probe
