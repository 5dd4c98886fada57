// SPDX-License-Identifier: BSD-2-Clause
// What the configuration says about measuring: the checks, what they are run on, and the pools of servers that the
// balanced names use. Plain values: made by load(), then only read. docs/configuration.md has a line for each key.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/score/settings.hpp"

namespace nearside::config {

using namespace std::chrono_literals;

enum class check_type : std::uint8_t { icmp, tcp, tls, http, https, dns, exec };

/// [[check]]: how a server is asked whether it works.
struct check {
  std::string name;
  check_type type = check_type::tcp;
  std::uint16_t port = 0;  // 80 for http, 443 for https and tls, 53 for dns; tcp needs one; icmp and exec have none

  std::chrono::milliseconds interval = 5s;            // between the starts of two checks
  std::chrono::milliseconds interval_in_use = 700ms;  // the same while the server is in use
  std::chrono::milliseconds timeout = 500ms;  // of each step: connect, handshake, first byte, rest. exec: of the whole
  std::chrono::milliseconds recheck = 200ms;  // after a failure, until the target is up or down again
  score::health_settings health;

  // tls, https
  std::string server_name;  // SNI, and what the certificate must be for; empty: `host`, else the server's address
  bool verify = true;
  std::string ca_file;  // trusted certificates, PEM; empty: the system's

  // http, https
  std::string method = "GET";
  std::string path = "/";
  std::string host;                                                            // empty: the server's address
  std::vector<std::pair<std::uint16_t, std::uint16_t>> status = {{200, 399}};  // expected, as ranges
  std::string body;                // a substring that must be there; empty: anything will do
  std::string body_regex;          // RE2's syntax; empty: none
  std::size_t body_limit = 65536;  // octets of the body that are looked at

  // dns
  std::string qname = ".";
  std::uint16_t qtype = 2;         // NS
  std::uint8_t rcode = 0;          // expected
  std::vector<std::string> rdata;  // each must be among the answers, in presentation format; empty: any answer will do

  // exec
  std::vector<std::string> command;  // absolute path of the program, then its arguments; no shell
};

/// What a check is run on. Its place in the list is the index that score::pool_address::targets has.
struct probe_target {
  std::size_t check = 0;  // index into measuring::checks
  boost::asio::ip::address address;
  std::uint16_t port = 0;
};

/// [probe]: bounds of all probes together.
struct probe_settings {
  std::size_t concurrency = 512;  // at once
  double per_address = 10;        // starts a second to one address, whatever the number of checks
  double jitter = 0.1;            // each wait is that part longer or shorter, at random
};

/// Servers, checks and pools. `targets` and `probes` have the same indices.
struct measuring {
  probe_settings probe;
  score::latency_settings latency;
  std::vector<check> checks;
  std::vector<score::target> targets;
  std::vector<probe_target> probes;
  std::vector<score::pool> pools;  // dns::rrset::pool is the index
};

}  // namespace nearside::config
