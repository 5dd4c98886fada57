// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/client_table.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "agent/dataplane/client_address.hpp"
#include "agent/dataplane/client_rows4.hpp"
#include "agent/dataplane/client_rows6.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dataplane/running_programs.hpp"
#include "agent/dataplane/shown_rows.hpp"

namespace nearside::dataplane {

namespace {

constexpr std::size_t cleared_at_once = std::size_t{1} << 20;  // octets, by clear_some()

namespace ip = boost::asio::ip;

std::uint64_t key4_of(const mapping::prefix& who) { return key_of4(number_of(who.address.to_v4()), who.length); }

key6 key6_of(const mapping::prefix& who) {
  if (who.length > MAX_LENGTH6) throw std::invalid_argument("an IPv6 row of more than /64");
  return {number_of(who.address.to_v6()), who.length};
}

mapping_key4 shown_key(std::uint64_t key) {
  mapping_key4 shown{};
  shown.prefix_length = static_cast<std::uint8_t>(key);
  const auto octets = ip::address_v4(static_cast<std::uint32_t>(key >> 8)).to_bytes();
  std::copy(octets.begin(), octets.end(), shown.resolver);
  return shown;
}

mapping_key6 shown_key(const key6& key) {
  mapping_key6 shown{};
  shown.prefix_length = key.second;
  for (std::size_t i = 0; i < sizeof key.first; ++i)
    shown.resolver[i] = static_cast<std::uint8_t>(key.first >> (56 - 8 * i));
  return shown;
}

std::uint64_t row_key(const mapping_key4& shown) {
  ip::address_v4::bytes_type octets{};
  std::copy(std::begin(shown.resolver), std::end(shown.resolver), octets.begin());
  return key_of4(number_of(ip::address_v4(octets)), static_cast<std::uint8_t>(shown.prefix_length));
}

key6 row_key(const mapping_key6& shown) {
  ip::address_v6::bytes_type octets{};
  std::copy(std::begin(shown.resolver), std::end(shown.resolver), octets.begin());
  return {number_of(ip::address_v6(octets)), static_cast<std::uint8_t>(shown.prefix_length)};
}

// One family's rows and the map that shows them.
template <typename Rows, typename Shown>
struct family {
  family(const object& tables, map_id map) : shown(tables, map) {}

  using key = typename Rows::key_type;
  Rows rows;
  Rows before;  // while rows are loaded: those that the map shows and that have not come yet
  shown_rows<Shown> shown;
  std::vector<key> gone;                                   // rows, since they were taken out of the map
  std::vector<key> changed;                                // and rows that are to be written
  std::unordered_set<key, typename Rows::hasher> refused;  // rows for which the map had no room
  std::size_t in_map = 0;                                  // rows that the map shows
  bool room = false;                                       // rows have gone since

  result<void> begin_loading() {
    Rows found;
    auto read = shown.read([&](const Shown& k, const mapping_value& v) { found.emplace(row_key(k), row_of(v)); });
    if (!read) return read;
    before.swap(found);
    rows.clear();
    gone.clear();
    changed.clear();
    refused.clear();
    in_map = 0;
    return {};
  }

  void finish_loading() {
    for (const auto& [k, value] : before) gone.push_back(k);
    before = {};
  }

  /// True: new, or another site than before.
  bool put(const key& k, const client_row& row) {
    const auto [at, added] = rows.try_emplace(k);
    row_value& value = at->second;
    const bool moved = added || value.site != row.site;
    if (const auto old = before.extract(k)) {
      value = old.mapped();
      ++in_map;
    }
    if (!value.shown || value.site != row.site || value.edge != row.edge) changed.push_back(k);
    value.site = row.site;
    value.edge = row.edge;
    return moved;
  }

  bool erase(const key& k) {
    const auto row = rows.find(k);
    if (row == rows.end()) return false;
    if (row->second.shown) {
      gone.push_back(k);
      --in_map;
    }
    refused.erase(k);
    rows.erase(row);
    return true;
  }

  // First what makes room, then what needs it; what was refused before comes last.
  result<void> flush(client_table_stats& stats) {
    const std::size_t going = std::min(gone.size(), client_table::most_shown);
    for (const key& k : std::span(gone).last(going)) shown.erase(shown_key(k));
    std::size_t coming = 0;
    if (going == gone.size()) {
      room = room || going > 0;
      if (changed.empty() && std::exchange(room, false)) {
        for (auto k = refused.begin(); k != refused.end() && changed.size() < client_table::most_shown; ++k)
          changed.push_back(*k);
        room = changed.size() == client_table::most_shown;
      }
      coming = std::min(changed.size(), client_table::most_shown);
      for (const key& k : std::span(changed).last(coming))
        if (const auto row = rows.find(k); row != rows.end()) shown.put(shown_key(k), value_of(row->second));
    }
    const auto left_out = shown.flush();
    if (!left_out) return left_out.error();
    gone.resize(gone.size() - going);
    for (const key& k : std::span(changed).last(coming)) tell(k, true);
    changed.resize(changed.size() - coming);
    for (const Shown& k : *left_out) tell(row_key(k), false);
    if (!left_out->empty()) room = false;
    stats.written += going + coming;
    stats.unwritten += gone.size() + changed.size() + (room && !refused.empty() ? refused.size() : 0);
    stats.shown += in_map;
    return {};
  }

