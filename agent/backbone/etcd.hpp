// SPDX-License-Identifier: BSD-2-Clause
// Shares the records of edges with the other backbone nodes through etcd: one key an edge, written by whoever accepted
// it, watched by all. A convenience, not a need: while etcd is away each node goes on with what it has, and catches up
// afterwards. docs/decisions/0012 tells why leases, keys and writes are as they are.
// Owned by the backbone, on its thread; never waits for the network but in its own coroutines.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/backbone/etcd_messages.hpp"
#include "agent/base/log_limit.hpp"
#include "agent/base/result.hpp"
#include "agent/https/client.hpp"
#include "agent/mapping/record.hpp"

namespace nearside::backbone {

struct etcd_settings {
  std::vector<https::peer> endpoints;  // members of one cluster; the next where one fails
  std::string user;                    // empty: no authentication
  std::string password;
  std::string prefix = "/nearside/edges/";
  std::string node;                          // our name, as in edge_record::accepted_by
  std::chrono::seconds longest_lease{3600};  // of an edge: no key goes before the record in it has expired
  std::chrono::seconds lease_window{600};    // keys written within it have one lease
  std::chrono::milliseconds timeout{3000};   // of a connection, and of a request
  std::chrono::milliseconds ping{2000};      // how often the member is asked whether it still has the cluster
  std::chrono::milliseconds least_back_off{200};
  std::chrono::milliseconds most_back_off{10000};
};

class etcd {
 public:
  /// The newest record of an edge as this node has it; nullptr: none any more, so that nothing is to be written.
  using find_record = std::function<const mapping::edge_record*(std::string_view edge)>;
  /// A record that another node has written; it is for the registry to decide whether it is news.
  using arrival = std::function<void(mapping::edge_record&&)>;

  etcd(const boost::asio::any_io_executor& executor, etcd_settings settings, find_record ours, arrival arrived);

  /// Runs for ever; ends when it is cancelled.
  boost::asio::awaitable<void> run();

  /// This node has accepted something new of that edge: it is written as soon as it can be. Not written where what is
  /// in etcd says the same for long enough, so that a renewal which every node gets is not written by each.
  void put(std::string_view edge);

  struct figures {
    bool connected = false;       // a watch stands
    std::string endpoint;         // the member in use, or tried last
    std::string last_error;       // why it was left, or could not be used
    std::int64_t revision = 0;    // of the newest event
    std::size_t waiting = 0;      // edges to be written
    std::uint64_t written = 0;    // records
    std::uint64_t spared = 0;     // records not written, as etcd had them well enough
    std::uint64_t arrived = 0;    // records of others handed over
    std::uint64_t own = 0;        // our own that came back
    std::uint64_t malformed = 0;  // values that are no records, or stand at another edge's key
    std::uint64_t lists = 0;      // times that all was read: at the start, after compaction, after being away
    std::uint64_t sessions = 0;   // watches begun
    std::uint64_t refused = 0;    // writes that etcd refused
  };
  [[nodiscard]] figures count() const;

 private:
  using clock = std::chrono::steady_clock;
  /// Of a record that is in etcd, what tells whether another says the same.
  struct known {
    std::uint64_t sequence = 0;
    mapping::instant expires;
    std::size_t content = 0;
  };
  template <typename T>
  using answer = boost::asio::awaitable<result<T>>;

  /// One member, from its first request to its first failure; whether a watch stood.
  answer<void> use(const https::peer& member);
  answer<void> log_in();
  answer<std::int64_t> list();
  answer<void> keep_watching(const https::peer& member, std::int64_t from_revision);
  answer<void> keep_writing();
  answer<void> keep_pinging();
  answer<void> write_some();
  answer<void> need_lease();
  /// A request, once more with a new token where the old one is no longer good. Errors: failing, no usable answer;
  /// denied, etcd refuses it.
  answer<std::string> ask(std::string target, std::string body);
  answer<https::response> send(std::string target, std::string body);

  void take(const etcd_messages::key_value& from, bool listed);
  [[nodiscard]] bool is_known_well(const mapping::edge_record& record) const;
  [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds time);

  boost::asio::any_io_executor executor_;
  etcd_settings settings_;
  find_record ours_;
  arrival arrived_;
  std::mt19937_64 random_{std::random_device{}()};

  // Of the session.
  std::unique_ptr<https::client> requests_;
  std::string token_;
  etcd_messages::failure refusal_;  // of the newest error `denied`
  bool busy_ = false;               // one request at a time: the others wait for turn_
  boost::asio::steady_timer turn_;
  boost::asio::steady_timer more_;  // ends when something is to be written

  std::int64_t lease_ = 0;
  clock::time_point lease_until_;
  std::unordered_map<std::string, known> known_;  // by edge
  std::deque<std::string> queue_;                 // edges to be written, the oldest first, each once
  std::unordered_set<std::string> queued_;
  figures figures_;
  log_limit value_lines_{3, std::chrono::seconds(60)};
  log_limit refusal_lines_{3, std::chrono::seconds(60)};
};

}  // namespace nearside::backbone
