// SPDX-License-Identifier: BSD-2-Clause
// Sends prepared queries as fast as one core can: into a veth by live frames, or straight into a program by a plain
// test run. Owns its kernel programs; one thread, pinned to the core that also receives.
#pragma once

#include <net/if.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "tests/bench/queries.hpp"

struct bench_generate_bpf;

namespace nearside::bench {

struct rate_result {
  double seconds = 0;
  std::uint64_t sent = 0;
  std::uint64_t returned = 0;  // frames from port 53
  std::uint64_t answered = 0;  // QR=1, NOERROR, with an answer
  std::size_t samples = 0;     // looked at closely
  std::string complaint;       // about one of them; empty: all were right
};

class generator {
 public:
  /// Loads the programs, and stands `count_replies` on `interface`, which is in this network namespace.
  static result<generator> on(const std::string& interface, const mac_address& peer);

  generator(generator&&) noexcept;
  generator& operator=(generator&&) noexcept;
  ~generator();

  /// From now on these queries are asked.
  void ask(const workload& queries);
  /// Sends for this long. Error: the kernel refuses the test run.
  result<rate_result> rate(double seconds);
  /// ns that one run of `program` takes, the making of the query included; `repeat` runs. Error: its last verdict is
  /// not XDP_TX.
  result<double> time(int program, std::uint32_t repeat);

 private:
  struct destroy {
    void operator()(bench_generate_bpf* skeleton) const noexcept;
  };
  generator() = default;
  [[nodiscard]] rate_result counted() const noexcept;
  void look_at_samples(rate_result& result) const;

  std::unique_ptr<bench_generate_bpf, destroy> skeleton_;
  unsigned interface_ = 0;
  mac_address own_{};
  mac_address peer_{};
  workload asked_;
  std::map<workload, std::vector<prepared_query>> sequences_;
};

}  // namespace nearside::bench
