// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/master_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "agent/dns/ldns.hpp"
#include "agent/dns/master_lines.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

std::span<const std::uint8_t> octets_of(const ldns_rdf& rdf) noexcept {
  return {ldns_rdf_data(&rdf), ldns_rdf_size(&rdf)};
}

owned_rdf to_ldns(const name& n) {
  return owned_rdf(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, n.wire().size(), n.wire().data()));
}

std::string_view take_word(std::string_view& text) noexcept {
  constexpr std::string_view blank = " \t";
  const std::size_t begin = std::min(text.find_first_not_of(blank), text.size());
  const std::size_t end = std::min(text.find_first_of(blank, begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

/// Reads the entries of one text into a zone, as far as they can be read.
class master_reader {
 public:
  master_reader(std::uint32_t default_ttl, zone& z) : ttl_(default_ttl), origin_(z.apex()), zone_(z) {}

  /// What is wrong with the entry, or nothing.
  std::optional<std::string> read(const master_entry& entry) {
    if (!entry.fault.empty()) return entry.fault;
    return entry.text.front() == '$' ? read_directive(entry.text) : read_record(entry.text);
  }

 private:
  std::optional<std::string> read_directive(std::string_view text) {
    const std::string directive(take_word(text));
    const std::string value(take_word(text));
    if (directive != "$TTL" && directive != "$ORIGIN") return directive + " is not supported; $TTL and $ORIGIN are";
    if (value.empty() || !take_word(text).empty()) return directive + " takes one value";
    if (directive == "$ORIGIN") {
      auto origin = name::from_text(value, origin_);
      if (!origin) return "$ORIGIN: " + origin.error().message;
      origin_ = std::move(*origin);
      return std::nullopt;
    }
    const char* end = nullptr;
    const std::uint32_t ttl = ldns_str2period(value.c_str(), &end);
    if (*end != '\0') return "$TTL: \"" + value + "\" is not a time";
    ttl_ = ttl;
    ttl_is_set_ = true;
    return std::nullopt;
  }

  std::optional<std::string> read_record(const std::string& text) {
    const owned_rdf origin = to_ldns(origin_);
    ldns_rr* raw = nullptr;
    // ldns replaces the last owner by the new one and frees the old one.
    ldns_rdf* last_owner = last_owner_.release();
    const ldns_status status = ldns_rr_new_frm_str(&raw, text.c_str(), ttl_omitted, origin.get(), &last_owner);
    last_owner_.reset(last_owner);
    if (status != LDNS_STATUS_OK) return std::string(ldns_get_errorstr_by_id(status));
    return store(owned_rr(raw));
  }

  std::optional<std::string> store(const owned_rr& rr) {
    const auto owner = name::from_wire(octets_of(*ldns_rr_owner(rr.get())));
    if (!owner) return owner.error().message;
    if (ldns_rr_get_class(rr.get()) != LDNS_RR_CLASS_IN) return owner->text() + ": only class IN is served";
    rdata data;
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
      const auto field = octets_of(*ldns_rr_rdf(rr.get(), i));
      data.insert(data.end(), field.begin(), field.end());
    }
    const auto type = static_cast<std::uint16_t>(ldns_rr_get_type(rr.get()));
    const auto added = zone_.add(*owner, type, ttl_of(*rr), std::move(data));
    if (!added) return added.error().message;
    return std::nullopt;
  }

  /// An omitted TTL is that of $TTL (RFC 2308 4), else the last one stated (RFC 1035 5.1).
  std::uint32_t ttl_of(const ldns_rr& rr) {
    const std::uint32_t stated = ldns_rr_ttl(&rr);
    if (stated == ttl_omitted) return ttl_;
    if (!ttl_is_set_) ttl_ = stated;
    return stated;
  }

  // No TTL can be that large (RFC 2181 8), so it tells that the record gave none.
  static constexpr std::uint32_t ttl_omitted = 0xffffffff;
  std::uint32_t ttl_;
  bool ttl_is_set_ = false;
  name origin_;
  zone& zone_;
  owned_rdf last_owner_;
};

}  // namespace

void read_master_file(const std::filesystem::path& path, std::uint32_t default_ttl, zone& z,
                      std::vector<master_error>& errors) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  // An empty file makes << fail without being a fault; reading a directory sets badbit.
  const bool opened = file.is_open();
  if (opened && file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (!opened || file.bad()) {
    errors.push_back({path.string(), 0, std::string("cannot be read: ") + std::strerror(errno)});
    return;
  }
  read_master_text(std::move(content).str(), path.string(), 1, default_ttl, z, errors);
}

void read_master_text(std::string_view text, std::string_view shown_as, std::size_t first_line,
                      std::uint32_t default_ttl, zone& z, std::vector<master_error>& errors) {
  master_reader reader(default_ttl, z);
  master_lines lines(text);
  for (master_entry entry; lines.next(entry);) {
    if (auto fault = reader.read(entry)) {
      errors.push_back({std::string(shown_as), first_line + entry.line - 1, std::move(*fault)});
    }
  }
  z.balance_several();
}

}  // namespace nearside::dns
