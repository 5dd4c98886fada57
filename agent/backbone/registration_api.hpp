// SPDX-License-Identifier: BSD-2-Clause
// The registration protocol, version 1, over HTTP: a request is parsed, put to the registry, and answered; every
// refusal is counted by its word and logged. docs/registration-api.yaml is the definition. Owned by the backbone, one
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/base/log_limit.hpp"
#include "agent/https/message.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::backbone {

class registration_api {
 public:
  /// What time it is; tests have their own.
  using wall_clock = std::function<mapping::instant()>;

  /// `changed` is called after each message that the registry took: its changes wait to be collected. `book` must
  /// outlive this.
  registration_api(mapping::registry& book, wall_clock now, std::function<void()> changed);

  /// The handler of the HTTPS server.
  [[nodiscard]] https::reply answer(const https::request& asked);

  /// Requests for no target of the protocol, or not by POST. All other refusals are in the registry's counters.
  [[nodiscard]] std::uint64_t unknown_targets() const noexcept { return unknown_target_; }

 private:
  using refused = mapping::refused;

  [[nodiscard]] https::reply of_registration(const https::request& asked, bool with_content);
  [[nodiscard]] https::reply of_withdrawal(const https::request& asked);
  [[nodiscard]] https::reply of_report(const https::request& asked);
  /// Refused before the registry has seen it.
  [[nodiscard]] https::reply refuse_unread(const https::request& asked, const refused& why);
  [[nodiscard]] https::reply refuse(const https::request& asked, std::string_view edge, const refused& why);
  [[nodiscard]] https::reply refuse_target(const https::request& asked, unsigned status, std::string_view detail);
  static void say(log_limit& limit, const https::request& asked, std::string_view edge, std::string_view word,
                  std::string_view detail);

  mapping::registry& book_;
  wall_clock now_;
  std::function<void()> changed_;
  std::uint64_t unknown_target_ = 0;
  void say_egress(const https::request& asked, std::string_view edge, const mapping::egress_verdict& verdict);

  std::array<log_limit, mapping::refusal_count> refusal_lines_;
  log_limit egress_lines_;
  log_limit target_lines_;
};

}  // namespace nearside::backbone
