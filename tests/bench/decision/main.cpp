// SPDX-License-Identifier: BSD-2-Clause
// nearside_bench_decision: how long it takes from the sample that decides to the changed answers in the kernel's maps,
// with many names on the server that goes down and comes back. In-process: scoreboard and publisher as the agent has
// them, the event loop and the probes left out. One JSON object.
//   nearside_bench_decision --pin /sys/fs/bpf/nearside-bench-decision --names 10000 --pools 1
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "agent/config/load.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/tables.hpp"
#include "agent/score/scoreboard.hpp"

namespace {

using namespace nearside;
using clock = std::chrono::steady_clock;

/// All names on one server that is checked; each pool has another one behind it that is not.
std::string configuration(std::size_t names, std::size_t pools) {
  std::string text = R"(
[edge]
listen = ["192.0.2.53"]
[[check]]
name = "tcp"
type = "tcp"
port = 80
fall = 1
rise = 1
rise_most = 1
[[server]]
name = "hit"
ipv4 = "192.0.2.80"
checks = ["tcp"]
[[zone]]
name = "lb.example.com"
ns = ["ns.example.com"]
)";
  for (std::size_t i = 0; i < names; ++i) {
    const std::size_t pool = i % pools;
    text += "[[zone.balance]]\nname = \"n" + std::to_string(i) +
            "\"\npolicy = \"failover\"\nservers = [\"hit\", \"198.18." + std::to_string(pool / 250) + "." +
            std::to_string(pool % 250 + 1) + "\"]\n";
  }
  return text;
}

/// The last octets of the first answer of a name, which are its only address.
std::array<std::uint8_t, 4> address_in_kernel(const dataplane::object& tables, const dns::name& owner) {
  const auto row = dataplane::find_name(tables, owner).value();
  const auto image = dataplane::image_of(tables, dataplane::answers_of(tables, row.value().set)[TYPE_CLASS_A], 0);
  std::array<std::uint8_t, 4> address{};
  if (image) std::copy_n(image->octets.end() - 4, 4, address.begin());
  return address;
}

score::sample sample_of(bool ok) {
  score::sample s;
  s.at = clock::now();
  if (ok) {
    s.first_byte = std::chrono::milliseconds(5);
  } else {
    s.what = score::outcome::failed;
    s.reason = "refused";
  }
  return s;
}

boost::json::object measure(const std::string& pin, std::size_t names, std::size_t pools, std::size_t rounds) {
  auto read = config::load_text(configuration(names, pools), "bench.toml");
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&read))
    throw std::runtime_error(config::to_string(problems->front()));
  const auto& good = std::get<config::loaded>(read);
  const auto tables = dataplane::object::open_or_create(pin, {}).value();
  auto publisher = dataplane::publisher::adopt(tables).value();
  score::scoreboard board(good.servers.targets, good.servers.pools, good.servers.latency, clock::now());
  board.add(0, sample_of(true));
  const auto published = publisher.publish(*good.zones, *board.choices(), {}).value();
  if (published.names < names) throw std::runtime_error("not all names are installed");

  const dns::name first = dns::name::from_text("n0.lb.example.com").value();
  const dns::name last = dns::name::from_text("n" + std::to_string(names - 1) + ".lb.example.com").value();
  std::vector<double> took;
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool up = round % 2 == 1;
    const auto sample = sample_of(up);
    const auto began = clock::now();
    const auto effect = board.add(0, sample);
    const auto changed = publisher.change(*board.choices(), effect.pools);
    took.push_back(std::chrono::duration<double, std::milli>(clock::now() - began).count());
    if (effect.pools.size() != board.pools().size() || changed.answers_left > 0)
      throw std::runtime_error("not every answer was changed");
    for (const dns::name& owner : {first, last})
      if ((address_in_kernel(tables, owner)[0] == 192) != up) throw std::runtime_error("the kernel has another answer");
    // Slots that were let go rest for a second; real servers do not flap faster either.
    std::this_thread::sleep_for(std::chrono::milliseconds(pools > 1000 ? 200 : 20));
  }
  std::sort(took.begin(), took.end());
  return {{"names", names},
          {"pools", board.pools().size()},
          {"rounds", rounds},
          {"median_ms", took[took.size() / 2]},
          {"p99_ms", took[took.size() * 99 / 100]},
          {"max_ms", took.back()}};
}

}  // namespace

int main(int argc, char** argv) {
  std::string pin;
  std::size_t names = 10'000;
  std::size_t pools = 1;
  std::size_t rounds = 300;
  CLI::App app("From the deciding sample to the answer in the kernel");
  app.add_option("--pin", pin, "where maps are pinned")->required();
  app.add_option("--names", names, "on the server")->check(CLI::Range(1, 60'000));
  app.add_option("--pools", pools, "different ones among the names")->check(CLI::Range(1, 10'000));
  app.add_option("--rounds", rounds, "the server goes down and up")->check(CLI::Range(2, 100'000));
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << boost::json::serialize(measure(pin, names, pools, rounds)) << '\n';
  } catch (const std::exception& e) {
    std::cerr << "nearside_bench_decision: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
