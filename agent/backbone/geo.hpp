// SPDX-License-Identifier: BSD-2-Clause
// Where a client is by a MaxMind database, and which edges are nearest to there by great circle: for clients that no
// row covers. Optional: without libmaxminddb at the build open() fails. Owned by the backbone, one thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::backbone {

/// Degrees of latitude and longitude.
using location = std::pair<double, double>;

/// Of some edges those that live, the nearest first; at most mapping::most_edges_in_row.
class edge_map {
 public:
  void put(mapping::edge_id edge, const location& where);
  [[nodiscard]] std::vector<mapping::edge_id> nearest(const location& to, const mapping::registry& book) const;

 private:
  using point = std::array<double, 3>;  // on the unit sphere: the nearest has the greatest scalar product
  static point point_of(const location& where);
  std::vector<std::pair<mapping::edge_id, point>> edges_;
};

class geo {
 public:
  /// Errors: unsupported, the build has no libmaxminddb; invalid, the file cannot be used, with its name.
  static result<std::shared_ptr<const geo>> open(const std::filesystem::path& file);
  virtual ~geo() = default;

  /// Nothing: the database has no location for it.
  [[nodiscard]] virtual std::optional<location> find(const boost::asio::ip::address& address) const = 0;
};

}  // namespace nearside::backbone
