// SPDX-License-Identifier: BSD-2-Clause
// A regular expression that is compiled once and searched for in octets from the network. It is RE2's: the time is
// linear in the text and the stack does not grow with it, which std::regex and back-tracking in general cannot promise.
// Immutable; safe to share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace re2 {
class RE2;
}

namespace nearside {

class pattern {
 public:
  /// RE2's syntax (https://github.com/google/re2/wiki/Syntax): Perl's without back-references and look-around. Octets
  /// are taken as Latin-1, so that no body can be invalid text. Errors: invalid, with what is wrong and where, or
  /// that it is too large (some 300 instructions; the worst text costs as many steps for each octet).
  [[nodiscard]] static result<pattern> compile(const std::string& expression);

  pattern(pattern&&) noexcept;
  pattern& operator=(pattern&&) noexcept;
  pattern(const pattern&) = delete;
  pattern& operator=(const pattern&) = delete;
  ~pattern();

  /// Whether it matches somewhere in `text`.
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace nearside
