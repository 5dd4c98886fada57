// SPDX-License-Identifier: BSD-2-Clause
// Builds a reply: header, question, records. Owner names are compressed, names in RDATA never are, so that what the
// kernel answers from a prepared image is the same octet for octet. One message a writer; used by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/dns/query.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

class message_writer {
 public:
  /// Begins with a header of zeros, to be filled in at the end.
  message_writer();

  /// Writes the question as it came; its name is the first target of compression (C00C) and must live as long as the
  /// writer.
  void write_question(const question& asked);
  /// Writes all records of `set`, beginning with the one numbered `first` and going round. `owner` must live as long as
  /// the writer: later owners may be compressed against it. Gives the number of records.
  std::size_t write_rrset(const name& owner, const rrset& set, std::uint32_t ttl, std::size_t first);
  /// Writes the records of `set` that `order` names, in that order. All must be there.
  std::size_t write_rrset(const name& owner, const rrset& set, std::uint32_t ttl, std::span<const std::uint8_t> order);
  /// Writes all records of `set`, the owner in full in each, and no target of later ones: these octets are the same
  /// wherever in a message they stand.
  std::size_t write_whole_rrset(const name& owner, const rrset& set, std::uint32_t ttl);
  /// Writes one record; `owner` must live as long as the writer.
  void write_record(const name& owner, std::uint16_t type, std::uint16_t rclass, std::uint32_t ttl,
                    std::span<const std::uint8_t> data);
  /// Appends octets as they are (an OPT record).
  void append(std::span<const std::uint8_t> octets) { octets_.insert(octets_.end(), octets.begin(), octets.end()); }

  [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }
  /// Takes back all behind the first `size` octets; only append() may follow.
  void shorten(std::size_t size) { octets_.resize(size); }
  void set_u16(std::size_t offset, std::uint16_t value) noexcept;
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(octets_); }

 private:
  // A name that begins at `offset` of the message: the suffix of a name that was written as an owner or as the QNAME.
  struct target {
    std::size_t offset;
    std::span<const std::uint8_t> suffix;
  };
  void u16(std::uint16_t value);
  void write_owner(const name& owner);
  void write_rest(std::uint16_t type, std::uint16_t rclass, std::uint32_t ttl, std::span<const std::uint8_t> data);
  void add_targets(const name& owner, std::size_t labels, std::size_t offset);

  std::vector<std::uint8_t> octets_;
  std::vector<target> targets_;
};

}  // namespace nearside::dns
