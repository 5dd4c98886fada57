// SPDX-License-Identifier: BSD-2-Clause
// Any text as a master file: errors with a line that exists, and a zone that is consistent. Seeds:
// tests/fuzz/seeds/master_file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "agent/dns/lookup.hpp"
#include "agent/dns/master_file.hpp"
#include "agent/dns/rr_type.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::dns;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  zone z(name::from_text("lb.example.").value());
  std::vector<master_error> errors;
  read_master_text(text, "fuzz", 1, 20, z, errors);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const master_error& e : errors) require(e.line >= 1 && e.line <= lines && !e.message.empty());

  z.for_each([&](const name& owner, const node& at) {
    require(owner.is_at_or_below(z.apex()));
    if (at.find(rr_type::cname) != nullptr) require(at.rrsets.size() == 1);
    for (const rrset& set : at.rrsets) {
      require(!set.rdatas.empty());
      for (const rdata& one : set.rdatas) require(is_well_formed(set.type, one));
    }
  });
  if (!z.check()) return 0;
  zone_set zones;
  zones.add(z).value();
  z.for_each([&](const name& owner, const node&) {
    require(lookup(zones, {}, owner, rr_type::a, {}).code != rcode::refused);
  });
  return 0;
}
