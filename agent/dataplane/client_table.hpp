// SPDX-License-Identifier: BSD-2-Clause
// The mapping in the kernel: which site the clients of a prefix belong to. Rows go at once into the tables that the
// program reads, and by flush() into `mapping4` and `mapping6`, which show them to people. Owned by the control thread;
// there must be only one for an object.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/client_row.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

struct client_table_stats {
  std::size_t rows4 = 0;
  std::size_t rows6 = 0;
  std::size_t entries4 = 0;      // in use in `rows4`
  std::size_t entries6 = 0;      // in `rows6`
  std::size_t shown = 0;         // rows in `mapping4` and `mapping6`
  std::size_t written = 0;       // by this flush(), to these
  std::size_t unwritten = 0;     // left to the next
  std::size_t left_blocks4 = 0;  // /24s that pass to the agent for want of room
  std::size_t left_rows6 = 0;    // IPv6 rows without room: what is not covered by a /64 passes to the agent
  std::vector<std::string> notes;
};

class client_table {
 public:
  using time_source = std::function<std::chrono::steady_clock::time_point()>;
  /// How long an entry rests after its row went: far longer than the program runs for one packet.
  static constexpr std::chrono::milliseconds quarantine{1000};

  /// Beyond this a flush() leaves rows of a family to the next one.
  static constexpr std::size_t most_shown = 8192;

  /// Touches nothing: the rows that an earlier agent has left count until begin_loading(), with that agent's sites;
  /// where it died while it loaded, everything passes. That call comes before all others.
  explicit client_table(
      const object& tables, time_source now = [] { return std::chrono::steady_clock::now(); });

  client_table(const client_table&) = delete;
  client_table& operator=(const client_table&) = delete;
  client_table(client_table&&) noexcept;
  client_table& operator=(client_table&&) noexcept;
  ~client_table();

  /// No rows, and every client by site passes to the agent until finish_loading(); when clear_some() says so, put() and
  /// erase() make the rows anew. What people see stays, to be changed by differences. Error: a map cannot be read; call
  /// it again.
  result<void> begin_loading();
  /// Takes away some of what the tables hold, a bounded piece of work; false: they are empty.
  bool clear_some();
  /// From here each client is told by the rows that have been put; what people see beside them goes by flush().
  void finish_loading();

  /// Adds the row, or changes its site. Rows of IPv6 are of at most /64: longer ones throw.
  void put(const client_row& row);
  /// Takes the row away; without one it does nothing.
  void erase(const mapping::prefix& who);
  /// Brings what people see to the rows, and tries again for what found no room; a bounded piece of work. After a batch
  /// of changes, while something is unwritten, and once in a few seconds. Error: a system call failed; the next call
  /// goes on.
  result<client_table_stats> flush();

  [[nodiscard]] std::optional<client_row> find(const mapping::prefix& who) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace nearside::dataplane
