// SPDX-License-Identifier: BSD-2-Clause
// The usual case of the publisher's tests: fresh small tables, a publisher for them, and a clock that the test moves.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/tables.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/bpf/dataplane/zones.hpp"

namespace nearside::tests {

struct published {
  explicit published(const dataplane::map_sizes& sizes = small_sizes())
      : tables(dataplane::object::open_or_create(root.path(), sizes).value()) {}

  [[nodiscard]] dataplane::publisher adopt() {
    return dataplane::publisher::adopt(tables, [this] { return now; }).value();
  }
  [[nodiscard]] std::optional<dataplane::installed_name> find(const std::string& owner) const {
    return dataplane::find_name(tables, name_of(owner)).value();
  }

  pin_root root;
  dataplane::object tables;
  std::chrono::steady_clock::time_point now{};
};

}  // namespace nearside::tests
