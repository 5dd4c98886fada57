// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/registrar.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nearside::mapping {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

constexpr std::uint64_t most_sequence = (std::uint64_t{1} << 53U) - 1;  // what JSON's numbers carry exactly
constexpr std::uint32_t most_doublings = 16;
// A message that was overtaken by one of ours to another node is good at the second try.
constexpr std::uint32_t stale_tries_at_once = 3;

/// Whether two claims say the same of an egress. Another nonce of the same egress is no news.
bool same_egress(const egress_claim& one, const egress_claim& other) {
  return key_of(one.address) == key_of(other.address) && one.rtt == other.rtt;
}

bool lacks_proof(const egress_verdict& verdict) {
  return !verdict.accepted && (verdict.reason == "not_seen" || verdict.reason == "bad_nonce");
}

}  // namespace

std::uint64_t sequence_numbers::next(std::chrono::system_clock::time_point wall) {
  const auto clock = std::chrono::duration_cast<microseconds>(wall.time_since_epoch()).count();
  last_ = std::min(std::max(last_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(clock, 1))), most_sequence);
  return last_;
}

void sequence_numbers::go_above(std::uint64_t known) { last_ = std::max(last_, std::min(known, most_sequence)); }

std::string_view text_of(message_kind kind) noexcept { return target_of(kind).substr(4); }

std::string_view target_of(message_kind kind) noexcept {
  switch (kind) {
    case message_kind::registration: return "/v1/register";
    case message_kind::renewal: return "/v1/renew";
    case message_kind::withdrawal: return "/v1/withdraw";
    case message_kind::report: break;
  }
  return "/v1/report";
}

bool is_news(const report& earlier, const report& later) {
  const auto same_figure = [](const reported_figure& a, const reported_figure& b) {
    if (a.server != b.server || a.family != b.family || a.state != b.state ||
        a.rtt_ms.has_value() != b.rtt_ms.has_value())
      return false;
    if (std::abs(a.loss - b.loss) > 0.1) return false;
    const double by = std::abs(a.rtt_ms.value_or(0) - b.rtt_ms.value_or(0));
    return by <= 2 || by * 4 <= std::min(*a.rtt_ms, *b.rtt_ms);
  };
  // A TTL that runs down is no news.
  const auto same_answer = [](const reported_answer& a, const reported_answer& b) {
    return a.names == b.names && a.family == b.family && a.rank == b.rank && a.shares == b.shares;
  };
  return earlier.servers != later.servers || !std::ranges::equal(earlier.figures, later.figures, same_figure) ||
         !std::ranges::equal(earlier.answers, later.answers, same_answer);
}

std::string_view text_of(registrar::state where) noexcept {
  switch (where) {
    case registrar::state::registered: return "registered";
    case registrar::state::refused: return "refused";
    case registrar::state::withdrawn: return "withdrawn";
    case registrar::state::unregistered: break;
  }
  return "unregistered";
}

registrar::registrar(registrar_settings settings, sequence_numbers& numbers, random_source random)
    : settings_(std::move(settings)), numbers_(numbers), random_(std::move(random)) {}

nanoseconds registrar::jittered(nanoseconds time_for, double from, double to) {
  const double factor = from + (to - from) * random_();
  return nanoseconds(static_cast<nanoseconds::rep>(static_cast<double>(time_for.count()) * factor));
}

registrar::state registrar::where() const noexcept {
  if (done_) return state::withdrawn;
  if (is_refused_) return state::refused;
  return is_registered_ ? state::registered : state::unregistered;
}

bool registrar::is_as_accepted() const {
  return accepted_ && accepted_->addresses == wanted_.addresses &&
         std::ranges::equal(accepted_->egresses, wanted_.egresses, same_egress);
}

void registrar::set_content(std::vector<boost::asio::ip::address> addresses, std::vector<egress_claim> egresses,
                            time now) {
  const auto same_prefix = [](const egress_claim& a, const egress_claim& b) {
    return key_of(a.address) == key_of(b.address);
  };
  const bool same = addresses == wanted_.addresses && std::ranges::equal(egresses, wanted_.egresses, same_egress);
  if (!std::ranges::equal(egresses, wanted_.egresses, same_prefix)) proof_tries_ = 0;
  wanted_ = {std::move(addresses), std::move(egresses)};
  // What is under way may be accepted, and what is accepted now with it no more.
  const bool registering = under_way_ && under_way_->kind == message_kind::registration;
  if (!registering && is_as_accepted())
    changed_at_.reset();
  else if (!same && !changed_at_)
    changed_at_ = now;
}

