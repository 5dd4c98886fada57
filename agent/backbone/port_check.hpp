// SPDX-License-Identifier: BSD-2-Clause
// Asks port 53 of every registered edge whether it answers for the mapped names, over and over: what does not answer is
// out of the referrals. One UDP socket a family for all; what is due within a tick leaves in one system call.
// Owned by the backbone, on its thread; must outlive the run of the event loop that it has begun.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/backbone/port_question.hpp"
#include "agent/base/log_limit.hpp"
#include "agent/base/result.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::backbone {

struct port_check_settings {
  std::chrono::milliseconds interval{5000};  // between two checks of an address
  std::chrono::milliseconds timeout{1000};   // from the first query of a check to its failure
  std::chrono::milliseconds resend{200};     // a query without a reply is sent once more
  unsigned failures = 2;                     // checks in a row, the second at once, until it is told
  std::uint16_t port = 53;
};

class port_check {
 public:
  /// `reason` empty: it answers well. Told after each check that went well, and after each failed one from the
  /// settings' number in a row on.
  using verdict = std::function<void(mapping::edge_id, const boost::asio::ip::address&, const std::string& reason)>;

  /// Errors: neither family's socket can be opened.
  [[nodiscard]] static result<std::unique_ptr<port_check>> make(const boost::asio::any_io_executor& executor,
                                                                const port_check_settings& settings, verdict told);
  ~port_check();
  port_check(const port_check&) = delete;
  port_check& operator=(const port_check&) = delete;

  /// The mapped names, which are asked for in turn. While there is none, nothing is asked.
  void set_names(std::span<const dns::name> mapped);
  /// For checks that begin from now on.
  void set_settings(const port_check_settings& settings);

  /// The edge's addresses from now on. Those that are new for it are asked at once, or, `at_leisure`, at some moment of
  /// the next interval: for the many that a restart brings.
  void watch(mapping::edge_id edge, std::span<const boost::asio::ip::address> addresses, bool at_leisure);
  void forget(mapping::edge_id edge) { watch(edge, {}, false); }

  struct counters {
    std::uint64_t sent = 0;      ///< queries
    std::uint64_t received = 0;  ///< datagrams
    std::uint64_t foreign = 0;   ///< of these, replies to nothing that we have asked
    std::uint64_t good = 0;      ///< checks
    std::uint64_t failed = 0;    ///< checks
    std::uint64_t unsent = 0;    ///< queries that our own side could not send: they say nothing of the edge
    std::uint64_t late = 0;      ///< ticks that came more than a tenth of a second late
  };
  [[nodiscard]] const counters& count() const noexcept { return count_; }
  [[nodiscard]] std::size_t addresses() const noexcept { return by_address_.size(); }

 private:
  using clock = std::chrono::steady_clock;
  using tick = std::uint64_t;
  using slot = std::uint32_t;

  enum class phase : std::uint8_t { idle, asked, asked_again };
  struct target {
    boost::asio::ip::address address;
    std::vector<mapping::edge_id> edges;
    tick due = 0;  // an entry of the wheel for another tick is an old one
    tick first_sent = 0;
    std::uint32_t question = 0;
    std::uint16_t id = 0;
    phase state = phase::idle;
    unsigned failed = 0;  // checks in a row
  };
  struct family_socket;

  port_check(const boost::asio::any_io_executor& executor, const port_check_settings& settings, verdict told);
  [[nodiscard]] tick now() const;
  [[nodiscard]] tick ticks(std::chrono::milliseconds time) const;
  void put_off(slot which, tick due);
  void run_ticks();
  void wait_for_tick();
  void run(slot which);
  void ask(slot which);
  void conclude(slot which, std::string_view reason);
  void take(const boost::asio::ip::address& source, std::span<const std::uint8_t> reply);
  void flush(family_socket& from);
  void receive(family_socket& from);
  void wait_for_replies(family_socket& from);
  void unwatch(mapping::edge_id edge, const boost::asio::ip::address& address);

  boost::asio::any_io_executor executor_;
  port_check_settings settings_;
  verdict told_;
  clock::time_point begun_ = clock::now();
  boost::asio::steady_timer timer_;
  bool ticking_ = false;
  std::mt19937_64 random_{std::random_device{}()};

  std::vector<port_question> questions_;
  std::uint32_t next_question_ = 0;
  std::vector<target> targets_;
  std::vector<slot> free_;
  struct address_hash {
    std::size_t operator()(const boost::asio::ip::address& address) const noexcept;
  };
  std::unordered_map<boost::asio::ip::address, slot, address_hash> by_address_;
  std::unordered_map<mapping::edge_id, std::vector<boost::asio::ip::address>> by_edge_;

  // What is due, by tick: entries of later rounds are put in again when their slot's tick comes.
  std::vector<std::vector<slot>> wheel_;
  tick done_ = 0;  // all before this tick has been run
  std::vector<slot> due_;
  std::array<std::unique_ptr<family_socket>, 2> sockets_;
  counters count_;
  log_limit unsent_lines_{1, std::chrono::seconds(60)};
};

}  // namespace nearside::backbone
