// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/resolver_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <utility>

namespace nearside::mapping {
namespace ip = boost::asio::ip;
using ip::address;

namespace {

constexpr std::size_t most_notes = 8;
constexpr std::size_t most_text_of_note = 64;
constexpr std::size_t most_interfaces = 64;
constexpr std::string_view blanks = " \t\r\n";

/// What a note repeats of a file must not spoil a log.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, most_text_of_note));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

void note(found_resolvers& found, std::string text) {
  if (found.notes.size() < most_notes) found.notes.push_back(std::move(text));
}

void note(found_resolvers& found, const std::string& where, std::string_view what, std::string_view text) {
  note(found, where + std::string(what) + ": " + printable(text));
}

void add(found_resolvers& found, const std::string& where, address one) {
  if (one.is_v6() && one.to_v6().is_v4_mapped()) one = ip::make_address_v4(ip::v4_mapped, one.to_v6());
  if (one.is_unspecified() || one.is_multicast() || one == address(ip::address_v4::broadcast()))
    return note(found, where, "no resolver can be there", one.to_string());
  if (std::ranges::find(found.addresses, one) != found.addresses.end()) return;
  if (found.addresses.size() >= most_resolvers)
    return note(found, where, "more than " + std::to_string(most_resolvers) + " resolvers", one.to_string());
  found.addresses.push_back(one);
}

void add(found_resolvers& found, const std::string& where, std::string_view text) {
  // The longest: an IPv6 address of 45 octets, and the name of an interface.
  boost::system::error_code failed;
  const address one = text.size() <= 64 ? ip::make_address(std::string(text), failed) : address();
  if (failed || text.size() > 64) return note(found, where, "no address", text);
  add(found, where, one);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    visit(text.substr(0, end), number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

template <typename Visit>
void for_each_word(std::string_view text, std::string_view separators, Visit visit) {
  for (;;) {
    const auto first = text.find_first_not_of(separators);
    if (first == std::string_view::npos) return;
    text.remove_prefix(first);
    const auto end = std::min(text.find_first_of(separators), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string line_text(std::size_t number) { return "line " + std::to_string(number) + ": "; }

/// The statements of dhclient.leases(5), one after the other: text up to ';', '{' or '}' with strings kept whole.
class statements {
 public:
  explicit statements(std::string_view text) : rest_(text) {}

  struct statement {
    std::string_view text;
    char end = ';';
  };
  std::optional<statement> next() {
    bool quoted = false;
    std::size_t from = 0;  // where the statement begins
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quoted && c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && (c == ';' || c == '{' || c == '}')) {
        const statement found{trimmed(rest_.substr(from, i - from)), c};
        rest_.remove_prefix(i + 1);
        return found;
      } else if (!quoted && c == '#') {
        // A comment stands between statements: text before it on its line would be half of one, and is lost with it.
        i = std::min(rest_.find('\n', i), rest_.size());
        from = i + 1;
      }
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

template <typename Number>
bool read_number(std::string_view& text, Number& to) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// "3 2026/01/31 23:59:59" in UTC, or "epoch 1769903999". Nothing: never, or not understood.
std::optional<std::chrono::system_clock::time_point> read_time(std::string_view text) {
  using namespace std::chrono;
  std::int64_t since_epoch = 0;
  if (text.starts_with("epoch ")) {
    text = trimmed(text.substr(6));
    constexpr std::int64_t far = 1LL << 33;  // no overflow in the clock's nanoseconds
    if (!read_number(text, since_epoch) || since_epoch < 0 || since_epoch > far) return std::nullopt;
    return system_clock::time_point(seconds(since_epoch));
  }
  unsigned weekday = 0;
  int year_number = 0;
  std::array<unsigned, 5> rest{};
  constexpr std::array<char, 5> before{'/', '/', ' ', ':', ':'};
  if (!read_number(text, weekday)) return std::nullopt;
  text = trimmed(text);
  if (!read_number(text, year_number) || year_number < 1970 || year_number > 2200) return std::nullopt;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (!text.starts_with(before[i])) return std::nullopt;
    text.remove_prefix(1);
    if (!read_number(text, rest[i])) return std::nullopt;
  }
  const year_month_day date{year(year_number), month(rest[0]), day(rest[1])};
  if (!date.ok() || rest[2] > 24 || rest[3] > 59 || rest[4] > 60) return std::nullopt;
  return sys_days(date) + hours(rest[2]) + minutes(rest[3]) + seconds(rest[4]);
}

/// The value of a statement that begins with these words.
std::optional<std::string_view> value_of(std::string_view statement, std::string_view words) {
  if (!statement.starts_with(words)) return std::nullopt;
  const auto rest = statement.substr(words.size());
  if (rest.empty() || blanks.find(rest.front()) == std::string_view::npos) return std::nullopt;
  return trimmed(rest);
}

struct dhclient_lease {
  std::string_view servers;
  std::string_view interface;
  std::optional<std::chrono::system_clock::time_point> end;
};

address address_at(std::string_view octets, bool v6) {
  if (v6) {
    ip::address_v6::bytes_type bytes{};
    std::copy_n(octets.begin(), bytes.size(), bytes.begin());
    return ip::address_v6(bytes);
  }
  ip::address_v4::bytes_type bytes{};
  std::copy_n(octets.begin(), bytes.size(), bytes.begin());
  return ip::address_v4(bytes);
}

void add_all(found_resolvers& found, std::string_view octets, bool v6) {
  const std::size_t step = v6 ? 16 : 4;
  for (; octets.size() >= step; octets.remove_prefix(step)) add(found, "", address_at(octets, v6));
}

bool is_of_resolved(const address& one) {
  return one == ip::make_address("127.0.0.53") || one == ip::make_address("127.0.0.54");
}

}  // namespace

std::string_view text_of(resolver_source from) noexcept {
  switch (from) {
    case resolver_source::resolv_conf: return "resolv.conf";
    case resolver_source::systemd_resolved: return "systemd-resolved";
    case resolver_source::dhcp: return "dhcp";
    case resolver_source::configuration: break;
  }
  return "configuration";
}

void merge(found_resolvers& found, const found_resolvers& more) {
  for (const address& one : more.addresses) add(found, "", one);
  for (const std::string& one : more.notes) note(found, one);
}

found_resolvers parse_resolv_conf(std::string_view text) {
  found_resolvers found;
  for_each_line(text, [&found](std::string_view line, std::size_t number) {
    // resolv.conf(5): the keyword stands at the beginning of the line, the value in it, after white space.
    constexpr std::string_view keyword = "nameserver";
    if (!line.starts_with(keyword)) return;
    line.remove_prefix(keyword.size());
    if (line.empty() || blanks.find(line.front()) == std::string_view::npos) return;
    line = trimmed(line);
    add(found, line_text(number), line.substr(0, line.find_first_of(" \t#;")));
  });
  return found;
}

found_resolvers parse_dhclient_leases(std::string_view text, std::chrono::system_clock::time_point now) {
  // By interface and family; a later lease takes the place of an earlier one.
  std::map<std::pair<std::string_view, bool>, dhclient_lease> newest;
  statements all(text);
  std::size_t depth = 0;
  bool v6 = false;
  bool in_lease = false;
  dhclient_lease lease;
  while (const auto one = all.next()) {
    if (one->end == '{') {
      if (depth == 0) {
        in_lease = one->text == "lease" || one->text == "lease6";
        v6 = one->text == "lease6";
        lease = {};
      }
      ++depth;
      continue;
    }
    if (one->end == '}') {
      // A file that is read from its middle may begin with the end of something.
      if (depth == 0) continue;
      const std::pair key{lease.interface, v6};
      if (--depth == 0 && in_lease && (newest.size() < most_interfaces || newest.contains(key))) newest[key] = lease;
      continue;
    }
    if (depth != 1 || !in_lease) continue;
    if (const auto name = value_of(one->text, "interface")) lease.interface = *name;
    if (const auto end = value_of(one->text, "expire"); end && !v6) lease.end = read_time(*end);
    if (const auto servers = value_of(one->text, v6 ? "option dhcp6.name-servers" : "option domain-name-servers"))
      lease.servers = *servers;
  }
  found_resolvers found;
  for (const auto& [key, of_interface] : newest) {
    const std::string where = printable(of_interface.interface) + ": ";
    if (of_interface.servers.empty()) continue;
    if (of_interface.end && *of_interface.end < now) {
      note(found, where, "its lease is over", of_interface.servers);
      continue;
    }
    for_each_word(of_interface.servers, ", \t\r\n", [&found, &where](std::string_view one) { add(found, where, one); });
  }
  return found;
}

found_resolvers parse_networkd_lease(std::string_view text) {
  found_resolvers found;
  for_each_line(text, [&found](std::string_view line, std::size_t number) {
    constexpr std::string_view keyword = "DNS=";
    if (!line.starts_with(keyword)) return;
    for_each_word(line.substr(keyword.size()), blanks,
                  [&found, number](std::string_view one) { add(found, line_text(number), one); });
  });
  return found;
}

found_resolvers parse_dhcpcd_lease(std::string_view octets) {
  found_resolvers found;
  // RFC 2131 2 and 3: 236 octets of fixed fields, the cookie, then options of one octet type, one octet length.
  constexpr std::size_t fixed = 236;
  constexpr std::string_view cookie = "\x63\x82\x53\x63";
  if (octets.size() < fixed + cookie.size() || octets.substr(fixed, cookie.size()) != cookie) {
    note(found, "no DHCP message");
    return found;
  }
  octets.remove_prefix(fixed + cookie.size());
  constexpr char pad = 0;
  constexpr char domain_name_servers = 6;
  constexpr char end = '\xff';
  while (!octets.empty() && octets[0] != end) {
    if (octets[0] == pad) {
      octets.remove_prefix(1);
      continue;
    }
    const std::size_t length = octets.size() < 2 ? octets.size() : static_cast<std::uint8_t>(octets[1]);
    if (octets.size() < 2 + length) {
      note(found, "the DHCP message ends in an option");
      break;
    }
    if (octets[0] == domain_name_servers) add_all(found, octets.substr(2, length), false);
    octets.remove_prefix(2 + length);
  }
  return found;
}

found_resolvers parse_dhcpcd_lease6(std::string_view octets) {
  found_resolvers found;
  // RFC 8415 8: type and transaction in 4 octets, then options of two octets type, two octets length.
  constexpr std::size_t header = 4;
  constexpr std::size_t dns_servers = 23;
  const auto number_at = [&octets](std::size_t at) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(octets[at])) << 8U |
           static_cast<std::uint8_t>(octets[at + 1]);
  };
  octets.remove_prefix(std::min(octets.size(), header));
  while (!octets.empty()) {
    const std::size_t length = octets.size() < header ? octets.size() : number_at(2);
    if (octets.size() < header + length) {
      note(found, "the DHCPv6 message ends in an option");
      break;
    }
    if (number_at(0) == dns_servers) add_all(found, octets.substr(header, length), true);
    octets.remove_prefix(header + length);
  }
  return found;
}

std::vector<resolver> choose_resolvers(const resolver_files& files) {
  std::vector<resolver> chosen;
  const auto put = [&chosen](const found_resolvers& found, resolver_source from) {
    for (const address& one : found.addresses) {
      const bool known = std::ranges::any_of(chosen, [&one](const resolver& r) { return r.address == one; });
      if (!known && !is_of_resolved(one) && chosen.size() < most_resolvers) chosen.push_back({one, 53, from});
    }
  };
  const bool by_resolved = std::ranges::any_of(files.resolv_conf.addresses, is_of_resolved);
  if (by_resolved) put(files.systemd_resolved, resolver_source::systemd_resolved);
  put(files.resolv_conf, resolver_source::resolv_conf);
  if (std::ranges::all_of(chosen, [](const resolver& r) { return r.address.is_loopback(); }))
    put(files.dhcp, resolver_source::dhcp);
  return chosen;
}

}  // namespace nearside::mapping
