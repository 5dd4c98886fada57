// SPDX-License-Identifier: BSD-2-Clause
// ldns for C++: the one way to include it, and the owners of what it allocates.
// Without <stdbool.h> before it, ldns makes macros of bool, true and false, which the headers of C++ cannot stand.
#pragma once

// clang-format off
#include <stdbool.h>  // NOLINT(modernize-deprecated-headers): see above
#include <ldns/ldns.h>
// clang-format on

#include <memory>

namespace nearside::dns {

struct free_ldns {
  void operator()(ldns_rr* rr) const noexcept { ldns_rr_free(rr); }
  void operator()(ldns_rdf* rdf) const noexcept { ldns_rdf_deep_free(rdf); }
  void operator()(ldns_pkt* packet) const noexcept { ldns_pkt_free(packet); }
};
using owned_rr = std::unique_ptr<ldns_rr, free_ldns>;
using owned_rdf = std::unique_ptr<ldns_rdf, free_ldns>;
using owned_packet = std::unique_ptr<ldns_pkt, free_ldns>;

}  // namespace nearside::dns
