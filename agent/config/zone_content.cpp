// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/zone_content.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "agent/config/text_file.hpp"
#include "agent/config/wording.hpp"
#include "agent/dns/master_file.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uintmax_t largest_master_file = 1ull << 30;
constexpr std::size_t most_name_servers = 32;
constexpr std::chrono::seconds longest_expire = std::chrono::hours(365 * 24);

const dns::rrset* at_apex(const dns::zone& zone, std::uint16_t type) {
  const dns::node* apex = zone.find(zone.apex());
  return apex == nullptr ? nullptr : apex->find(type);
}

void read_file(table_reader& table, const std::filesystem::path& folder, std::uint32_t ttl, dns::zone& zone,
               problem_list& problems) {
  const auto file = table.text("file");
  if (!file) return;
  if (file->value.empty() || file->value.find('\0') != std::string::npos) {
    table.complain("file", file->at, "expected the path of a master file, found " + in_quotes(file->value));
    return;
  }
  const std::filesystem::path path = folder / file->value;
  if (const auto usable = check_file(path, largest_master_file); !usable) {
    table.complain("file", file->at, in_quotes(path.string()) + ": " + usable.error().message);
    return;
  }
  std::vector<dns::master_error> errors;
  dns::read_master_file(path, ttl, zone, errors);
  for (dns::master_error& e : errors) problems.add(problem{std::move(e.file), e.line, 0, std::move(e.message)});
}

void read_records(table_reader& table, std::uint32_t ttl, dns::zone& zone, problem_list& problems) {
  const auto records = table.text("records");
  if (!records) return;
  // TOML drops a newline right after the opening quotes: then the text has fewer line ends than it has in the file.
  const auto newlines = static_cast<std::size_t>(std::count(records->value.begin(), records->value.end(), '\n'));
  const bool dropped = records->last_line - records->at.line > newlines;
  std::vector<dns::master_error> errors;
  dns::read_master_text(records->value, problems.file(), records->at.line + (dropped ? 1 : 0), ttl, zone, errors);
  // A one-line string with \n in it has no lines of its own in the file.
  for (dns::master_error& e : errors)
    problems.add(problem{std::move(e.file), std::min(e.line, records->last_line), 0, std::move(e.message)});
}

void append(dns::rdata& data, const dns::name& name) {
  const auto wire = name.wire();
  data.insert(data.end(), wire.begin(), wire.end());
}

void append(dns::rdata& data, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<std::uint8_t>(number >> shift));
}

/// A full domain name, with or without its final dot.
std::optional<dns::name> read_name(table_reader& table, std::string_view key, const located<std::string>& text) {
  const auto name = dns::name::from_text(text.value);
  if (name) return *name;
  table.complain(key, text.at, "expected a domain name, found " + in_quotes(text.value) + ": " + name.error().message);
  return std::nullopt;
}

void read_ns(table_reader& table, std::uint32_t ttl, dns::zone& zone) {
  const auto servers = table.texts("ns");
  const bool in_records = at_apex(zone, dns::rr_type::ns) != nullptr;
  if (!servers) {
    if (!in_records && !table.has("ns"))
      table.complain("ns", table.at(), "expected the zone's name servers, here or as NS records, found none");
    return;
  }
  if (in_records) {
    table.complain("ns", servers->at,
                   "expected the name servers in one place, found NS records of the zone in its records too");
    return;
  }
  if (servers->value.empty() || servers->value.size() > most_name_servers) {
    table.complain("ns", servers->at,
                   "expected 1 to " + std::to_string(most_name_servers) + " name servers, found " +
                       std::to_string(servers->value.size()));
  }
  std::vector<dns::name> seen;
  for (const auto& text : servers->value) {
    const auto target = read_name(table, "ns", text);
    if (!target) continue;
    if (std::find(seen.begin(), seen.end(), *target) != seen.end()) {
      table.complain("ns", text.at, in_quotes(text.value) + " is given twice");
      continue;
    }
    seen.push_back(*target);
    dns::rdata data;
    append(data, *target);
    if (const auto added = zone.add(zone.apex(), dns::rr_type::ns, ttl, std::move(data)); !added)
      table.complain("ns", text.at, added.error().message);
  }
}

