// SPDX-License-Identifier: BSD-2-Clause
// Finds the addresses from which the resolvers of an edge ask the world: names that only one backbone node answers,
// each asked for once, tell where they were asked from. When to ask what, and what the answers mean; time and
// randomness come in, questions come out, no sockets. Owned by the registration; one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "agent/mapping/messages.hpp"
#include "agent/mapping/nonce.hpp"
#include "agent/mapping/prefix.hpp"
#include "agent/mapping/resolver_files.hpp"

namespace nearside::mapping {

struct discovery_settings {
  std::uint32_t burst = 20;                   // questions at the start, and after a change; more while egresses appear
  std::uint32_t most_burst = 1000;            // but no more than this
  std::chrono::milliseconds burst_gap{50};    // between two of a burst
  std::chrono::milliseconds trickle{30'000};  // between two afterwards
  std::chrono::milliseconds retry{1000};      // after failures only; doubles up to
  std::chrono::milliseconds slow_retry{600'000};
  std::chrono::milliseconds burst_again{60'000};  // no second burst sooner, but for a new resolver or a new key
  std::chrono::seconds row_age{6 * 3600};         // an egress not seen for so long is forgotten
  std::chrono::milliseconds change_over{3000};    // egresses of a resolver that is gone stay until others are found, or
                                                  // for so long
  double jitter = 0.2;                            // the longer waits are that part longer or shorter, at random
};

/// The number of a backbone node in the edge's configuration.
using backbone_id = std::uint32_t;

/// What a backbone node has said in the answer to a registration.
struct nonce_source {
  std::string zone;  // "b1.who.lb.example.com."
  secret_key key{};
  edge_id edge = 0;

  friend bool operator==(const nonce_source&, const nonce_source&) = default;
};

class discovery {
 public:
  using time = std::chrono::steady_clock::time_point;
  /// Uniform in [0, 1).
  using random_source = std::function<double()>;

  /// `first_counter`: of the nonces; those of an earlier run must not come again, so it grows with the wall clock.
  discovery(const discovery_settings& settings, random_source random, std::uint32_t first_counter);

  /// Questions under way at once: to all, and of one lane (a backbone node, a resolver, a family).
  static constexpr std::size_t most_under_way = 64;
  static constexpr std::uint32_t most_of_lane = 8;

  void set_resolvers(const std::vector<resolver>& resolvers, time now);
  /// Another zone, key or number than before: all is asked anew there.
  void set_backbone(backbone_id backbone, const nonce_source& source, time now);
  /// The backbone node has not taken this nonce for a proof: where it is the newest still, it is forgotten, and the
  /// egress is proved again.
  void refused(backbone_id backbone, const egress_claim& claimed, time now);

  struct question {
    std::uint64_t id = 0;
    resolver to;
    /// "<label>.v4.b1.who.lb.example.com.", to be asked for TXT; "." for NS: the resolver has the answer, so that the
    /// time until it comes is that of the way there and back.
    std::string qname;
    bool measures = false;
  };
  /// What is to be asked now; call until there is nothing. Each must be answered or failed, once.
  [[nodiscard]] std::optional<question> next(time now);
  /// When next() may have one, or something gets too old; nothing: not before another call.
  [[nodiscard]] std::optional<time> wake() const;

  /// The backbone node was asked from there.
  void answered(std::uint64_t id, const boost::asio::ip::address& seen_from, time now);
  /// The resolver has answered a question that measures, whatever it said.
  void measured(std::uint64_t id, std::chrono::microseconds rtt, time now);
  void failed(std::uint64_t id, const std::string& why, time now);

  /// What proves an egress to a backbone node.
  struct proof {
    boost::asio::ip::address address;  // that it was seen from: one of the egress's prefix
    std::string label;
    time seen;
  };
  struct egress {
    boost::asio::ip::address address;  // the newest of its prefix
    time first_seen;
    time seen;
    std::map<backbone_id, proof> proofs;               // the newest
    std::map<boost::asio::ip::address, time> through;  // resolvers, and when it was last seen through each
    std::set<backbone_id> refused;                     // where it had to be proved again: that is no news
  };
  /// By key_of(address); at most most_egresses.
  [[nodiscard]] const std::map<prefix, egress>& egresses() const noexcept { return egresses_; }
  /// For a registration at this backbone node: all egresses, each with the nonce that this node has seen from there, if
  /// any. `rtt` is that from this edge to the resolver's address (not to the egress, which nobody can ask), the
  /// shortest where there are several.
  [[nodiscard]] std::vector<egress_claim> claims(backbone_id backbone) const;
  /// Changes with each set of egresses, or of their proofs at one backbone node, or of their RTT by much.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  [[nodiscard]] const std::vector<resolver>& resolvers() const noexcept { return resolvers_; }
  /// The median of the last few measurements.
  [[nodiscard]] std::optional<std::chrono::microseconds> rtt(const boost::asio::ip::address& of) const;

  /// How asking goes, for people.
  struct lane_status {
    backbone_id backbone = 0;
    boost::asio::ip::address resolver;
    std::uint8_t family = 4;
    std::uint64_t asked = 0;
    std::uint64_t answered = 0;
    bool in_burst = false;
    std::string error;  // of the newest failure, where nothing was answered since
  };
  [[nodiscard]] std::vector<lane_status> lanes() const;
  /// Egresses that found no room.
  [[nodiscard]] std::uint64_t overflow() const noexcept { return overflow_; }

 private:
  struct lane_key {
    backbone_id backbone = 0;
    boost::asio::ip::address resolver;
    std::uint16_t port = 53;
    std::uint8_t family = 4;
    friend bool operator<(const lane_key& a, const lane_key& b) {
      return std::tie(a.backbone, a.resolver, a.port, a.family) < std::tie(b.backbone, b.resolver, b.port, b.family);
    }
  };
  struct lane {
    time due;
    bool works = false;  // its newest answers are answers; else one question at a time
    bool bursting = false;
    std::uint32_t left = 0;       // to be asked in this burst
    std::uint32_t in_burst = 0;   // asked in it
    std::uint32_t since_new = 0;  // answers since an egress appeared
    std::uint32_t failures = 0;   // in a row
    std::uint32_t retries = 0;    // since it worked
    std::uint32_t under_way = 0;
    std::optional<time> last_burst;
    std::uint64_t asked = 0;
    std::uint64_t answered = 0;
    std::string error;
  };
  /// How far a resolver is.
  struct distance {
    time due;
    std::uint32_t asked = 0;
    bool under_way = false;
    std::deque<std::chrono::microseconds> newest;
    std::optional<std::chrono::microseconds> reported;
  };
  struct pending {
    std::optional<lane_key> of;  // nothing: it measures
    boost::asio::ip::address resolver;
    std::string label;
  };

  void make_lanes(time now);
  void start_burst(lane& one, time now) const;
  [[nodiscard]] std::chrono::nanoseconds jittered(std::chrono::nanoseconds wait);
  /// When the lane asks next; nothing: not before an answer.
  [[nodiscard]] std::optional<time> due_of(const lane& one) const;
  [[nodiscard]] question ask_nonce(const lane_key& key, lane& one, time now);
  /// Takes the question out; nothing: whom or what it was about is gone.
  [[nodiscard]] std::optional<pending> taken(std::uint64_t id);
  /// Of a question that was taken.
  [[nodiscard]] lane& answered_lane(const pending& asked);
  /// True: the egress was not known through this lane.
  bool note(const pending& asked, const boost::asio::ip::address& seen_from, time now);
  [[nodiscard]] std::size_t known_through(const lane_key& key) const;
  void forget_old(time now);
  [[nodiscard]] bool is_current(const boost::asio::ip::address& one) const;

  discovery_settings settings_;
  random_source random_;
  std::uint32_t counter_;
  std::uint64_t next_id_ = 1;
  std::uint64_t version_ = 0;
  std::uint64_t overflow_ = 0;
  std::vector<resolver> resolvers_;
  std::map<backbone_id, nonce_source> backbones_;
  std::map<lane_key, lane> lanes_;
  std::map<boost::asio::ip::address, distance> distances_;
  std::map<std::uint64_t, pending> under_way_;
  std::map<prefix, egress> egresses_;
  std::optional<time> changing_until_;                   // egresses of resolvers that are gone stay
  std::vector<boost::asio::ip::address> new_resolvers_;  // whose first egress ends that
};

}  // namespace nearside::mapping
