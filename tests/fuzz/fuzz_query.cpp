// SPDX-License-Identifier: BSD-2-Clause
// Any octets as a query: what the parser gives must keep its promises. Seeds: tests/fuzz/seeds/query.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "agent/dns/query.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::dns;
  const query q = parse_query({data, size});
  require((q.fault == query_fault::not_ours) == (size < 12 || (data[2] & 0x80) != 0));
  if (q.fault == query_fault::none || q.fault == query_fault::version) require(q.asked.has_value());
  if (q.fault == query_fault::version) require(q.edns && q.edns->version > 0);
  if (q.fault == query_fault::none && q.edns) require(q.edns->version == 0);
  if (q.asked) {
    require(q.asked->qname.wire().size() <= 255);
    require(name::from_text(q.asked->qname.text()).value() == q.asked->qname);
  }
  if (q.edns && q.edns->subnet) {
    require(q.edns->subnet->address.size() == (q.edns->subnet->source_prefix + 7U) / 8U);
    require(q.edns->subnet->address.size() <= 16);
  }
  return 0;
}
