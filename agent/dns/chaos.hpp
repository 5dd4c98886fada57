// SPDX-License-Identifier: BSD-2-Clause
// What the node says of itself in class CH (RFC 4892): who it is and what version it runs. Pure; any thread.
#pragma once

#include <string>

#include "agent/dns/query.hpp"
#include "agent/dns/respond.hpp"

namespace nearside::dns {

/// The text that answers a question of class CH: id.server. and hostname.bind. tell the id, version.server. and
/// version.bind. the version, by TXT or ANY. nullptr: refused, as the name is another or the text is not told.
[[nodiscard]] const std::string* chaos_text(const identity& self, const question& asked);
/// The RDATA of a TXT record, in <character-string>s of at most 255 octets (RFC 1035 3.3.14).
[[nodiscard]] rdata text_rdata(const std::string& text);

}  // namespace nearside::dns
