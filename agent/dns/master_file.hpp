// SPDX-License-Identifier: BSD-2-Clause
// Zone content from a master file (RFC 1035 5), read by ldns. All faults are collected, so that an operator mends them
// in one go. Used while a configuration is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// One fault; `line` is where its record begins, 1 the first line, 0 the file as a whole.
struct master_error {
  std::string file;
  std::size_t line = 0;
  std::string message;
};

/// Adds the records of a file to `z`. The zone's apex is the origin until $ORIGIN tells another, `default_ttl`
/// (seconds) stands where neither the record, nor $TTL, nor a record before it gives one. An A or AAAA RRset of several
/// addresses becomes balanced. $INCLUDE and $GENERATE are errors. Types that ldns does not know are written as RFC 3597
/// says.
void read_master_file(const std::filesystem::path& path, std::uint32_t default_ttl, zone& z,
                      std::vector<master_error>& errors);
/// The same for text that stands in another file, `shown_as`, from its line `first_line` on.
void read_master_text(std::string_view text, std::string_view shown_as, std::size_t first_line,
                      std::uint32_t default_ttl, zone& z, std::vector<master_error>& errors);

}  // namespace nearside::dns