/// The fields of RFC 1035 3.3.13, with the values they have where nothing is said.
struct soa_fields {
  std::optional<dns::name> mname;
  std::optional<dns::name> rname;
  std::uint32_t serial = 1;
  std::uint32_t refresh = 3600;
  std::uint32_t retry = 600;
  std::uint32_t expire = 7 * 24 * 3600;
  std::uint32_t minimum = 30;
};

soa_fields read_soa_table(table_reader& soa) {
  soa_fields fields;
  const auto name = [&](std::string_view key, std::optional<dns::name>& field) {
    const auto text = soa.text(key);
    if (!text) return;
    if (text->value.find('@') != std::string::npos)
      soa.complain(key, text->at, "expected a domain name, found " + in_quotes(text->value) + ": write the @ as a dot");
    else
      field = read_name(soa, key, *text);
  };
  const auto timer = [&](std::string_view key, std::uint32_t& field, std::chrono::seconds most) {
    if (const auto time = soa.seconds(key, 1s, most)) field = time->value;
  };
  name("mname", fields.mname);
  name("rname", fields.rname);
  soa.integer_into<std::uint32_t>("serial", fields.serial, 0, UINT32_MAX);
  timer("refresh", fields.refresh, longest_expire);
  timer("retry", fields.retry, longest_expire);
  timer("expire", fields.expire, longest_expire);
  timer("minimum", fields.minimum, most_ttl);
  if (fields.expire < fields.refresh) soa.complain("expire", soa.at("expire"), "expected no less than refresh");
  soa.finish();
  return fields;
}

void read_soa(table_reader& table, std::uint32_t ttl, dns::zone& zone) {
  auto soa = table.table("soa");
  const soa_fields given = soa ? read_soa_table(*soa) : soa_fields{};
  if (at_apex(zone, dns::rr_type::soa) != nullptr) {
    if (soa)
      table.complain("soa", soa->at(), "expected the SOA in one place, found an SOA record in the zone's records too");
    return;
  }
  std::optional<dns::name> mname = given.mname;
  if (const dns::rrset* ns = at_apex(zone, dns::rr_type::ns); !mname && ns != nullptr)
    if (auto first = dns::name::from_wire(ns->rdatas.front())) mname = *first;
  if (!mname) return;  // no name server: noted already
  std::optional<dns::name> rname = given.rname;
  if (!rname) {
    auto usual = dns::name::from_text("hostmaster", zone.apex());
    if (!usual) {
      table.complain("soa.rname", table.at("soa"),
                     "expected a domain name, found none, and the usual one: " + usual.error().message);
      return;
    }
    rname = *usual;
  }
  dns::rdata data;
  append(data, *mname);
  append(data, *rname);
  for (const std::uint32_t number : {given.serial, given.refresh, given.retry, given.expire, given.minimum})
    append(data, number);
  if (const auto added = zone.add(zone.apex(), dns::rr_type::soa, ttl, std::move(data)); !added)
    table.complain("soa", table.at("soa"), added.error().message);
}

}  // namespace

bool read_content(table_reader& table, const std::filesystem::path& folder, std::uint32_t ttl, dns::zone& zone,
                  problem_list& problems) {
  const std::size_t before = problems.size();
  std::uint32_t apex_ttl = 3600;
  if (const auto found = table.seconds("apex_ttl", least_ttl, most_ttl)) apex_ttl = found->value;
  read_file(table, folder, ttl, zone, problems);
  read_records(table, ttl, zone, problems);
  const bool records_complete = problems.size() == before;
  // Records that could not be read may have held the SOA and the NS: what is missing is not worth a word then.
  if (records_complete || table.has("ns"))
    read_ns(table, apex_ttl, zone);
  else
    table.texts("ns");
  read_soa(table, apex_ttl, zone);
  return problems.size() == before;
}

}  // namespace nearside::config
