// SPDX-License-Identifier: BSD-2-Clause
// The pools of the balanced names and the targets of their checks, each only once however many names ask for it. Used
// while a configuration is loaded.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/config/measuring.hpp"
#include "agent/config/read_servers.hpp"

namespace nearside::config {

/// A server as one name uses it.
struct pooled_server {
  const server* from = nullptr;
  score::member as;
  std::vector<std::size_t> checks;  // indices; none: the server is always up
};

/// What a name wants.
struct pool_wish {
  std::string label;  // the name
  score::criteria rules;
  std::vector<pooled_server> servers;
  std::vector<boost::asio::ip::address> fallbacks;
};

class pool_list {
 public:
  static constexpr std::size_t most_targets = 100'000;

  /// The checks must outlive the list.
  explicit pool_list(const std::vector<check>& checks);

  /// The index of the pool for this wish: one that is there already, or a new one. Nothing: it would need more than
  /// most_targets targets in all.
  std::optional<std::size_t> add(const pool_wish& wish);

  /// Everything so far: targets, probes and pools.
  void move_into(measuring& all);

 private:
  /// What makes a target.
  struct target_identity {
    std::size_t check_text = 0;
    boost::asio::ip::address measured;
    std::uint16_t port = 0;
    std::string server;  // only where the check's result depends on it

    friend bool operator==(const target_identity&, const target_identity&) = default;
  };
  struct identity_hash {
    std::size_t operator()(const target_identity& t) const noexcept;
  };

  std::optional<std::size_t> target_for(const pooled_server& server, std::size_t family, std::size_t which);
  std::string unique_label(const pooled_server& server, std::size_t family, std::size_t which);
  [[nodiscard]] std::string pool_key(const pool_wish& wish) const;

  const std::vector<check>* checks_;
  std::vector<std::size_t> text_of_;  // by check: the place of its text in texts_
  std::vector<std::string> texts_;    // different checks, as keys have them
  std::unordered_map<target_identity, std::size_t, identity_hash> known_targets_;
  std::unordered_map<std::string, std::size_t> known_pools_;
  std::unordered_set<std::string> labels_;
  std::vector<score::target> targets_;
  std::vector<probe_target> probes_;
  std::vector<score::pool> pools_;
};

}  // namespace nearside::config
