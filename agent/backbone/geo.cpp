// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/geo.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#if NEARSIDE_MAXMIND
#include <maxminddb.h>

#include <boost/asio/ip/udp.hpp>
#endif

namespace nearside::backbone {

edge_map::point edge_map::point_of(const location& where) {
  constexpr double radian = std::numbers::pi / 180;
  const double latitude = where.first * radian, longitude = where.second * radian;
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude), std::sin(latitude)};
}

void edge_map::put(mapping::edge_id edge, const location& where) { edges_.emplace_back(edge, point_of(where)); }

std::vector<mapping::edge_id> edge_map::nearest(const location& to, const mapping::registry& book) const {
  const point here = point_of(to);
  std::vector<std::pair<double, mapping::edge_id>> living;
  for (const auto& [edge, at] : edges_) {
    if (book.alive(edge)) living.emplace_back(-(at[0] * here[0] + at[1] * here[1] + at[2] * here[2]), edge);
  }
  const std::size_t count = std::min(living.size(), mapping::most_edges_in_row);
  std::partial_sort(living.begin(), living.begin() + static_cast<std::ptrdiff_t>(count), living.end());
  std::vector<mapping::edge_id> first;
  for (std::size_t i = 0; i < count; ++i) first.push_back(living[i].second);
  return first;
}

#if NEARSIDE_MAXMIND

namespace {

class database final : public geo {
 public:
  database() = default;
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() override {
    if (is_open_) MMDB_close(&all_);
  }

  int open(const std::filesystem::path& file) {
    const int failed = MMDB_open(file.c_str(), MMDB_MODE_MMAP, &all_);
    is_open_ = failed == MMDB_SUCCESS;
    return failed;
  }

  [[nodiscard]] std::optional<location> find(const boost::asio::ip::address& address) const override {
    const boost::asio::ip::udp::endpoint at(address, 0);
    int failed = MMDB_SUCCESS;
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&all_, at.data(), &failed);
    if (failed != MMDB_SUCCESS || !found.found_entry) return std::nullopt;
    const auto degrees = [&](const char* which) -> std::optional<double> {
      MMDB_entry_data_s data{};
      if (MMDB_get_value(&found.entry, &data, "location", which, nullptr) != MMDB_SUCCESS) return std::nullopt;
      if (!data.has_data || data.type != MMDB_DATA_TYPE_DOUBLE || !std::isfinite(data.double_value))
        return std::nullopt;
      return data.double_value;
    };
    const auto latitude = degrees("latitude"), longitude = degrees("longitude");
    if (!latitude || !longitude) return std::nullopt;
    return location{*latitude, *longitude};
  }

 private:
  MMDB_s all_{};
  bool is_open_ = false;
};

}  // namespace

result<std::shared_ptr<const geo>> geo::open(const std::filesystem::path& file) {
  auto made = std::make_shared<database>();
  if (const int failed = made->open(file); failed != MMDB_SUCCESS)
    return error{errc::invalid, "MaxMind database " + file.string() + ": " + MMDB_strerror(failed)};
  return std::shared_ptr<const geo>(std::move(made));
}

#else

result<std::shared_ptr<const geo>> geo::open(const std::filesystem::path& file) {
  return error{errc::unsupported,
               "MaxMind database " + file.string() + ": this build has no libmaxminddb (package libmaxminddb-dev)"};
}

#endif

}  // namespace nearside::backbone
