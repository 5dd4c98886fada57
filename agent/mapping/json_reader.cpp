// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/json_reader.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "agent/dns/name.hpp"

namespace nearside::mapping {
namespace json = boost::json;

std::string place::text() const {
  if (within_ == nullptr) return std::string(member_);
  if (member_.empty()) return within_->text() + "[" + std::to_string(index_) + "]";
  return within_->text() + "." + std::string(member_);
}

json_reader::json_reader(std::string_view text, std::size_t most)
    : resource_(memory_.data(), memory_.size()), root_(&resource_) {
  if (text.size() > most) {
    wrong_ = error{errc::exhausted, "a message of " + std::to_string(text.size()) + " octets; at most " +
                                        std::to_string(most) + " are taken"};
    return;
  }
  boost::system::error_code failed;
  root_ = json::parse({text.data(), text.size()}, failed, &resource_);
  if (failed || !root_.is_object()) {
    root_ = nullptr;
    wrong_ = error{errc::invalid, failed ? "no JSON: " + failed.message() : std::string("expected a JSON object")};
  }
}

void json_reader::fail(const place& at, std::string_view expected) {
  if (good()) wrong_ = error{errc::invalid, at.text() + ": expected " + std::string(expected)};
}

void json_reader::fail_too_many(const place& at, std::size_t most) {
  if (good()) wrong_ = error{errc::exhausted, at.text() + ": at most " + std::to_string(most) + " are taken"};
}

const json::value* json_reader::member(const json::value* of, std::string_view name) {
  if (of == nullptr || !of->is_object()) return nullptr;
  return of->get_object().if_contains(name);
}

std::uint64_t json_reader::integer(const json::value* from, const place& at, std::uint64_t least, std::uint64_t most) {
  std::optional<std::uint64_t> found;
  if (from != nullptr && from->is_uint64()) found = from->get_uint64();
  if (from != nullptr && from->is_int64() && from->get_int64() >= 0)
    found = static_cast<std::uint64_t>(from->get_int64());
  if (found && *found >= least && *found <= most) return *found;
  fail(at, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return least;
}

std::optional<std::uint64_t> json_reader::optional_integer(const json::value* from, const place& at,
                                                           std::uint64_t most) {
  if (from == nullptr || from->is_null()) return std::nullopt;
  return integer(from, at, 0, most);
}

double json_reader::number(const json::value* from, const place& at, double least, double most) {
  if (from != nullptr && from->is_number()) {
    const double found = from->is_double() ? from->get_double() : from->to_number<double>();
    if (found >= least && found <= most) return found;
  }
  // The bounds are whole numbers.
  fail(at, "a number from " + std::to_string(static_cast<std::int64_t>(least)) + " to " +
               std::to_string(static_cast<std::int64_t>(most)));
  return least;
}

std::optional<double> json_reader::optional_number(const json::value* from, const place& at, double least,
                                                   double most) {
  if (from == nullptr || from->is_null()) return std::nullopt;
  return number(from, at, least, most);
}

bool json_reader::truth(const json::value* from, const place& at) {
  if (from != nullptr && from->is_bool()) return from->get_bool();
  fail(at, "true or false");
  return false;
}

std::string_view json_reader::text(const json::value* from, const place& at, std::size_t least, std::size_t most) {
  if (from != nullptr && from->is_string()) {
    const std::string_view found = from->get_string();
    const bool plain = std::none_of(found.begin(), found.end(), [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return octet < 0x20 || octet == 0x7F;
    });
    if (plain && found.size() >= least && found.size() <= most) return found;
  }
  fail(at,
       "a string of " + std::to_string(least) + " to " + std::to_string(most) + " octets without control characters");
  return {};
}

std::string json_reader::name(const json::value* from, const place& at) {
  // With escapes (\DDD) a name of 255 octets may have four times as many letters.
  if (from != nullptr && from->is_string() && from->get_string().size() <= 1020) {
    const auto found = dns::name::from_text(std::string_view(from->get_string()));
    if (found && !found->is_root()) return found->lower().text();
  }
  fail(at, "a domain name");
  return {};
}

boost::asio::ip::address json_reader::host(const json::value* from, const place& at) {
  if (from != nullptr && from->is_string()) {
    const std::string_view text = from->get_string();
    if (const auto found = parse_host_address(text)) return *found;
  }
  fail(at, "the address of one host");
  return {};
}

prefix json_reader::key(const json::value* from, const place& at) {
  if (from != nullptr && from->is_string()) {
    const auto found = parse_prefix(std::string_view(from->get_string()));
    if (found && is_host_address(found->address) && key_of(found->address) == *found) return *found;
  }
  fail(at, "an IPv4 address with /32 or an IPv6 prefix with /64");
  return {};
}

const json::array* json_reader::array(const json::value* from, const place& at, std::size_t least, std::size_t most) {
  const json::array* found = from == nullptr ? nullptr : from->if_array();
  if (found == nullptr || found->size() < least) {
    fail(at, least == 0 ? "an array" : "an array of " + std::to_string(least) + " or more");
    return nullptr;
  }
  if (found->size() > most) {
    fail_too_many(at, most);
    return nullptr;
  }
  return found;
}

const json::value* json_reader::object(const json::value* from, const place& at) {
  if (from != nullptr && from->is_object()) return from;
  fail(at, "an object");
  return nullptr;
}

}  // namespace nearside::mapping
