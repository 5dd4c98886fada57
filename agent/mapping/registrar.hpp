// SPDX-License-Identifier: BSD-2-Clause
// The edge's side of one registration at one backbone node: which message is to be sent when, and what its answer
// means. Time and randomness come in, messages come out, no sockets. Owned by the registration; one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/mapping/messages.hpp"
#include "agent/mapping/report.hpp"

namespace nearside::mapping {

struct registrar_settings {
  std::string edge;                              // lower case, final dot
  std::chrono::seconds lifetime{300};            // asked for; renewed at a third of what is granted
  std::chrono::milliseconds debounce{500};       // what changes within it is registered at once
  std::chrono::milliseconds settle_first{3000};  // after a restart: what the node knows stays until egresses are found
  std::chrono::milliseconds report_gap{1000};    // no two reports sooner
  std::chrono::milliseconds report_refresh{30'000};
  std::chrono::milliseconds retry{1000};  // after a failure; doubles up to
  std::chrono::milliseconds most_retry{60'000};
  std::chrono::milliseconds slow_retry{60'000};  // where we are told that we may not
};

/// The numbers of all messages of an edge, to all its backbone nodes: strictly increasing, also over restarts, for
/// which the wall clock in microseconds is good, unless it is set back.
class sequence_numbers {
 public:
  [[nodiscard]] std::uint64_t next(std::chrono::system_clock::time_point wall);
  /// A backbone node knows a newer one.
  void go_above(std::uint64_t known);
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

 private:
  std::uint64_t last_ = 0;
};

enum class message_kind : std::uint8_t { registration, renewal, withdrawal, report };
[[nodiscard]] std::string_view text_of(message_kind kind) noexcept;    // "register"
[[nodiscard]] std::string_view target_of(message_kind kind) noexcept;  // "/v1/register"

/// Whether the later report says something else: another state, another order, an RTT or a loss that differs by much.
[[nodiscard]] bool is_news(const report& earlier, const report& later);

class registrar {
 public:
  using time = std::chrono::steady_clock::time_point;
  /// Uniform in [0, 1).
  using random_source = std::function<double()>;
  struct moment {
    time steady;
    std::chrono::system_clock::time_point wall;
  };

  /// `numbers` lives longer.
  registrar(registrar_settings settings, sequence_numbers& numbers, random_source random);

  /// What is to be registered. Nothing is before there is an address.
  void set_content(std::vector<boost::asio::ip::address> addresses, std::vector<egress_claim> egresses, time now);
  /// What is news is sent soon, other figures with the next refresh.
  void set_report(std::shared_ptr<const report> newest);
  /// From now on only the withdrawal is sent, if the node may know us. A request under way is to be given up.
  void stop();
  /// No message is sent any more.
  void abandon() noexcept { done_ = true; }

  struct request {
    message_kind kind = message_kind::registration;
    std::uint64_t sequence = 0;
    std::string body;
  };
  struct wait {
    std::optional<time> until;  // nothing: until something is put in
  };
  struct done {};
  /// What to do now; after `wait`, ask again at its time and after each change. After a request, its answer or failure
  /// must come in before there is another.
  [[nodiscard]] std::variant<request, wait, done> next(const moment& now);

  /// The answer to the request under way.
  void answered(unsigned status, std::string_view body, time now);
  /// There was none.
  void failed(std::string why, time now);

  enum class state : std::uint8_t {
    unregistered,  ///< the node does not know us, or may not
    registered,
    refused,  ///< the node does not want us
    withdrawn,
  };
  [[nodiscard]] state where() const noexcept;
  /// The newest answer to a registration or renewal.
  [[nodiscard]] const std::optional<registered>& answer() const noexcept { return answer_; }
  [[nodiscard]] std::optional<time> answered_at() const noexcept { return answered_at_; }
  /// When the lease ends, where it is not renewed.
  [[nodiscard]] std::optional<time> lease_until() const noexcept { return expires_; }
  /// On the egresses of the newest registration.
  [[nodiscard]] const std::vector<egress_verdict>& verdicts() const noexcept { return verdicts_; }
  /// As they were claimed there.
  [[nodiscard]] const std::vector<egress_claim>& claimed() const noexcept {
    static const std::vector<egress_claim> none;
    return accepted_ ? accepted_->egresses : none;
  }
  /// Of the newest message, where that failed.
  [[nodiscard]] const std::string& error_text() const noexcept { return error_; }
  [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }
  /// Of the newest message that was sent.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  /// Of the newest report that was taken.
  [[nodiscard]] std::optional<time> reported_at() const noexcept { return reported_at_; }

 private:
  struct content {
    std::vector<boost::asio::ip::address> addresses;
    std::vector<egress_claim> egresses;
  };
  struct flight {
    message_kind kind = message_kind::registration;
    content sent;                        // of a registration
    std::shared_ptr<const report> told;  // of a report
    time at;
  };

  [[nodiscard]] request send(message_kind kind, const moment& now);
  /// When what is registered is to be made that which is now; nothing: it is.
  [[nodiscard]] std::optional<time> register_due() const;
  [[nodiscard]] std::optional<time> report_due() const;
  [[nodiscard]] bool can_prove_more() const;
  [[nodiscard]] bool is_as_accepted() const;
  [[nodiscard]] std::chrono::nanoseconds jittered(std::chrono::nanoseconds time_for, double from, double to);
  void taken(const flight& was, registered answer, time now);
  void refused_as(const flight& was, unsigned status, std::string_view body, time now);
  void stale(const flight& was, std::optional<std::uint64_t> newest, time now);
  void retry_later(time now);

  registrar_settings settings_;
  sequence_numbers& numbers_;
  random_source random_;

  content wanted_;
  std::optional<time> changed_at_;  // since when it is not what is registered
  std::optional<content> accepted_;
  std::vector<egress_verdict> verdicts_;
  std::uint32_t proof_tries_ = 0;  // registrations in a row of which egresses were refused for want of a proof
  std::optional<time> registered_at_;

  std::shared_ptr<const report> report_;
  std::shared_ptr<const report> reported_;
  bool report_is_news_ = false;
  std::optional<time> reported_at_;
  std::optional<time> no_report_before_;
  std::optional<time> last_report_;  // sent

  std::optional<flight> under_way_;
  bool is_registered_ = false;
  bool is_refused_ = false;
  bool may_be_known_ = false;    // a message that may have made us known was sent
  bool asked_if_known_ = false;  // after our start
  bool stopping_ = false;
  bool done_ = false;
  std::uint32_t failures_ = 0;
  std::uint32_t stale_in_a_row_ = 0;
  std::optional<time> not_before_;
  std::optional<time> renew_at_;
  std::optional<time> expires_;
  std::optional<registered> answer_;
  std::optional<time> answered_at_;
  std::optional<time> first_answer_at_;
  std::string error_;
  std::uint64_t sequence_ = 0;
};

[[nodiscard]] std::string_view text_of(registrar::state where) noexcept;

}  // namespace nearside::mapping
