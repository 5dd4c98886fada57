// SPDX-License-Identifier: BSD-2-Clause
// Why a query gets the answer that it gets: the way through the pinned tables, and a test run of the program.
// Collected for `nearside explain`, which prints it; a snapshot of tables that may change at any time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/tables.hpp"
#include "cli/message_text.hpp"
#include "cli/query_packet.hpp"
#include "cli/test_run.hpp"

namespace nearside::cli {

/// One prepared answer of those to choose from.
struct alternative {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // of the image
  bool settled = false;          // its generation is the reference's: it can be sent
  double share = 0;              // of all draws, those that end here: 0 to 1
  std::uint16_t ancount = 0;
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;               // without OPT
  std::size_t octets = 0;                  // that follow the question
  result<message_text> message = error{};  // as it would be sent, without OPT
};

/// The way through the tables. It is told as well where the program would not come so far.
struct table_path {
  std::string map;  // where the name was looked for: "names_short" or "names_long"
  name_key key{};
  std::optional<dataplane::installed_name> name;  // nullopt: not installed; the rest is then empty
  std::uint32_t type_class = TYPE_CLASS_OTHER;
  std::size_t answers_index = 0;
  // Where the answer depends on the client's site: the row of `site_answers`, and which of its words.
  bool by_site = false;
  std::uint32_t base = 0;
  bool ecs_to_agent = false;
  std::optional<std::uint32_t> site;  // nullopt: the tables do not tell
  answer_ref ref{};                   // alternatives == 0: userland answers this type
  std::vector<alternative> alternatives;
  std::array<answer_ref, STALE_COLUMNS> stale{};  // past the lease, for A and AAAA
};

struct explanation {
  query asked;
  table_path path;
  trial kernel;
  std::optional<result<message_text>> reply;  // of the kernel, where it answered
};

/// Who is to ask, as it was written.
struct asker {
  std::string resolver;  // empty, or the address that the query is to come from
  std::string client;    // empty; a prefix that it is to carry as ECS; or, without a resolver, an address to come from
};

/// Errors: invalid, who asks makes no sense; not_found, the program listens on no address (of that family).
result<query> compose_query(const dataplane::object& tables, const dns::name& qname, std::uint16_t qtype,
                            const asker& by);

/// Errors: a map cannot be read; the test run failed.
result<explanation> explain_query(const dataplane::object& tables, const query& asked);

}  // namespace nearside::cli
