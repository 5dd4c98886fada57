// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/lookup_mapped.hpp"

#include <array>
#include <utility>

#include "agent/dns/lookup_parts.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

/// The addresses of the servers that are inside the zone: others a resolver would not believe us (RFC 2181 5.4.1).
void add_glue(const zone& z, const referral& to, sections& s) {
  for (const auto& [owner, addresses] : to.addresses) {
    if (owner.is_at_or_below(z.apex())) s.additional.push_back({&owner, &addresses, addresses.ttl, 0, {}, true});
  }
}

void refer(const zone& z, const name& cut, const referral& to, sections& s) {
  // RFC 1034 4.1.1: AA speaks of the first owner in the answer, which is a CNAME of ours if there is one.
  s.authoritative = !s.answer.empty();
  s.authority.push_back({&cut, &to.servers, to.servers.ttl, 0, {}});
  add_glue(z, to, s);
}

/// The answer in the stead of the cut's servers; of it and its pieces at one name.
class direct {
 public:
  direct(const zone& z, const name& cut, const direct_answer& what, const choices& chosen)
      : zone_(z), cut_(cut), node_(*z.find(cut)), what_(what), chosen_(chosen) {}

  void answer(const name& owner, std::uint16_t qtype, const draw_numbers& by, sections& s) const {
    if (owner != cut_) {
      s.code = rcode::nxdomain;
      no(s);
      return;
    }
    // Nobody has ever said where this name is: silence is better than NODATA, which would be believed.
    if (!what_.choice && node_.rrsets.empty()) {
      s.code = rcode::servfail;
      s.authoritative = false;
      s.answer.clear();
      return;
    }
    if (qtype == rr_type::any) qtype = lowest_type();
    if (qtype == rr_type::a || qtype == rr_type::aaaa)
      addresses(owner, qtype, by, s);
    else if (what_.as_child != nullptr && qtype == rr_type::soa)
      s.answer.push_back({&cut_, &zone_.soa(), zone_.soa().ttl, 0, {}});
    else if (what_.as_child != nullptr && qtype == rr_type::ns)
      servers(s);
    else
      no(s);
  }

 private:
  void no(sections& s) const { say_no(zone_, what_.as_child != nullptr ? cut_ : zone_.apex(), s); }

  [[nodiscard]] const choice* choice_for(const rrset& set) const noexcept {
    if (what_.choice) return &what_.choice->families[set.type == rr_type::aaaa ? 1 : 0];
    return choice_of(chosen_, set);
  }

  void addresses(const name& owner, std::uint16_t qtype, const draw_numbers& by, sections& s) const {
    const rrset* set = node_.find(qtype);
    if (set == nullptr) {
      no(s);
      return;
    }
    const std::size_t before = s.answer.size();
    answer_from_pool(zone_, owner, *set, choice_for(*set), by, s, what_.as_child != nullptr ? &cut_ : nullptr);
    // RFC 7871 7.3.1: a negative answer suits every client.
    if (what_.choice) s.scope = s.answer.size() > before ? what_.scope : std::uint8_t{0};
  }

  void servers(sections& s) const {
    const rrset& set = what_.as_child->servers;
    s.answer.push_back({&cut_, &set, set.ttl, 0, {}});
    add_glue(zone_, *what_.as_child, s);
  }

  /// What ANY gets (RFC 8482 4.1): the RRset with the lowest type number of those that are not NODATA at the moment.
  [[nodiscard]] std::uint16_t lowest_type() const noexcept {
    const auto has = [&](std::uint16_t type) {
      const rrset* set = node_.find(type);
      if (set == nullptr) return false;
      const choice* decided = choice_for(*set);
      return decided == nullptr || decided->what != choice::kind::nodata;
    };
    if (has(rr_type::a)) return rr_type::a;
    if (what_.as_child != nullptr) return rr_type::ns;
    return has(rr_type::aaaa) ? rr_type::aaaa : rr_type::any;
  }

  const zone& zone_;
  const name& cut_;
  const node& node_;
  const direct_answer& what_;
  const choices& chosen_;
};

}  // namespace

void answer_mapped(const zone& z, const name& cut, const name& owner, std::uint16_t qtype, const choices& chosen,
                   const lookup_context& context, sections& s) {
  // DS is the parent's record, whoever answers for the rest (RFC 4035 3.1.4.1).
  if (qtype == rr_type::ds && owner == cut) {
    say_no(z, z.apex(), s);
    return;
  }
  const auto decided =
      std::make_shared<const decision>(context.map->decide(z.find(cut)->mapped, context.asked, context.by));
  s.held.push_back(decided);
  if (const auto* to = std::get_if<std::shared_ptr<const referral>>(decided.get()); to != nullptr && *to != nullptr) {
    refer(z, cut, **to, s);
    return;
  }
  static const direct_answer nothing;
  const auto* what = std::get_if<direct_answer>(decided.get());
  direct(z, cut, what != nullptr ? *what : nothing, chosen).answer(owner, qtype, context.by, s);
}

bool answer_made(const name& qname, std::uint16_t qtype, const lookup_context& context, sections& s) {
  const auto made = context.map->make(qname, qtype, context.asked);
  if (made == nullptr) return false;
  s.held.push_back(made);
  s.code = made->code;
  s.authoritative = made->authoritative;
  const auto place = [](const std::vector<made_answer::record_set>& from, std::vector<placed_rrset>& to) {
    for (const auto& [owner, records] : from) to.push_back({&owner, &records, records.ttl, 0, {}});
  };
  place(made->answer, s.answer);
  place(made->authority, s.authority);
  place(made->additional, s.additional);
  return true;
}

}  // namespace nearside::dns