void registrar::set_report(std::shared_ptr<const report> newest) {
  report_ = std::move(newest);
  report_is_news_ = report_ && (!reported_ || is_news(*reported_, *report_));
}

void registrar::stop() { stopping_ = true; }

bool registrar::can_prove_more() const {
  if (!accepted_) return false;
  return std::ranges::any_of(verdicts_, [this](const egress_verdict& verdict) {
    if (!lacks_proof(verdict)) return false;
    const auto of_it = [&verdict](const egress_claim& one) { return key_of(one.address) == key_of(verdict.address); };
    const auto now = std::ranges::find_if(wanted_.egresses, of_it);
    const auto then = std::ranges::find_if(accepted_->egresses, of_it);
    return now != wanted_.egresses.end() && !now->nonce.empty() &&
           (then == accepted_->egresses.end() || now->nonce != then->nonce);
  });
}

std::optional<registrar::time> registrar::register_due() const {
  // What the node knows from before our restart is better than what we know yet.
  if (!accepted_) return first_answer_at_ ? *first_answer_at_ + settings_.settle_first : time::min();
  if (changed_at_) return *changed_at_ + settings_.debounce;
  if (registered_at_ && can_prove_more()) {
    const auto rest = settings_.debounce * (std::int64_t{1} << std::min(proof_tries_, most_doublings));
    return *registered_at_ + std::min<nanoseconds>(rest, settings_.slow_retry);
  }
  return std::nullopt;
}

std::optional<registrar::time> registrar::report_due() const {
  if (!report_) return std::nullopt;
  time due = time::min();
  if (last_report_) due = *last_report_ + (report_is_news_ ? settings_.report_gap : settings_.report_refresh);
  return no_report_before_ ? std::max(due, *no_report_before_) : due;
}

registrar::request registrar::send(message_kind kind, const moment& now) {
  sequence_ = numbers_.next(now.wall);
  under_way_ = flight{kind, {}, nullptr, now.steady};
  request out{kind, sequence_, {}};
  switch (kind) {
    case message_kind::registration:
      under_way_->sent = wanted_;
      changed_at_.reset();
      [[fallthrough]];
    case message_kind::renewal:
      may_be_known_ = true;
      out.body =
          to_json(registration{settings_.edge, sequence_, settings_.lifetime, wanted_.addresses, wanted_.egresses},
                  kind == message_kind::registration);
      break;
    case message_kind::withdrawal: out.body = to_json(withdrawal{settings_.edge, sequence_}); break;
    case message_kind::report:
      under_way_->told = report_;
      last_report_ = now.steady;
      out.body = to_json(*report_, settings_.edge, sequence_);
      break;
  }
  return out;
}

std::variant<registrar::request, registrar::wait, registrar::done> registrar::next(const moment& now) {
  if (under_way_) return wait{};
  if (stopping_ && (done_ || !may_be_known_)) done_ = true;
  if (done_) return done{};
  if (stopping_) return send(message_kind::withdrawal, now);
  if (wanted_.addresses.empty()) return wait{};
  if (not_before_ && *not_before_ > now.steady) return wait{not_before_};

  if (expires_ && *expires_ <= now.steady) is_registered_ = false;
  if (!is_registered_) {
    // The node may know us from before a restart, and go on with that while we find out about our resolver anew.
    if (!asked_if_known_ && wanted_.egresses.empty()) return send(message_kind::renewal, now);
    return send(message_kind::registration, now);
  }
  const auto registering = register_due();
  if (registering && *registering <= now.steady) return send(message_kind::registration, now);
  if (renew_at_ && *renew_at_ <= now.steady) return send(message_kind::renewal, now);
  const auto reporting = report_due();
  if (reporting && *reporting <= now.steady) return send(message_kind::report, now);

  wait until{renew_at_};
  for (const auto& due : {registering, reporting, expires_})
    if (due) until.until = until.until ? std::min(*until.until, *due) : *due;
  return until;
}

