// SPDX-License-Identifier: BSD-2-Clause
// The agent's trace of a pool's decision, for people. Used by `nearside explain`.
#pragma once

#include <boost/json/object.hpp>
#include <iosfwd>

namespace nearside::cli {

/// Each family's outcome and TTL, and below it a line for each candidate: what became of it and why, and its figures.
void print_pool(std::ostream& out, const boost::json::object& pool);

}  // namespace nearside::cli
