// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_checks.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "agent/config/check_keys.hpp"
#include "agent/config/durations.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_checks = 10'000;

/// A duration that another one limits. The default gives way to the limit; a value that is given must not pass it.
void read_limited(table_reader& table, std::string_view key, milliseconds& field, milliseconds least, milliseconds most,
                  std::string_view limit_key, milliseconds limit) {
  const auto found = table.duration(key, least, most);
  if (!found) {
    field = std::min(field, limit);
    return;
  }
  field = found->value;
  if (field > limit) {
    table.complain(key, found->at,
                   "expected no more than " + std::string(limit_key) + ", " + in_quotes(duration_text(limit)) +
                       ", found " + in_quotes(duration_text(field)));
  }
}

void read_schedule(table_reader& table, check& c) {
  if (const auto found = table.duration("interval", 100ms, 1h)) c.interval = found->value;
  read_limited(table, "interval_in_use", c.interval_in_use, 100ms, 1h, "interval", c.interval);
  // Not limited by interval_in_use: a check has up to four steps with this time-out for each, and is not begun again
  // before it is over, so a server that does not answer is measured less often anyway.
  read_limited(table, "timeout", c.timeout, 10ms, 1min, "interval", c.interval);
  read_limited(table, "recheck", c.recheck, 10ms, 1h, "interval", c.interval);
}

void read_health(table_reader& table, score::health_settings& health) {
  table.integer_into<std::uint32_t>("fall", health.fall, 1, 1'000);
  table.integer_into<std::uint32_t>("rise", health.rise, 1, 1'000);
  table.integer_into<std::uint32_t>("rise_growth", health.rise_growth, 1, 100);
  const auto most = table.integer("rise_most", 1, 10'000);
  health.rise_most = most ? static_cast<std::uint32_t>(most->value) : std::max(health.rise_most, health.rise);
  if (health.rise_most < health.rise) {
    table.complain(
        "rise_most", most->at,
        "expected no less than rise, " + std::to_string(health.rise) + ", found " + std::to_string(health.rise_most));
  }
  if (const auto window = table.duration("flap_window", 1s, 168h)) health.flap_window = window->value;
}

check read_check(table_reader& table, const std::filesystem::path& folder) {
  check c;
  read_schedule(table, c);
  read_health(table, c.health);
  const auto type = table.one_of("type", check_type_words);
  if (!type && !table.has("type"))
    table.complain("type", table.at(), "expected " + alternatives(check_type_words) + ", found none");
  if (type) {
    c.type = static_cast<check_type>(*type);
    read_keys_of_type(table, folder, c);
  } else {
    allow_keys_of_all_types(table);
  }
  table.finish();
  return c;
}

}  // namespace

check_list read_checks(table_reader& root, const std::filesystem::path& folder) {
  check_list checks;
  for (table_reader& table : root.tables("check")) {
    if (checks.all.size() == most_checks) {
      table.complain("name", table.at(), "expected at most " + std::to_string(most_checks) + " checks, found more");
      break;
    }
    const auto name = read_name(table, "name");
    if (!table.has("name")) table.complain("name", table.at(), "expected the check's name, found none");
    checks.all.push_back(read_check(table, folder));
    if (!name) continue;
    checks.all.back().name = name->value;
    if (const std::size_t line = checks.names.add(*name, checks.all.size() - 1); line != 0) {
      table.complain("name", name->at,
                     "check " + in_quotes(name->value) + " is given twice, first in line " + std::to_string(line));
    }
  }
  return checks;
}

}  // namespace nearside::config