void registrar::answered(unsigned status, std::string_view body, time now) {
  if (!under_way_) return;
  const flight was = std::move(*std::exchange(under_way_, std::nullopt));
  asked_if_known_ = true;
  if (status != 200) return refused_as(was, status, body, now);
  if (was.kind == message_kind::withdrawal) {
    is_registered_ = false;
    done_ = true;
    error_.clear();
    return;
  }
  if (was.kind == message_kind::report) {
    reported_ = was.told;
    set_report(report_);
    reported_at_ = now;
    no_report_before_.reset();
  } else {
    auto answer = parse_registered(body);
    if (!answer) {
      under_way_ = was;
      return failed("not an answer to " + std::string(text_of(was.kind)) + ": " + answer.error().message, now);
    }
    taken(was, std::move(*answer), now);
  }
  failures_ = 0;
  stale_in_a_row_ = 0;
  not_before_.reset();
  error_.clear();
}

void registrar::taken(const flight& was, registered answer, time now) {
  is_registered_ = true;
  is_refused_ = false;
  // The lease counts from when the node has it, which is not before we sent it.
  expires_ = was.at + answer.lifetime;
  renew_at_ = now + jittered(answer.lifetime, 0.3, 0.36);
  if (was.kind == message_kind::registration) {
    accepted_ = was.sent;
    if (is_as_accepted())
      changed_at_.reset();
    else if (!changed_at_)
      changed_at_ = now;
    verdicts_ = answer.egresses;
    registered_at_ = now;
    proof_tries_ = std::ranges::any_of(verdicts_, lacks_proof) ? proof_tries_ + 1 : 0;
  }
  answer_ = std::move(answer);
  answered_at_ = now;
  if (!first_answer_at_) first_answer_at_ = now;
}

void registrar::refused_as(const flight& was, unsigned status, std::string_view body, time now) {
  const auto said = parse_refused(body);
  error_ = std::string(text_of(was.kind)) + ": HTTP " + std::to_string(status);
  if (said) error_ += ", " + std::string(text_of(said->why)) + (said->detail.empty() ? "" : ": " + said->detail);

  if (status == http_status_of(refusal::stale_sequence)) return stale(was, said ? said->newest : std::nullopt, now);
  if (status == http_status_of(refusal::unknown_edge)) {
    is_registered_ = false;
    accepted_.reset();
    verdicts_.clear();
    reported_.reset();
    set_report(report_);
    if (was.kind == message_kind::withdrawal) done_ = true;
    if (was.kind == message_kind::registration) retry_later(now);
    return;
  }
  if (was.kind == message_kind::withdrawal) {
    done_ = true;
    return;
  }
  const bool ours = status >= 400 && status < 500 && status != http_status_of(refusal::too_many);
  if (ours && was.kind == message_kind::report) {
    // What is wrong with a report does not make the registration worse.
    no_report_before_ = now + jittered(settings_.slow_retry, 0.8, 1.2);
    return;
  }
  if (was.kind == message_kind::registration && !changed_at_) changed_at_ = was.at;
  if (!ours) return retry_later(now);
  is_refused_ = true;
  ++failures_;
  not_before_ = now + jittered(settings_.slow_retry, 0.8, 1.2);
}

void registrar::stale(const flight& was, std::optional<std::uint64_t> newest, time now) {
  if (was.kind == message_kind::registration && !changed_at_) changed_at_ = was.at - settings_.debounce;
  if (was.kind == message_kind::report) last_report_.reset();
  // Without a word of how far, ever farther: a minute, two, four, ...
  constexpr std::uint64_t minute = 60'000'000;
  const std::uint64_t leap = minute << std::min(stale_in_a_row_, 2 * most_doublings);
  numbers_.go_above(newest.value_or(numbers_.last() + leap));
  if (++stale_in_a_row_ > stale_tries_at_once) {
    if (was.kind == message_kind::withdrawal) done_ = true;
    retry_later(now);
  }
}

void registrar::failed(std::string why, time now) {
  if (!under_way_) return;
  const flight was = std::move(*std::exchange(under_way_, std::nullopt));
  error_ = std::move(why);
  if (was.kind == message_kind::withdrawal) done_ = true;
  // It may have been taken or not: said again, it is.
  if (was.kind == message_kind::registration && !changed_at_) changed_at_ = was.at;
  if (was.kind == message_kind::report) last_report_.reset();
  retry_later(now);
}

void registrar::retry_later(time now) {
  const auto rest = settings_.retry * (std::int64_t{1} << std::min(failures_++, most_doublings));
  not_before_ = now + jittered(std::min<nanoseconds>(rest, settings_.most_retry), 0.5, 1.0);
}

}  // namespace nearside::mapping
