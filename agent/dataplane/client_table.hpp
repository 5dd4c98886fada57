// SPDX-License-Identifier: BSD-2-Clause
// The mapping in the kernel: which site the clients of a prefix belong to. Rows go at once into the tables that the
// program reads, and by flush() into `mapping4` and `mapping6`, which show them to people. Owned by the control thread;
// there must be only one for an object.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
  std::size_t written = 0;       // by this flush()
  std::size_t left_blocks4 = 0;  // /24s that pass to the agent for want of room
  std::size_t left_rows6 = 0;    // IPv6 rows without room: what is not covered by a /64 passes to the agent
  std::vector<std::string> notes;
};

class client_table {
 public:
  using time_source = std::function<std::chrono::steady_clock::time_point()>;
  /// How long an entry rests after its row went: far longer than the program runs for one packet.
  static constexpr std::chrono::milliseconds quarantine{1000};

  /// Reads the rows that an earlier agent has left. They count until load(), but their sites are that agent's numbers;
  /// where it died while it loaded, everything passes until then.
  /// Error: a map cannot be read.
  static result<client_table> adopt(
      const object& tables, time_source now = [] { return std::chrono::steady_clock::now(); });

  client_table(const client_table&) = delete;
  client_table& operator=(const client_table&) = delete;
  client_table(client_table&&) noexcept;
  client_table& operator=(client_table&&) noexcept;
  ~client_table();

  /// These rows and no others. Until it returns every client by site passes to the agent, then each is told by the new
  /// rows. `mapping4` and `mapping6` are changed by differences. Error: a system call failed; call it again.
  result<client_table_stats> load(std::span<const client_row> rows);

  /// Adds the row, or changes its site. Rows of IPv6 are of at most /64: longer ones throw.
  void put(const client_row& row);
  /// Takes the row away; without one it does nothing.
  void erase(const mapping::prefix& who);
  /// Brings what people see to the rows, and tries again for what found no room: after a batch of changes, and once in
  /// a few seconds. Error: a system call failed; the next call goes on.
  result<client_table_stats> flush();

  [[nodiscard]] std::optional<client_row> find(const mapping::prefix& who) const;
  /// Calls for each row, in no order.
  void for_each(const std::function<void(const client_row&)>& visit) const;

 private:
  struct state;
  explicit client_table(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace nearside::dataplane
