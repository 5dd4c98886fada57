// SPDX-License-Identifier: BSD-2-Clause
// Where the kernel sends a client, found by the program's own text (bpf/client_lookup.h) in the program's own tables.
// For `nearside explain`, and for the tests that hold it against the mapping.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>

#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// The site of a source address; 0 where no row covers it; nullopt: the kernel does not know and asks the agent.
[[nodiscard]] std::optional<std::uint32_t> site_of(const object& tables,
                                                   const boost::asio::ip::address& source) noexcept;

}  // namespace nearside::dataplane
