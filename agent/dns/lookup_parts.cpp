// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/lookup_parts.hpp"

#include <algorithm>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

/// The alternative of an answer that is taken; nullptr: there is none, or it has records that the RRset has not.
const alternative* drawn_from(const choice& decided, const rrset& set, const draw_numbers& by) noexcept {
  const auto& all = decided.alternatives;
  if (decided.what != choice::kind::answer || all.empty()) return nullptr;
  const std::size_t index =
      by.alternative ? *by.alternative % all.size() : draw(all, decided.by_client ? by.client : by.random);
  if (index >= all.size()) return nullptr;
  const auto& order = all[index].order;
  const bool fits = !order.empty() && std::all_of(order.begin(), order.end(),
                                                  [&](std::uint8_t record) { return record < set.rdatas.size(); });
  return fits ? &all[index] : nullptr;
}

}  // namespace

const choice* choice_of(const choices& chosen, const rrset& set) noexcept {
  if (set.pool >= chosen.size()) return nullptr;
  return &chosen[set.pool].families[set.type == rr_type::aaaa ? 1 : 0];
}

void say_no(const zone& z, const name& owner, sections& s) {
  s.authority.push_back({&owner, &z.soa(), z.negative_ttl(), 0, {}});
}

void answer_from_pool(const zone& z, const name& owner, const rrset& set, const choice* decided, const draw_numbers& by,
                      sections& s, const name* soa_owner) {
  if (decided != nullptr && decided->what == choice::kind::nodata) {
    say_no(z, soa_owner != nullptr ? *soa_owner : z.apex(), s);
    return;
  }
  const alternative* one = decided != nullptr ? drawn_from(*decided, set, by) : nullptr;
  if (one == nullptr) {
    s.code = rcode::servfail;
    s.authoritative = false;
    s.answer.clear();
    return;
  }
  s.by_client = decided->by_client;
  s.answer.push_back({&owner, &set, decided->ttl, 0, one->order});
}

}  // namespace nearside::dns
