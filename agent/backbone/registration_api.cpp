// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/registration_api.hpp"

#include <spdlog/spdlog.h>

#include <variant>

#include "agent/mapping/deflate.hpp"
#include "agent/mapping/messages.hpp"

namespace nearside::backbone {
using https::reply;
using https::request;
using mapping::refusal;

namespace {

constexpr std::size_t longest_logged = 200;

mapping::credentials credentials_of(const request& asked) { return {asked.client.names, asked.client.addresses}; }

/// Fit for a line of the log: what others send must not end it, or look like another key of it.
std::string printable(std::string_view text) {
  std::string made(text.substr(0, longest_logged));
  for (char& c : made)
    if (c < ' ' || c > '~' || c == '"') c = '?';
  return made;
}

/// What the parsers say, as a refusal.
mapping::registry::refused refusal_of(const error& why) {
  return {why.kind == errc::exhausted ? refusal::too_large : refusal::malformed, why.message};
}

}  // namespace

registration_api::registration_api(mapping::registry& book, wall_clock now, std::function<void()> changed)
    : book_(book), now_(std::move(now)), changed_(std::move(changed)) {}

reply registration_api::answer(const request& asked) {
  const std::string_view path = asked.target.substr(0, asked.target.find('?'));
  const bool is_report = path == "/v1/report";
  if (path != "/v1/register" && path != "/v1/renew" && path != "/v1/withdraw" && !is_report)
    return refuse_target(asked, 404, "there is no such target");
  if (asked.method != "POST") return refuse_target(asked, 405, "messages are sent by POST");
  if (is_report) return of_report(asked);
  if (!asked.coding.empty())
    return refuse(asked, {}, {refusal::malformed, "Content-Encoding: only a report may have one"});
  if (path == "/v1/withdraw") return of_withdrawal(asked);
  return of_registration(asked, path == "/v1/register");
}

reply registration_api::of_registration(const request& asked, bool with_content) {
  const auto message = mapping::parse_registration(asked.body, with_content);
  if (!message) return refuse(asked, {}, refusal_of(message.error()));
  auto outcome = with_content ? book_.accept(credentials_of(asked), *message, now_())
                              : book_.renew(credentials_of(asked), *message, now_());
  if (const auto* no = std::get_if<refused>(&outcome)) return refuse(asked, message->edge, *no);
  reply made{200, mapping::to_json(std::get<mapping::registered>(outcome))};
  changed_();
  return made;
}

reply registration_api::of_withdrawal(const request& asked) {
  const auto message = mapping::parse_withdrawal(asked.body);
  if (!message) return refuse(asked, {}, refusal_of(message.error()));
  const auto outcome = book_.withdraw(credentials_of(asked), message->edge, message->sequence, now_());
  if (const auto* no = std::get_if<refused>(&outcome)) return refuse(asked, message->edge, *no);
  changed_();
  return {200, "{}"};
}

reply registration_api::of_report(const request& asked) {
  std::string inflated;
  std::string_view body = asked.body;
  if (!asked.coding.empty()) {
    if (asked.coding != "deflate")
      return refuse(asked, {}, {refusal::malformed, "Content-Encoding: only deflate is known"});
    auto whole = mapping::inflate(asked.body, mapping::most_inflated);
    if (!whole) return refuse(asked, {}, refusal_of(whole.error()));
    inflated = std::move(*whole);
    body = inflated;
  }
  auto message = mapping::parse_report(body);
  if (!message) return refuse(asked, {}, refusal_of(message.error()));
  const std::string edge = message->edge;
  const auto outcome = book_.take(credentials_of(asked), std::move(*message), now_());
  if (const auto* no = std::get_if<refused>(&outcome)) return refuse(asked, edge, *no);
  changed_();
  return {200, "{}"};
}

reply registration_api::refuse(const request& asked, std::string_view edge, const refused& why) {
  const auto which = static_cast<std::size_t>(why.why);
  ++count_.refused[which];
  const std::string_view word = mapping::text_of(why.why);
  say(refusal_lines_[which], asked, edge, word, why.detail);
  return {mapping::http_status_of(why.why), https::error_body(word, why.detail)};
}

reply registration_api::refuse_target(const request& asked, unsigned status, std::string_view detail) {
  ++count_.unknown_target;
  say(target_lines_, asked, {}, "unknown_target", detail);
  return {status, https::error_body("unknown_target", detail)};
}

void registration_api::say(log_limit& limit, const request& asked, std::string_view edge, std::string_view word,
                           std::string_view detail) {
  const auto untold = limit.tell(log_limit::clock::now());
  if (!untold) return;
  const std::string_view certificate = asked.client.names.empty() ? std::string_view{} : asked.client.names.front();
  spdlog::warn("message refused word={} target=\"{}\" edge=\"{}\" certificate=\"{}\" peer={} detail=\"{}\" untold={}",
               word, printable(asked.target), printable(edge), printable(certificate), asked.peer.address().to_string(),
               printable(detail), *untold);
}

}  // namespace nearside::backbone
