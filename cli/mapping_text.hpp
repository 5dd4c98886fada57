// SPDX-License-Identifier: BSD-2-Clause
// Why a backbone node answers a mapped name as it does, for people: the row, the edges in it and what they have
// measured.
#pragma once

#include <boost/json/object.hpp>
#include <iosfwd>

namespace nearside::cli {

/// `told`: the member "mapping" of the agent's explanation.
void print_mapping(std::ostream& out, const boost::json::object& told);

}  // namespace nearside::cli
