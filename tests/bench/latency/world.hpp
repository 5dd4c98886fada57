// SPDX-License-Identifier: BSD-2-Clause
// The truth of the simulation: round-trip times from each ISP to each server over days, with deaths, brown-outs,
// flapping, congestion and routes that change. Seeded: the same seed is the same world.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace nearside::bench {

struct world_settings {
  std::size_t servers = 8;
  std::size_t isps = 12;
  double days = 2;
  bool calm = false;  // only jitter, single losses and the day's slow rise and fall
  std::uint64_t seed = 1;
};

/// How a server is from an ISP for a while. All times in seconds, RTTs in ms.
struct episode {
  double from = 0;
  double until = 0;
  double added = 0;   // ms, at its height
  double jitter = 1;  // the usual one is multiplied by this
  double loss = 0;    // part of the packets
  double errors = 0;  // part of the requests that get an HTTP 503
  bool dead = false;
  bool silent = true;  // dead: nothing comes back; else connections are refused
  bool ramp = false;   // `added` rises and falls like half a sine
};

/// A path as it is at one instant.
struct path_state {
  double rtt = 0;  // ms, the mean without jitter and spikes
  double jitter = 0;
  double loss = 0;
  double errors = 0;
  bool dead = false;
  bool silent = true;
};

class world {
 public:
  explicit world(const world_settings& settings);

  [[nodiscard]] const world_settings& settings() const noexcept { return settings_; }
  [[nodiscard]] double seconds() const noexcept { return settings_.days * 86400; }
  /// `at` must not run backwards for a path.
  [[nodiscard]] const path_state& at(std::size_t isp, std::size_t server, double at);
  /// ms that a request is expected to take: a failed one counts 3,000, a lost packet is repeated after 1,000.
  [[nodiscard]] static double cost(const path_state& p) noexcept;
  /// When each server died, whole, for all ISPs.
  struct death {
    std::size_t server;
    double from;
    double until;
  };
  [[nodiscard]] const std::vector<death>& deaths() const noexcept { return deaths_; }

  /// What a probe finds: nothing: no answer; negative: an answer that is an error; else ms.
  struct finding {
    bool lost = false;
    bool failed = false;
    double milliseconds = 0;
  };
  [[nodiscard]] finding probe(std::size_t isp, std::size_t server, double at, std::mt19937_64& random);

 private:
  struct path {
    double base = 0;
    double jitter = 0;
    double phase = 0;
    std::vector<std::pair<double, double>> routes;  // from then on the base is multiplied
    std::vector<episode> episodes;                  // by `from`
    std::size_t next_route = 0;
    std::size_t next_episode = 0;
    std::vector<episode> current;
    double now = -1;
    path_state state;
  };
  [[nodiscard]] path& of(std::size_t isp, std::size_t server) { return paths_[isp * settings_.servers + server]; }
  void make_paths();
  void make_server_events();
  void make_path_events();
  void update(path& p, double at) const;

  world_settings settings_;
  std::mt19937_64 random_;
  std::vector<path> paths_;
  std::vector<death> deaths_;
};

}  // namespace nearside::bench
