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
    return refuse_unread(asked, {refusal::malformed, "Content-Encoding: only a report may have one"});
  if (path == "/v1/withdraw") return of_withdrawal(asked);
  return of_registration(asked, path == "/v1/register");
}

reply registration_api::of_registration(const request& asked, bool with_content) {
  const auto message = mapping::parse_registration(asked.body, with_content);
  if (!message) return refuse_unread(asked, {mapping::refusal_of(message.error()), message.error().message});
  auto outcome = with_content ? book_.accept(credentials_of(asked), *message, now_())
                              : book_.renew(credentials_of(asked), *message, now_());
  if (const auto* no = std::get_if<refused>(&outcome)) return refuse(asked, message->edge, *no);
  const auto& answer = std::get<mapping::registered>(outcome);
  for (const mapping::egress_verdict& verdict : answer.egresses)
    if (!verdict.accepted) say_egress(asked, message->edge, verdict);
  reply made{200, mapping::to_json(answer)};
  changed_();
  return made;
}

reply registration_api::of_withdrawal(const request& asked) {
  const auto message = mapping::parse_withdrawal(asked.body);
  if (!message) return refuse_unread(asked, {mapping::refusal_of(message.error()), message.error().message});
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
      return refuse_unread(asked, {refusal::malformed, "Content-Encoding: only deflate is known"});
    auto whole = mapping::inflate(asked.body, mapping::most_inflated);
    if (!whole) return refuse_unread(asked, {mapping::refusal_of(whole.error()), whole.error().message});
    inflated = std::move(*whole);
    body = inflated;
  }
  auto message = mapping::parse_report(body);
  if (!message) return refuse_unread(asked, {mapping::refusal_of(message.error()), message.error().message});
  const std::string edge = message->edge;
  const auto outcome = book_.take(credentials_of(asked), std::move(*message), now_());
  if (const auto* no = std::get_if<refused>(&outcome)) return refuse(asked, edge, *no);
  changed_();
  return {200, "{}"};
}

reply registration_api::refuse_unread(const request& asked, const refused& why) {
  book_.count_refusal(why.why);
  return refuse(asked, {}, why);
}

reply registration_api::refuse(const request& asked, std::string_view edge, const refused& why) {
  say(refusal_lines_[static_cast<std::size_t>(why.why)], asked, edge, mapping::text_of(why.why), why.detail);
  return {mapping::http_status_of(why.why), mapping::to_json(why)};
}

reply registration_api::refuse_target(const request& asked, unsigned status, std::string_view detail) {
  ++unknown_target_;
  say(target_lines_, asked, {}, "unknown_target", detail);
  return {status, https::error_body("unknown_target", detail)};
}

void registration_api::say(log_limit& limit, const request& asked, std::string_view edge, std::string_view word,
                           std::string_view detail) {
  const auto untold = limit.tell(log_limit::clock::now());
  if (!untold) return;
  const std::string_view certificate = asked.client.names.empty() ? std::string_view{} : asked.client.names.front();
  spdlog::warn(R"(message refused word={} target="{}" edge="{}" certificate="{}" peer={} detail="{}" untold={})", word,
               printable(asked.target), printable(edge), printable(certificate), asked.peer.address().to_string(),
               printable(detail), *untold);
}

void registration_api::say_egress(const request& asked, std::string_view edge, const mapping::egress_verdict& verdict) {
  if (const auto untold = egress_lines_.tell(log_limit::clock::now()))
    spdlog::warn("egress refused word={} edge=\"{}\" egress={} peer={} untold={}", verdict.reason, printable(edge),
                 verdict.address.to_string(), asked.peer.address().to_string(), *untold);
}

}  // namespace nearside::backbone
