// SPDX-License-Identifier: BSD-2-Clause
// Untrusted JSON, read into types with every bound checked: the first thing that is wrong stays, with the member's
// place, and all that is read after it is empty. Members that nobody asks for are ignored. Pure; a reader is used by
// one thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/mapping/prefix.hpp"

namespace nearside::mapping {

/// The greatest integer that every reader of JSON has exactly (RFC 8259 6).
inline constexpr std::uint64_t most_integer = (std::uint64_t{1} << 53U) - 1;

/// Where a value stands, "answers[3].rank[0]"; put into words only where something is wrong there.
class place {
 public:
  explicit place(std::string_view member) : member_(member) {}
  place(const place& within, std::string_view member) : within_(&within), member_(member) {}
  place(const place& within, std::size_t index) : within_(&within), index_(index) {}
  [[nodiscard]] std::string text() const;

 private:
  const place* within_ = nullptr;
  std::string_view member_;
  std::size_t index_ = 0;
};

class json_reader {
 public:
  /// Errors: longer than `most` octets (exhausted), no JSON object.
  json_reader(std::string_view text, std::size_t most);

  /// Nothing is wrong so far.
  [[nodiscard]] bool good() const noexcept { return !wrong_; }
  /// What was wrong first; only where !good().
  [[nodiscard]] const error& wrong() const { return *wrong_; }
  void fail(const place& at, std::string_view expected);
  void fail_too_many(const place& at, std::size_t most);

  /// A member of the whole; nullptr: there is none.
  [[nodiscard]] const boost::json::value* member(std::string_view name) const { return member(&root_, name); }
  [[nodiscard]] static const boost::json::value* member(const boost::json::value* of, std::string_view name);

  // Each takes nullptr for a member that is missing, which is wrong, and a null for `optional` ones, which is not.
  /// A number with a fraction or an exponent is no integer, though its value may be.
  std::uint64_t integer(const boost::json::value* from, const place& at, std::uint64_t least, std::uint64_t most);
  std::optional<std::uint64_t> optional_integer(const boost::json::value* from, const place& at, std::uint64_t most);
  double number(const boost::json::value* from, const place& at, double least, double most);
  std::optional<double> optional_number(const boost::json::value* from, const place& at, double least, double most);
  bool truth(const boost::json::value* from, const place& at);
  /// Without control characters; at most so many octets. Lives as long as the reader.
  std::string_view text(const boost::json::value* from, const place& at, std::size_t least, std::size_t most);
  /// A domain name other than the root, in lower case with the final dot; a missing one is added.
  std::string name(const boost::json::value* from, const place& at);
  /// See is_host_address().
  boost::asio::ip::address host(const boost::json::value* from, const place& at);
  /// The key of an egress address: /32 or /64.
  prefix key(const boost::json::value* from, const place& at);
  /// At most so many elements; more is an error of kind `exhausted`. nullptr: something is wrong.
  const boost::json::array* array(const boost::json::value* from, const place& at, std::size_t least, std::size_t most);
  /// An element that must be an object; nullptr: it is none.
  const boost::json::value* object(const boost::json::value* from, const place& at);

 private:
  std::array<unsigned char, 8192> memory_{};  // a usual message asks the heap for nothing
  boost::json::monotonic_resource resource_;
  boost::json::value root_;
  std::optional<error> wrong_;
};

}  // namespace nearside::mapping
