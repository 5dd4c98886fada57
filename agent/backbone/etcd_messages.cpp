// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/etcd_messages.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace nearside::backbone::etcd_messages {
namespace json = boost::json;

namespace {

constexpr std::int64_t code_unauthenticated = 16;
constexpr std::size_t longest_reason = 300;

/// Numbers of 64 bits are strings in the gateway's JSON; small ones may be numbers in other versions.
std::int64_t number(const json::value* value) {
  if (value == nullptr) return 0;
  if (value->is_int64()) return value->get_int64();
  const auto& text = value->as_string();
  std::int64_t made = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), made);
  if (wrong != std::errc{} || end != text.data() + text.size()) throw std::invalid_argument("expected a number");
  return made;
}

std::string octets(const json::value* value) {
  if (value == nullptr) return {};
  const auto& text = value->as_string();
  auto made = parse_base64({text.data(), text.size()});
  if (!made) throw std::invalid_argument("expected base64");
  return std::move(*made);
}

std::string short_text(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  const auto& text = value->get_string();
  return {text.data(), std::min(text.size(), longest_reason)};
}

key_value pair_of(const json::object& from) {
  return {octets(from.if_contains("key")), octets(from.if_contains("value")), false};
}

std::int64_t revision_of(const json::object& from) {
  return number(from.at("header").as_object().if_contains("revision"));
}

/// Runs `read` on the object that `text` is; whatever it throws is one error.
template <typename Read>
auto parsed(std::string_view text, const char* what, Read read) -> result<decltype(read(json::object{}))> {
  boost::system::error_code failed;
  const json::value whole = json::parse({text.data(), text.size()}, failed);
  if (failed || !whole.is_object()) return error{errc::invalid, std::string(what) + ": not a JSON object"};
  try {
    return read(whole.get_object());
  } catch (const std::exception& why) {
    return error{errc::invalid, std::string(what) + ": " + why.what()};
  }
}

}  // namespace

std::string base64(std::string_view octets) {
  std::string made((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(made.data()),
                      reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  made.resize(static_cast<std::size_t>(length));
  return made;
}

std::optional<std::string> parse_base64(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  // OpenSSL's decoder takes white space and padding wherever it stands.
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::ranges::all_of(text.substr(0, text.size() - padding), is_digit)) return std::nullopt;
  std::string made(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(made.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0 || static_cast<std::size_t>(length) != made.size()) return std::nullopt;
  made.resize(made.size() - padding);
  return made;
}

std::string end_of_prefix(std::string_view prefix) {
  std::string made(prefix);
  made.back() = static_cast<char>(static_cast<unsigned char>(made.back()) + 1);
  return made;
}

std::string authenticate(std::string_view user, std::string_view password) {
  return json::serialize(json::object{{"name", user}, {"password", password}});
}

std::string grant(std::chrono::seconds ttl) {
  return json::serialize(json::object{{"TTL", std::to_string(ttl.count())}});
}

std::string range(std::string_view first, std::string_view prefix, std::int64_t revision, unsigned limit) {
  json::object made{{"key", base64(first)}, {"range_end", base64(end_of_prefix(prefix))}, {"limit", limit}};
  if (revision > 0) made["revision"] = std::to_string(revision);
  return json::serialize(made);
}

std::string read_one(std::string_view key) { return json::serialize(json::object{{"key", base64(key)}}); }

std::string watch(std::string_view prefix, std::int64_t from_revision) {
  return json::serialize(json::object{{"create_request", json::object{{"key", base64(prefix)},
                                                                      {"range_end", base64(end_of_prefix(prefix))},
                                                                      {"start_revision", std::to_string(from_revision)},
                                                                      {"progress_notify", true}}}});
}

std::string put_all(const std::vector<std::pair<std::string, std::string>>& values, std::int64_t lease) {
  const std::string of_lease = std::to_string(lease);
  json::array puts;
  puts.reserve(values.size());
  for (const auto& [key, value] : values)
    puts.emplace_back(json::object{
        {"request_put", json::object{{"key", base64(key)}, {"value", base64(value)}, {"lease", of_lease}}}});
  return json::serialize(json::object{{"success", std::move(puts)}});
}

bool failure::is_token() const {
  return code == code_unauthenticated || text.find("invalid auth token") != std::string::npos ||
         text.find("auth store is old") != std::string::npos || text.find("user name is empty") != std::string::npos;
}

bool failure::is_lease() const { return text.find("requested lease not found") != std::string::npos; }

failure parse_failure(unsigned status, std::string_view body) {
  auto said = parsed(body, "etcd", [](const json::object& from) {
    // 3.4 has "error" and "message" at the top; a stream's failure is an object "error".
    const auto* inner = from.if_contains("error");
    const json::object& about = inner != nullptr && inner->is_object() ? inner->get_object() : from;
    failure made{short_text(about.if_contains("message")), number(about.if_contains("code"))};
    if (made.text.empty()) made.text = short_text(about.if_contains("error"));
    if (made.code == 0) made.code = number(about.if_contains("grpc_code"));
    return made;
  });
  if (said && !said->text.empty()) return std::move(*said);
  return {"HTTP status " + std::to_string(status), 0};
}

result<std::string> parse_token(std::string_view body) {
  return parsed(body, "etcd token", [](const json::object& from) {
    const auto& token = from.at("token").as_string();
    for (const char c : token)  // it goes into a header field
      if (c <= ' ' || c > '~') throw std::invalid_argument("not a token");
    if (token.empty()) throw std::invalid_argument("not a token");
    return std::string(token);
  });
}

result<std::int64_t> parse_lease(std::string_view body) {
  return parsed(body, "etcd lease", [](const json::object& from) {
    const auto lease = number(from.if_contains("ID"));
    if (lease == 0) throw std::invalid_argument("no lease");
    return lease;
  });
}

result<page> parse_range(std::string_view body) {
  return parsed(body, "etcd range", [](const json::object& from) {
    page made;
    made.revision = revision_of(from);
    const auto* more = from.if_contains("more");
    made.more = more != nullptr && more->as_bool();
    if (const auto* values = from.if_contains("kvs"))
      for (const json::value& value : values->as_array()) made.values.push_back(pair_of(value.as_object()));
    return made;
  });
}

result<watched> parse_watched(std::string_view line) {
  return parsed(line, "etcd watch", [](const json::object& from) {
    watched made;
    if (from.contains("error")) {
      made.cancelled = true;
      const json::value whole = from;
      made.reason = parse_failure(0, json::serialize(whole)).text;
      return made;
    }
    const json::object& said = from.at("result").as_object();
    made.revision = revision_of(said);
    if (const auto* created = said.if_contains("created")) made.created = created->as_bool();
    if (const auto* cancelled = said.if_contains("canceled")) made.cancelled = cancelled->as_bool();
    made.reason = short_text(said.if_contains("cancel_reason"));
    if (const auto compacted = number(said.if_contains("compact_revision")); compacted > 0) {
      made.cancelled = true;
      made.reason = "compacted at revision " + std::to_string(compacted);
    }
    const auto* events = said.if_contains("events");
    if (events == nullptr) return made;
    for (const json::value& event : events->as_array()) {
      const json::object& about = event.as_object();
      made.events.push_back(pair_of(about.at("kv").as_object()));
      // PUT is the default and so not written.
      const auto* type = about.if_contains("type");
      made.events.back().deleted = type != nullptr && type->as_string() == "DELETE";
    }
    return made;
  });
}

}  // namespace nearside::backbone::etcd_messages
