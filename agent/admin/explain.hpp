// SPDX-License-Identifier: BSD-2-Clause
// What the agent would answer to a question, for a person: the same responder as for clients, its reply as text, and
// whether the kernel has the answer too. Called by the control socket's verb `explain`.
#pragma once

#include <boost/json/object.hpp>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/serve/answerer.hpp"

namespace nearside::admin {

/// `request` has "name" and, if not A, "type". The result: name, type, zone (null: in none of ours), rcode,
/// authoritative, answer, authority and additional as lines of text, octets, udp_truncated, kernel {installed,
/// answers}. Errors: invalid, the name or the type makes no sense; the kernel's table cannot be read.
result<boost::json::object> explain(const serve::content& content, const dataplane::object& tables,
                                    const boost::json::object& request);

}  // namespace nearside::admin
