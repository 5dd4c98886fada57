// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/key_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "agent/config/check_keys.hpp"
#include "agent/config/durations.hpp"

namespace nearside::config {
namespace {

/// `name=value` items with a space between them; a text from the file has its length in front, so no text can look like
/// another item.
class items {
 public:
  explicit items(std::string_view first) : text_(first) {}

  void word(std::string_view name, std::string_view value) { text_.append(" ").append(name).append("=").append(value); }
  void text(std::string_view name, std::string_view value) {
    word(name, std::to_string(value.size()));
    text_.append(":").append(value);
  }
  void number(std::string_view name, std::size_t value) { word(name, std::to_string(value)); }
  void number(std::string_view name, double value) {
    std::array<char, 32> digits{};
    const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    word(name, failed == std::errc{} ? std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))
                                     : std::string_view("?"));
  }
  void time(std::string_view name, score::duration value) {
    word(name, duration_text(std::chrono::duration_cast<std::chrono::microseconds>(value)));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_tls(items& key, const check& c) {
  key.text("server_name", c.server_name);
  key.number("verify", std::size_t{c.verify});
  key.text("ca_file", c.ca_file);
}

void add_http(items& key, const check& c) {
  key.text("method", c.method);
  key.text("path", c.path);
  key.text("host", c.host);
  for (const auto& [first, last] : c.status) key.word("status", std::to_string(first) + "-" + std::to_string(last));
  key.text("body", c.body);
  key.text("body_regex", c.body_regex);
  key.number("body_limit", c.body_limit);
}

void add_dns(items& key, const check& c) {
  key.text("qname", c.qname);
  key.number("qtype", std::size_t{c.qtype});
  key.number("rcode", std::size_t{c.rcode});
  for (const std::string& rdata : c.rdata) key.text("rdata", rdata);
}

}  // namespace

std::string key_text(const check& c) {
  items key(check_type_words.at(static_cast<std::size_t>(c.type)));
  key.time("interval", c.interval);
  key.time("interval_in_use", c.interval_in_use);
  key.time("timeout", c.timeout);
  key.time("recheck", c.recheck);
  key.number("fall", std::size_t{c.health.fall});
  key.number("rise", std::size_t{c.health.rise});
  key.number("rise_growth", std::size_t{c.health.rise_growth});
  key.number("rise_most", std::size_t{c.health.rise_most});
  key.time("flap_window", c.health.flap_window);
  switch (c.type) {
    case check_type::icmp:
    case check_type::tcp: break;
    case check_type::tls: add_tls(key, c); break;
    case check_type::http: add_http(key, c); break;
    case check_type::https:
      add_tls(key, c);
      add_http(key, c);
      break;
    case check_type::dns: add_dns(key, c); break;
    case check_type::exec:
      for (const std::string& word : c.command) key.text("word", word);
      break;
  }
  return key.take();
}

std::string key_text(const score::criteria& rules) {
  items key(text_of(rules.how));
  key.number("addresses", rules.addresses);
  key.number("minimum_healthy", rules.minimum_healthy);
  if (rules.maximum_rtt) key.time("max_rtt", *rules.maximum_rtt);
  if (rules.maximum_loss) key.number("max_loss", *rules.maximum_loss);
  if (rules.maximum_cost) key.number("max_cost", *rules.maximum_cost);
  for (const std::string& site : rules.sites) key.text("site", site);
  if (rules.how == score::policy::spread) {
    key.number("within_percent", rules.within_percent);
    key.time("within", rules.within);
  }
  key.word("all_down", score::all_down_words.at(static_cast<std::size_t>(rules.all_down)));
  key.word("unknown", score::unknown_words.at(static_cast<std::size_t>(rules.unknown)));
  key.time("ttl", rules.ttl);
  key.time("ttl_min", rules.ttl_min);
  return key.take();
}

std::string key_text(const score::member& m) {
  items key(m.server);
  key.number("weight", std::size_t{m.weight});
  key.number("priority", std::size_t{m.priority});
  key.number("cost", m.cost);
  key.text("site", m.site);
  return key.take();
}

bool is_replaced(const check& c, std::string_view place) {
  return std::any_of(c.command.begin(), c.command.end(),
                     [&](const std::string& word) { return word.find(place) != std::string::npos; });
}

}  // namespace nearside::config
