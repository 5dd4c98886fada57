// SPDX-License-Identifier: BSD-2-Clause
// The benchmark's hands: takes one command a line from packets.py and answers each with one line of JSON.
//   ask NAMES uniform|zipf plain|real [CLIENTS [SITES]]     attach PROGRAM     rate SECONDS     time PROGRAM REPEAT
// PROGRAM is one of kernel/reflect.bpf.c, or the path of a pinned one. `attach` puts it on the receiving veth.
#include <bench_reflect.skel.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include "agent/base/unique_fd.hpp"
#include "tests/bench/generator.hpp"

namespace {

using namespace nearside;

struct destroy_reflect {
  void operator()(bench_reflect_bpf* skeleton) const noexcept { bench_reflect_bpf::destroy(skeleton); }
};

class commands {
 public:
  commands(bench_reflect_bpf* reflectors, nearside::bench::generator sender, const std::string& receiver,
           const std::string& space)
      : reflectors_(reflectors),
        sender_(std::move(sender)),
        receiver_(receiver),
        space_(::open(space.c_str(), O_RDONLY | O_CLOEXEC)),
        home_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {}

  /// The answer to one command.
  result<std::string> obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb, a, b;
    words >> verb;
    std::ostringstream out;
    if (verb == "ask") {
      nearside::bench::workload asked;
      words >> asked.names >> a >> b;
      asked.drawn = a == "zipf" ? nearside::bench::distribution::zipf : nearside::bench::distribution::uniform;
      asked.shape = b == "real" ? nearside::bench::form::real : nearside::bench::form::plain;
      words >> asked.clients >> asked.sites;
      sender_.ask(asked);
      out << "{}";
    } else if (verb == "attach") {
      words >> a;
      if (auto done = attach(a); !done) return done.error();
      out << "{}";
    } else if (verb == "rate") {
      double seconds = 1;
      words >> seconds;
      const auto r = sender_.rate(seconds);
      if (!r) return r.error();
      out << std::fixed << R"({"seconds":)" << r->seconds << R"(,"sent":)" << r->sent << R"(,"returned":)"
          << r->returned << R"(,"answered":)" << r->answered << R"(,"samples":)" << r->samples << R"(,"complaint":)"
          << std::quoted(r->complaint) << "}";
    } else if (verb == "time") {
      std::uint32_t repeat = 1;
      words >> a >> repeat;
      auto program = find(a);
      if (!program) return program.error();
      const auto ns = sender_.time(program->get(), repeat);
      if (!ns) return ns.error();
      out << R"({"ns":)" << *ns << "}";
    } else {
      return error{errc::invalid, "unknown command: " + line};
    }
    return out.str();
  }

 private:
  result<unique_fd> find(const std::string& program) {
    if (program.starts_with('/')) {
      unique_fd fd(bpf_obj_get(program.c_str()));
      if (!fd) return system_error(errno, program);
      return fd;
    }
    const bpf_program* found = bpf_object__find_program_by_name(reflectors_->obj, program.c_str());
    if (found == nullptr) return error{errc::not_found, "no program " + program};
    return unique_fd(dup(bpf_program__fd(found)));
  }

  result<void> attach(const std::string& program) {
    auto fd = find(program);
    if (!fd) return fd.error();
    if (setns(space_.get(), CLONE_NEWNET) != 0) return system_error(errno, "enter the receiver's namespace");
    const unsigned index = if_nametoindex(receiver_.c_str());
    const int failed = bpf_xdp_attach(static_cast<int>(index), fd->get(), XDP_FLAGS_DRV_MODE, nullptr);
    if (setns(home_.get(), CLONE_NEWNET) != 0) return system_error(errno, "come back from the receiver's namespace");
    if (failed != 0) return system_error(failed, "attach to " + receiver_);
    return {};
  }

  std::unique_ptr<bench_reflect_bpf, destroy_reflect> reflectors_;
  nearside::bench::generator sender_;
  std::string receiver_;
  unique_fd space_;
  unique_fd home_;
};

nearside::bench::mac_address mac_from(const std::string& text) {
  nearside::bench::mac_address mac{};
  std::istringstream in(text);
  for (auto& octet : mac) {
    unsigned value = 0;
    in >> std::hex >> value;
    octet = static_cast<std::uint8_t>(value);
    in.ignore(1);
  }
  return mac;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Sends queries into a veth by live frames; commands on standard input");
  std::string sender, receiver, receiver_mac, space;
  int core = 0;
  app.add_option("--sender", sender, "the veth to send from, in this namespace")->required();
  app.add_option("--receiver", receiver, "its peer")->required();
  app.add_option("--receiver-mac", receiver_mac, "the peer's address")->required();
  app.add_option("--receiver-namespace", space, "path of the peer's network namespace")->required();
  app.add_option("--core", core, "the core that sends, receives and counts");
  CLI11_PARSE(app, argc, argv);

  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(core), &cores);
  if (sched_setaffinity(0, sizeof(cores), &cores) != 0) {
    std::cerr << "nearside_bench: core " << core << ": " << std::strerror(errno) << '\n';
    return 1;
  }
  // What else wants this core waits. Where that is refused the figures only spread more.
  sched_param first{};
  first.sched_priority = 10;
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) std::cerr << "nearside_bench: no real-time priority\n";
  auto* reflectors = bench_reflect_bpf::open_and_load();
  if (reflectors == nullptr) {
    std::cerr << "nearside_bench: load the reflectors: " << std::strerror(errno) << '\n';
    return 1;
  }
  auto made = nearside::bench::generator::on(sender, mac_from(receiver_mac));
  if (!made) {
    bench_reflect_bpf::destroy(reflectors);
    std::cerr << "nearside_bench: " << made.error().message << '\n';
    return 1;
  }
  commands hands(reflectors, std::move(*made), receiver, space);
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = hands.obey(line);
    if (answer)
      std::cout << *answer << std::endl;
    else
      std::cout << R"({"error":)" << std::quoted(answer.error().message) << "}" << std::endl;
  }
  return 0;
}
