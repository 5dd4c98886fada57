// SPDX-License-Identifier: BSD-2-Clause
// Words for the tests of this room: addresses, prefixes and instants in short.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <string>

#include "agent/mapping/prefix.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::mapping {

using boost::asio::ip::address;
using namespace std::chrono_literals;

inline address at(const std::string& text) { return boost::asio::ip::make_address(text); }
inline prefix pre(const std::string& text) { return parse_prefix(text).value(); }
/// A moment of the year 2027, so many seconds on; a whole minute where they are.
inline instant when(long seconds) { return instant(std::chrono::seconds(1'800'000'000 + seconds)); }

}  // namespace nearside::mapping
