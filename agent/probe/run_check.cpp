// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/run_check.hpp"

#include "agent/probe/attempt.hpp"
#include "agent/probe/dns.hpp"
#include "agent/probe/exec.hpp"
#include "agent/probe/http.hpp"
#include "agent/probe/tcp.hpp"
#include "agent/probe/tls.hpp"

namespace nearside::probe {
namespace asio = boost::asio;
using config::check_type;

namespace {

asio::awaitable<std::optional<trouble>> dispatch(attempt& now, const prepared_check& check,
                                                 const config::probe_target& target, std::string server,
                                                 echo_sockets& echoes) {
  switch (check.asked.type) {
    case check_type::icmp: return check_icmp(now, echoes, target);
    case check_type::tcp: return check_tcp(now, target);
    case check_type::tls: return check_tls(now, check, target);
    case check_type::http: return check_http(now, check, target);
    case check_type::https: return check_https(now, check, target);
    case check_type::dns: return check_dns(now, check, target);
    case check_type::exec: return check_exec(now, check, target, std::move(server));
  }
  return check_tcp(now, target);
}

}  // namespace

asio::awaitable<result<score::sample>> run_check(asio::any_io_executor executor, const prepared_check& check,
                                                 config::probe_target target, std::string server,
                                                 echo_sockets& echoes) {
  attempt now(std::move(executor), check.asked.timeout);
  auto wrong = co_await dispatch(now, check, target, std::move(server), echoes);
  now.found.at = attempt::clock::now();
  now.found.what = score::outcome::ok;
  if (wrong) {
    const auto counts_as = outcome_of(wrong->why);
    if (!counts_as) co_return error{wrong->kind, std::move(wrong->reason)};
    now.found.what = *counts_as;
    now.found.reason = std::move(wrong->reason);
  }
  co_return std::move(now.found);
}

}  // namespace nearside::probe
