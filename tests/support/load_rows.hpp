// SPDX-License-Identifier: BSD-2-Clause
// All rows of the mapping at once, for tests and benches: the agent puts them by and by.
#pragma once

#include <span>

#include "agent/dataplane/client_table.hpp"

namespace nearside::tests {

/// These rows and no others. Returns the last flush(); `written` is that of all.
inline dataplane::client_table_stats load_rows(dataplane::client_table& table,
                                               std::span<const dataplane::client_row> rows) {
  table.begin_loading().value();
  while (table.clear_some()) {
  }
  for (const dataplane::client_row& row : rows) table.put(row);
  table.finish_loading();
  dataplane::client_table_stats all;
  std::size_t written = 0;
  do {
    all = table.flush().value();
    written += all.written;
  } while (all.unwritten > 0);
  all.written = written;
  return all;
}

}  // namespace nearside::tests
