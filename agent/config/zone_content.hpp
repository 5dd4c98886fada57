// SPDX-License-Identifier: BSD-2-Clause
// What a [[zone]] says of itself: its records from a master file or from text, and its SOA and NS. Used by
// read_zones().
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "agent/config/toml_reader.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

/// The bounds of every TTL (RFC 2181 8 would allow 68 years; a wrong answer of two days is bad enough).
constexpr std::chrono::seconds least_ttl{1};
constexpr std::chrono::seconds most_ttl = std::chrono::hours(48);

/// Reads `file` and `records` into the zone, then `soa` and `ns` or their defaults for what the records leave open.
/// `folder`: where relative paths begin. `ttl`: of records without one, in seconds. False: the content is not complete,
/// and a check of the zone would only find what has been noted already.
bool read_content(table_reader& table, const std::filesystem::path& folder, std::uint32_t ttl, dns::zone& zone,
                  problem_list& problems);

}  // namespace nearside::config
