// SPDX-License-Identifier: BSD-2-Clause
// What a port check costs: so many addresses of 127.0.0.0/8, all answered by a thread on a core of its own. Prints one
// JSON object. Started by tests/bench/registrations.py.
#include "agent/backbone/port_check.hpp"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <iostream>
#include <thread>

namespace {

using namespace nearside;
using steady = std::chrono::steady_clock;
constexpr std::size_t batch = 64;

double thread_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

/// One socket for all of loopback; a reply leaves from the address that was asked.
class responder {
 public:
  explicit responder(int core) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    const int octets = 8 << 20;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
    const timeval soon{0, 100'000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&any), sizeof any);
    socklen_t length = sizeof any;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&any), &length);
    port = ntohs(any.sin_port);
    thread_ = std::thread([this, core] {
      cpu_set_t own;
      CPU_ZERO(&own);
      CPU_SET(static_cast<std::size_t>(core), &own);
      ::pthread_setaffinity_np(::pthread_self(), sizeof own, &own);
      while (!stop_) answer();
    });
  }
  ~responder() {
    stop_ = true;
    thread_.join();
    ::close(socket_);
  }
  responder(const responder&) = delete;
  responder& operator=(const responder&) = delete;
  std::uint16_t port = 0;

 private:
  void answer() {
    std::array<mmsghdr, batch> messages{};
    for (std::size_t i = 0; i < batch; ++i) {
      parts_[i] = {octets_[i].data(), octets_[i].size()};
      messages[i].msg_hdr = {&from_[i], sizeof from_[i], &parts_[i], 1, control_[i].data(), control_[i].size(), 0};
    }
    const int got = ::recvmmsg(socket_, messages.data(), batch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < got; ++i) {
      auto& message = messages[static_cast<std::size_t>(i)];
      octets_[static_cast<std::size_t>(i)][2] = 0x84;
      parts_[static_cast<std::size_t>(i)].iov_len = message.msg_len;
    }
    if (got > 0) ::sendmmsg(socket_, messages.data(), static_cast<unsigned>(got), 0);
  }

  int socket_ = -1;
  std::array<std::array<std::uint8_t, 512>, batch> octets_{};
  std::array<std::array<std::uint8_t, 64>, batch> control_{};
  std::array<sockaddr_in, batch> from_{};
  std::array<iovec, batch> parts_{};
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

int main(int count, char** words) {
  unsigned edges = 100'000;
  unsigned interval_ms = 5000;
  unsigned seconds = 5;
  int core = 1;
  CLI::App app("Measures port checks", "nearside_bench_port_check");
  app.add_option("--edges", edges);
  app.add_option("--interval-ms", interval_ms);
  app.add_option("--seconds", seconds);
  app.add_option("--responder-core", core);
  CLI11_PARSE(app, count, words);

  responder all(core);
  boost::asio::io_context io(1);
  backbone::port_check_settings settings;
  settings.interval = std::chrono::milliseconds(interval_ms);
  settings.port = all.port;
  std::uint64_t told = 0;
  const auto checks =
      backbone::port_check::make(io.get_executor(), settings,
                                 [&](mapping::edge_id, const boost::asio::ip::address&, const std::string&) { ++told; })
          .value();
  const std::array names{dns::name::from_text("www.lb.example.com.").value(),
                         dns::name::from_text("img.lb.example.com.").value()};
  checks->set_names(names);
  for (unsigned i = 0; i < edges; ++i) {
    const std::array address{boost::asio::ip::address(boost::asio::ip::address_v4(0x7f010000U + i))};
    checks->watch(i, address, true);
  }
  io.run_for(settings.interval + std::chrono::seconds(1));
  const auto before = checks->count();
  const double cpu = thread_cpu_seconds();
  const auto begun = steady::now();
  io.run_for(std::chrono::seconds(seconds));
  const double took = std::chrono::duration<double>(steady::now() - begun).count();
  const double used = thread_cpu_seconds() - cpu;
  const auto after = checks->count();
  const auto done = static_cast<double>(after.good - before.good + after.failed - before.failed);
  std::cout << boost::json::serialize(boost::json::object{{"checks_per_second", done / took},
                                                          {"cpu_share", used / took},
                                                          {"cpu_us_per_check", used * 1e6 / std::max(done, 1.0)},
                                                          {"good", after.good - before.good},
                                                          {"failed", after.failed - before.failed},
                                                          {"foreign", after.foreign - before.foreign},
                                                          {"late", after.late - before.late}})
            << '\n';
  return 0;
}
