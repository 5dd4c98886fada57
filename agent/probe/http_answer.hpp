// SPDX-License-Identifier: BSD-2-Clause
// An HTTP answer as a check reads it: status, and the first octets of the body; fields are not kept. By Boost.Beast's
// parser. Owned by one check; no sockets.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/probe/trouble.hpp"

namespace nearside::probe {

class http_answer {
 public:
  /// `body_limit`: octets of the body that are kept. `to_head`: the request was a HEAD, so there is no body.
  http_answer(std::size_t body_limit, bool to_head);
  ~http_answer();
  http_answer(const http_answer&) = delete;
  http_answer& operator=(const http_answer&) = delete;
  http_answer(http_answer&&) = delete;
  http_answer& operator=(http_answer&&) = delete;

  /// Takes the next octets of the stream. A trouble: this is no HTTP answer.
  [[nodiscard]] std::optional<trouble> take(std::string_view octets);
  /// The stream has ended. A trouble: the answer has not.
  [[nodiscard]] std::optional<trouble> take_end();

  /// All that the check looks at is there: the answer is complete, or its body has reached the limit.
  [[nodiscard]] bool enough() const noexcept;
  [[nodiscard]] int status() const noexcept;
  [[nodiscard]] std::string_view body() const noexcept;

 private:
  class parser;
  [[nodiscard]] std::optional<trouble> parse();
  void begin();

  std::size_t body_limit_;
  bool to_head_;
  std::unique_ptr<parser> parser_;
  std::string waiting_;  // octets that the parser needs more of to understand
  std::size_t interim_ = 0;
};

}  // namespace nearside::probe
