// SPDX-License-Identifier: BSD-2-Clause
// What lookup() says of names that a dns::mapping decides. Pure; any thread.
#pragma once

#include "agent/dns/lookup.hpp"

namespace nearside::dns {

/// Answers for `owner`, which lies at or below the mapped name `cut` of the zone: with a referral, or in the stead of
/// the servers that one would name. What is in the answer section already are the CNAMEs that lead to `owner`.
/// `context.map` is there.
void answer_mapped(const zone& z, const name& cut, const name& owner, std::uint16_t qtype, const choices& chosen,
                   const lookup_context& context, sections& s);

/// Whether the mapping makes an answer of its own to this question; then it is in the sections.
[[nodiscard]] bool answer_made(const name& qname, std::uint16_t qtype, const lookup_context& context, sections& s);

}  // namespace nearside::dns
