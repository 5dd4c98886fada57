// SPDX-License-Identifier: BSD-2-Clause
// Which TCP connections there are, by when each last brought a whole message, and which one must go when there are
// too many (RFC 7766 6.2.2, 10). Pure: ids instead of sockets. Owned by who accepts them.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>

namespace nearside {

class connection_table {
 public:
  using id = std::uint64_t;

  /// At most `limit` connections (at least 1), and at most a quarter of them (at least 1) from one client.
  explicit connection_table(std::size_t limit) { set_limit(limit); }

  struct admission {
    id admitted = 0;
    std::optional<id> evicted;  ///< must be closed; it is no longer in the table
  };
  /// Takes a new connection in. Where its client has its share already, that client's longest-idle connection goes;
  /// else, where the table is full, the longest-idle of all.
  admission admit(const boost::asio::ip::address& address);
  /// A whole message came: the connection is now the least idle.
  void touch(id which);
  /// The connection is closed; one that is not in the table (evicted) is no error.
  void remove(id which);
  /// A lower limit closes nothing at once: it is reached as connections end or are evicted.
  void set_limit(std::size_t limit) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// Who counts as one client: an IPv4 address, or the /64 of an IPv6 address, as one host can use all of it.
  [[nodiscard]] static boost::asio::ip::address client_of(const boost::asio::ip::address& address);

 private:
  struct entry {
    id number;
    boost::asio::ip::address client;
  };
  using order = std::list<entry>;

  [[nodiscard]] id evict(order::iterator where);

  order by_idleness_;  // the longest idle first
  std::unordered_map<id, order::iterator> entries_;
  std::map<boost::asio::ip::address, std::size_t> per_client_;
  std::size_t limit_ = 1;
  id last_ = 0;
};

}  // namespace nearside
