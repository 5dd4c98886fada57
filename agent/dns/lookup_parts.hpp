// SPDX-License-Identifier: BSD-2-Clause
// Steps that lookup() has in common for names of a zone and for mapped names. Pure; any thread.
#pragma once

#include "agent/dns/lookup.hpp"

namespace nearside::dns {

/// What is decided for the RRset; nullptr: nothing.
[[nodiscard]] const choice* choice_of(const choices& chosen, const rrset& set) noexcept;

/// RFC 2308 2 and 5: the SOA, with the TTL that the negative answer may be kept. `owner`: the zone's apex, or that of
/// the child that we stand for. Both must live as long as the sections.
void say_no(const zone& z, const name& owner, sections& s);

/// Puts an RRset of a pool into the answer, as it is decided: its records, NODATA with the SOA of `z`, or SERVFAIL.
void answer_from_pool(const zone& z, const name& owner, const rrset& set, const choice* decided, const draw_numbers& by,
                      sections& s, const name* soa_owner = nullptr);

}  // namespace nearside::dns