 private:
  void tell(const key& k, bool is_shown) {
    const auto row = rows.find(k);
    if (row == rows.end()) return;
    in_map += is_shown ? 1 : 0;
    in_map -= row->second.shown ? 1 : 0;
    row->second.shown = is_shown;
    if (is_shown)
      refused.erase(k);
    else
      refused.insert(k);
  }
};

}  // namespace

struct client_table::state {
  state(const object& memory, time_source n)
      : tables(memory),
        now(std::move(n)),
        four(tables, map_id::mapping4),
        six(tables, map_id::mapping6),
        rows4(tables, four.rows),
        rows6(tables, six.rows, quarantine),
        untouched(tables.is_new()) {}

  const object& tables;
  time_source now;
  family<row_map4, mapping_key4> four;
  family<row_map6, mapping_key6> six;
  client_rows4 rows4;
  client_rows6 rows6;

  bool untouched;                           // nobody has written to the tables yet
  std::vector<std::span<std::byte>> dirty;  // what is to become zero before rows are put

  void clear() {
    dirty.clear();
    if (!std::exchange(untouched, false)) {
      dirty = {std::as_writable_bytes(tables.rows6()), std::as_writable_bytes(tables.rows4())};
      if (tables.sites4().size() == SITES4_COUNT) dirty.push_back(std::as_writable_bytes(tables.sites4()));
    }
    rows4.clear();
    rows6.clear();
  }
  result<client_table_stats> flush();
};

result<client_table_stats> client_table::state::flush() {
  client_table_stats stats;
  rows4.settle();
  rows6.settle(now());
  if (auto done = four.flush(stats); !done) return done.error();
  if (auto done = six.flush(stats); !done) return done.error();
  stats.rows4 = four.rows.size();
  stats.rows6 = six.rows.size();
  stats.entries4 = rows4.entries();
  stats.entries6 = rows6.entries();
  stats.left_blocks4 = rows4.crowded();
  stats.left_rows6 = rows6.missing();
  if (stats.left_blocks4 > 0) {
    stats.notes.push_back(plural(stats.left_blocks4, "/24 prefix") + ": rows longer than /24 found no room (mapping4)");
  }
  if (stats.left_rows6 > 0) {
    stats.notes.push_back(plural(stats.left_rows6, "IPv6 row") + " found no room (mapping6, or more than " +
                          std::to_string(MAX_LENGTHS6) + " prefix lengths): only clients in a /64 row are answered");
  }
  if (four.refused.size() + six.refused.size() > 0) {
    stats.notes.push_back(plural(four.refused.size() + six.refused.size(), "row") +
                          " count but are not shown: the maps are full");
  }
  return stats;
}

client_table::client_table(const object& tables, time_source now)
    : state_(std::make_unique<state>(tables, std::move(now))) {}
client_table::client_table(client_table&&) noexcept = default;
client_table& client_table::operator=(client_table&&) noexcept = default;
client_table::~client_table() = default;

result<void> client_table::begin_loading() {
  // What is shown is read while the program still goes by the old rows.
  if (auto read = state_->four.begin_loading(); !read) return read;
  if (auto read = state_->six.begin_loading(); !read) return read;
  const std::atomic_ref<__u32> flags(state_->tables.config().flags);
  flags.fetch_or(CONFIG_ROWS_LOADING, std::memory_order_release);
  wait_for_running_programs();
  state_->clear();
  return {};
}

bool client_table::clear_some() {
  if (state_->dirty.empty()) return false;
  auto& last = state_->dirty.back();
  const auto piece = last.last(std::min(last.size(), cleared_at_once));
  std::fill(piece.begin(), piece.end(), std::byte{0});
  last = last.first(last.size() - piece.size());
  if (last.empty()) state_->dirty.pop_back();
  return true;
}

void client_table::finish_loading() {
  state_->four.finish_loading();
  state_->six.finish_loading();
  const std::atomic_ref<__u32> flags(state_->tables.config().flags);
  flags.fetch_and(~CONFIG_ROWS_LOADING, std::memory_order_release);
}

void client_table::put(const client_row& row) {
  if (row.who.address.is_v4()) {
    if (state_->four.put(key4_of(row.who), row)) {
      state_->rows4.put(number_of(row.who.address.to_v4()), row.who.length);
    }
  } else if (state_->six.put(key6_of(row.who), row)) {
    state_->rows6.put(key6_of(row.who));
  }
}

void client_table::erase(const mapping::prefix& who) {
  if (who.address.is_v4()) {
    if (state_->four.erase(key4_of(who))) state_->rows4.erase(number_of(who.address.to_v4()), who.length);
  } else if (const key6 key = key6_of(who); state_->six.erase(key)) {
    state_->rows6.erase(key, state_->now());
  }
}

result<client_table_stats> client_table::flush() { return state_->flush(); }

std::optional<client_row> client_table::find(const mapping::prefix& who) const {
  const auto found = [&who](const auto& rows, const auto& key) -> std::optional<client_row> {
    const auto row = rows.find(key);
    if (row == rows.end()) return std::nullopt;
    return client_row{who, row->second.site, row->second.edge};
  };
  return who.address.is_v4() ? found(state_->four.rows, key4_of(who)) : found(state_->six.rows, key6_of(who));
}

}  // namespace nearside::dataplane
