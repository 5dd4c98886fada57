// SPDX-License-Identifier: BSD-2-Clause
#include "tests/bench/generator.hpp"

#include "tests/bench/kernel/bench_types.h"
// After the types that its global variables have.
#include <bench_generate.skel.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "agent/base/unique_fd.hpp"

namespace nearside::bench {

namespace {

/// Frames of one test run: long enough that its start costs nothing, short enough to stop in time.
constexpr int FRAMES_A_RUN = 1 << 17;
/// One more than a frame needs: the kernel's program then always sets the length, see kernel/generate.bpf.c.
constexpr std::size_t INPUT_OCTETS = 128;

result<mac_address> mac_of(const std::string& interface) {
  const unique_fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return system_error(errno, "interface " + interface);
  mac_address mac{};
  std::memcpy(mac.data(), request.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

}  // namespace

generator::generator(generator&&) noexcept = default;
generator& generator::operator=(generator&&) noexcept = default;
generator::~generator() {
  if (skeleton_) bpf_xdp_detach(static_cast<int>(interface_), XDP_FLAGS_DRV_MODE, nullptr);
}

void generator::destroy::operator()(bench_generate_bpf* skeleton) const noexcept {
  bench_generate_bpf::destroy(skeleton);
}

result<generator> generator::on(const std::string& interface, const mac_address& peer) {
  generator made;
  const auto own = mac_of(interface);
  if (!own) return own.error();
  made.own_ = *own;
  made.peer_ = peer;
  made.interface_ = if_nametoindex(interface.c_str());
  made.skeleton_.reset(bench_generate_bpf::open_and_load());
  if (!made.skeleton_) return system_error(errno, "load the generator");
  const int counter = bpf_program__fd(made.skeleton_->progs.count_replies);
  if (const int failed = bpf_xdp_attach(static_cast<int>(made.interface_), counter, XDP_FLAGS_DRV_MODE, nullptr);
      failed != 0)
    return system_error(failed, "count replies on " + interface);
  return made;
}

void generator::ask(const workload& queries) {
  asked_ = queries;
  const auto frame = frame_of(queries.shape, own_, peer_);
  auto& all = sequences_[queries];
  if (all.empty()) all = sequence_of(queries, frame);
  std::copy(frame.begin(), frame.end(), std::begin(skeleton_->bss->frame_template));
  skeleton_->bss->frame_octets = static_cast<std::uint32_t>(frame.size());
  skeleton_->bss->next_query = 0;
  skeleton_->bss->ip_sum = ip_sum_of(queries, frame);
  const std::size_t octets = all.size() * sizeof(prepared_query);
  void* sequence = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skeleton_->maps.sequence), 0);
  if (sequence == MAP_FAILED)
    throw_exception_from_error(system_error(errno, "map the sequence"), BOOST_CURRENT_LOCATION);
  std::memcpy(sequence, all.data(), octets);
  munmap(sequence, octets);
}

rate_result generator::counted() const noexcept {
  rate_result sum;
  for (const auto& cpu : skeleton_->bss->replies) {
    sum.returned += cpu.returned;
    sum.answered += cpu.answered;
  }
  return sum;
}

void generator::look_at_samples(rate_result& result) const {
  const int map = bpf_map__fd(skeleton_->maps.samples);
  for (std::uint32_t i = 0; i < SAMPLE_COUNT; ++i) {
    reply_sample sample{};
    if (bpf_map_lookup_elem(map, &i, &sample) != 0 || sample.length == 0) continue;
    ++result.samples;
    const std::size_t kept = std::min<std::size_t>(sample.length, sizeof(sample.octets));
    if (auto complaint = complaint_about({std::begin(sample.octets), kept}, asked_); !complaint.empty())
      result.complaint = std::move(complaint);
  }
}

result<rate_result> generator::rate(double seconds) {
  using clock = std::chrono::steady_clock;
  const reply_sample none{};
  for (std::uint32_t i = 0; i < SAMPLE_COUNT; ++i)
    bpf_map_update_elem(bpf_map__fd(skeleton_->maps.samples), &i, &none, BPF_ANY);

  const std::array<std::uint8_t, INPUT_OCTETS> input{};
  xdp_md context{};
  context.data_end = INPUT_OCTETS;
  context.ingress_ifindex = interface_;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = input.data();
  options.data_size_in = INPUT_OCTETS;
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = FRAMES_A_RUN;
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;

  const rate_result before = counted();
  rate_result after;
  const auto start = clock::now();
  std::uint64_t sent = 0;
  double passed = 0;
  while (passed < seconds) {
    if (const int failed = bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.generate), &options); failed != 0)
      return system_error(failed, "send live frames");
    sent += FRAMES_A_RUN;
    after = counted();
    passed = std::chrono::duration<double>(clock::now() - start).count();
  }
  after.seconds = passed;
  after.sent = sent;
  after.returned -= before.returned;
  after.answered -= before.answered;
  look_at_samples(after);
  return after;
}

result<double> generator::time(int program, std::uint32_t repeat) {
  const std::uint32_t zero = 0;
  if (const int failed = bpf_map_update_elem(bpf_map__fd(skeleton_->maps.under_test), &zero, &program, BPF_ANY);
      failed != 0)
    return system_error(failed, "put the program under test in its place");
  const std::array<std::uint8_t, INPUT_OCTETS> input{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = input.data();
  options.data_size_in = INPUT_OCTETS;
  options.repeat = static_cast<int>(repeat);
  if (const int failed = bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.time_query), &options); failed != 0)
    return system_error(failed, "time the program");
  if (options.retval != XDP_TX)
    return error{errc::invalid, "the program under test returned " + std::to_string(options.retval) + ", not XDP_TX"};
  return static_cast<double>(options.duration);
}

}  // namespace nearside::bench
