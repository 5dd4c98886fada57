// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/registration.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "agent/mapping/deflate.hpp"
#include "agent/mapping/messages.hpp"
#include "agent/mapping/nonce.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/resolver_on_loopback.hpp"
#include "tests/support/tls_server.hpp"

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::make_address;

namespace {

/// A backbone node in as few words as will do: it believes nonces that it was asked for.
struct backbone {
  backbone(asio::io_context& io, const tests::authority& ca, std::string name)
      : zone(name + ".who.lb.example.com."),
        files(ca.issue("DNS:" + name + ".example.net")),
        server(io, https::server_context({ca.ca(), files.certificate, files.key}).value()) {
    key.fill(static_cast<std::uint8_t>(name.back()));
    server.by = [this](const std::string& request) { return answer(request); };
  }

  std::string answer(const std::string& request) {
    const std::string target = request.substr(5, request.find(' ', 5) - 5);
    std::string body = request.substr(request.find("\r\n\r\n") + 4);
    messages.push_back(target);
    if (request.find("Content-Encoding: deflate") != std::string::npos) {
      ++deflated;
      body = mapping::inflate(body, mapping::most_inflated).value();
    }
    if (target == "/v1/report") {
      reported = mapping::parse_report(body).value();
      return tests::ok("{}");
    }
    if (target == "/v1/withdraw") {
      known = false;
      return tests::ok("{}");
    }
    const bool whole = target == "/v1/register";
    const auto message = mapping::parse_registration(body, whole).value();
    if (!whole && !known) {
      const std::string why = to_json(mapping::refused{mapping::refusal::unknown_edge, "who?", std::nullopt});
      return "HTTP/1.1 404 Not Found\r\nContent-Length: " + std::to_string(why.size()) + "\r\n\r\n" + why;
    }
    known = true;
    mapping::registered said;
    said.lifetime = 30s;
    said.nonce_zone = zone;
    said.nonce_key = key;
    said.nonce_edge = 17;
    said.ttl = 60;
    said.default_servers = {"e1.ns.lb.example.com.", "e2.ns.lb.example.com."};
    if (whole) {
      registered = message;
      accepted.clear();
      for (const auto& claim : message.egresses) {
        const bool seen = mapping::verify(claim.nonce, key) && asked.contains(claim.nonce);
        said.egresses.push_back({claim.address, seen, seen ? "" : "not_seen"});
        if (!seen) continue;
        accepted.insert(claim.address.to_string());
        said.servers.push_back({mapping::key_of(claim.address), {"e17.ns.lb.example.com.", "e1.ns.lb.example.com."}});
      }
    }
    return tests::ok(to_json(said));
  }

  std::string zone;
  mapping::secret_key key{};
  tests::certificate_files files;
  tests::tls_server server;
  std::set<std::string> asked;  // labels of nonces
  std::set<std::string> accepted;
  std::vector<std::string> messages;
  std::optional<mapping::registration> registered;
  std::optional<mapping::report_message> reported;
  bool known = false;
  int deflated = 0;
};

struct world {
  world() {
    std::string name = (fs::temp_directory_path() / "nearside-edge-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
    write_resolver("127.0.0.1");
    how.edge = "e17.ns.lb.example.com.";
    how.addresses = {make_address("192.0.2.17")};
    for (backbone* one : {&b1, &b2}) {
      const std::string label = one->zone.substr(0, 2);
      how.backbones.push_back({label,
                               "127.0.0.1",
                               one->server.acceptor.local_endpoint().port(),
                               label + ".example.net",
                               {ca.ca(), mine.certificate, mine.key}});
    }
    how.resolvers.resolv_conf = directory / "resolv.conf";
    how.resolvers.systemd_resolved.clear();
    how.resolvers.leases.clear();
    how.resolvers.port = isp.port();
    isp.over_udp = [this](const tests::octets& query) { return std::vector<tests::octets>{reply(query)}; };
  }
  ~world() { fs::remove_all(directory); }

  void write_resolver(const std::string& address) const {
    std::ofstream(directory / "resolv.conf") << "nameserver " << address << "\n";
  }

  tests::octets reply(const tests::octets& query) {
    std::string qname;
    for (std::size_t at = 12; query[at] != 0; at += query[at] + 1U)
      qname.append(query.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                   query.begin() + static_cast<std::ptrdiff_t>(at) + 1 + query[at]) += '.';
    if (qname.empty()) return tests::reply_to(query, {});
    for (backbone* one : {&b1, &b2}) {
      if (!qname.ends_with(".v4." + one->zone)) continue;
      const std::string label = qname.substr(0, qname.find('.'));
      one->asked.insert(label);
      return tests::reply_to(query, {qname + " 0 IN TXT \"" + egress + "\""});
    }
    return tests::reply_to(query, {}, LDNS_RCODE_SERVFAIL);
  }

  void start() {
    auto made = registration::registration::make(io.get_executor(), how, [this] { ++told; });
    REQUIRE(made.has_value());
    edge = std::move(*made);
    edge->start();
  }
  bool until(const std::function<bool()>& holds, std::chrono::milliseconds most = 20s) {
    const auto end = std::chrono::steady_clock::now() + most;
    io.restart();
    while (!holds() && std::chrono::steady_clock::now() < end) io.run_one_for(10ms);
    return holds();
  }
  std::chrono::milliseconds stop() {
    bool ended = false;
    auto on_end = [&ended](const std::exception_ptr&) { ended = true; };
    const auto started = std::chrono::steady_clock::now();
    asio::co_spawn(io, edge->withdraw(), on_end);
    REQUIRE(until([&ended] { return ended; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
  }

  tests::authority ca;
  tests::certificate_files mine = ca.issue("DNS:e17.ns.lb.example.com");
  fs::path directory;
  asio::io_context io;
  backbone b1{io, ca, "b1"};
  backbone b2{io, ca, "b2"};
  tests::resolver_on_loopback isp{io};
  std::string egress = "203.0.113.1";
  registration::settings how;
  int told = 0;
  std::unique_ptr<registration::registration> edge;
};

using list = std::set<std::string>;

}  // namespace

TEST_CASE("an edge registers with each backbone node, and proves its egress to each", "[registration]") {
  world one;
  one.start();
  REQUIRE(one.until([&one] { return !one.b1.accepted.empty() && !one.b2.accepted.empty(); }));
  CHECK(one.b1.accepted == list{"203.0.113.1"});
  CHECK(one.b2.accepted == list{"203.0.113.1"});
  CHECK(one.b1.registered->addresses == one.how.addresses);
  CHECK(one.b1.registered->edge == "e17.ns.lb.example.com.");

  SECTION("and knows what its clients are given as name servers") {
    one.until([&one] {
      return one.edge->servers_for(make_address("203.0.113.1")).names.front() == "e17.ns.lb.example.com.";
    });
    const auto its = one.edge->servers_for(make_address("203.0.113.1"));
    CHECK(its.names == std::vector<std::string>{"e17.ns.lb.example.com.", "e1.ns.lb.example.com."});
    CHECK(its.ttl == 60);
    const auto others = one.edge->servers_for(make_address("198.51.100.1"));
    CHECK(others.names == std::vector<std::string>{"e1.ns.lb.example.com.", "e2.ns.lb.example.com."});
    CHECK(one.told >= 2);  // the first answer, and that with the row
  }
  SECTION("and tells of it") {
    one.until([&one] {
      const auto now = one.edge->status();
      return now.at("resolvers").at(0).at("rtt_ms").is_double() &&
             now.at("egresses").at(0).at("backbones").at(0).at("state") == "accepted";
    });
    const auto status = one.edge->status();
    CHECK(status.at("edge") == "e17.ns.lb.example.com.");
    CHECK(status.at("resolvers").at(0).at("address") == "127.0.0.1");
    CHECK(status.at("resolvers").at(0).at("source") == "resolv.conf");
    const auto& egress = status.at("egresses").at(0);
    CHECK(egress.at("prefix") == "203.0.113.1/32");
    CHECK(egress.at("backbones").at(0).at("state") == "accepted");
    CHECK(egress.at("backbones").at(1).at("name") == "b2");
    const auto& node = status.at("backbones").at(0);
    CHECK(node.at("state") == "registered");
    CHECK(node.at("error") == "");
    CHECK(node.at("nonce_zone") == "b1.who.lb.example.com.");
    CHECK(node.at("asking").as_array().size() == 2);
  }
  SECTION("and takes it back at the end") {
    CHECK(one.stop() < 2s);
    CHECK(one.b1.messages.back() == "/v1/withdraw");
    CHECK(one.b2.messages.back() == "/v1/withdraw");
  }
  SECTION("and registers anew with a node that has forgotten it") {
    one.b1.known = false;
    one.b1.accepted.clear();
    one.edge->set_addresses({make_address("192.0.2.18")});
    REQUIRE(one.until([&one] { return !one.b1.accepted.empty(); }));
    CHECK(one.b1.registered->addresses[0] == make_address("192.0.2.18"));
  }
}

TEST_CASE("a new resolver's egress takes the place of the old one's within a few seconds", "[registration]") {
  world one;
  // Loopback addresses of one port are as many resolvers.
  tests::resolver_on_loopback other(one.io, make_address("127.0.0.2"), one.isp.port());
  other.over_udp = [&one](const tests::octets& query) {
    const std::string before = std::exchange(one.egress, "203.0.113.200");
    std::vector<tests::octets> all{one.reply(query)};
    one.egress = before;
    return all;
  };
  one.start();
  REQUIRE(
      one.until([&one] { return one.b1.accepted == list{"203.0.113.1"} && one.b2.accepted == list{"203.0.113.1"}; }));
  one.write_resolver("127.0.0.2");
  const auto started = std::chrono::steady_clock::now();
  REQUIRE(one.until(
      [&one] { return one.b1.accepted == list{"203.0.113.200"} && one.b2.accepted == list{"203.0.113.200"}; }));
  CHECK(std::chrono::steady_clock::now() - started < 5s);
}

TEST_CASE("an egress that moves is registered, beside the old one", "[registration]") {
  world one;
  one.how.discovery.trickle = 100ms;
  one.start();
  REQUIRE(one.until([&one] { return one.b1.accepted == list{"203.0.113.1"}; }));
  one.egress = "203.0.113.7";
  CHECK(one.until([&one] { return one.b1.accepted == list{"203.0.113.1", "203.0.113.7"}; }));
}

TEST_CASE("large reports are deflated", "[registration]") {
  world one;
  one.start();
  mapping::report report;
  for (int i = 0; i < 100; ++i) {
    report.servers.push_back("server" + std::to_string(i));
    report.figures.push_back({static_cast<std::uint32_t>(i), 4, "up", 10.0 + i, 0, 1});
  }
  one.edge->set_report(report);
  REQUIRE(one.until([&one] { return one.b1.reported.has_value() && one.b2.reported.has_value(); }));
  CHECK(one.b1.deflated == 1);
  CHECK(one.b1.reported->content == report);
  SECTION("and small ones are not") {
    one.edge->set_report({{"server0"}, {}, {}});
    REQUIRE(one.until([&one] { return one.b1.reported->content.servers.size() == 1; }));
    CHECK(one.b1.deflated == 1);
  }
}

TEST_CASE("one backbone node that is away does not disturb the other", "[registration]") {
  world one;
  one.b2.server.acceptor.close();
  one.start();
  REQUIRE(one.until([&one] { return !one.b1.accepted.empty(); }));
  const auto status = one.edge->status();
  CHECK(status.at("backbones").at(1).at("state") == "unregistered");
  CHECK_THAT(std::string(status.at("backbones").at(1).at("error").as_string()),
             Catch::Matchers::Contains("Connection refused"));
  CHECK(status.at("egresses").at(0).at("backbones").at(1).at("reason") == "not registered");
}

TEST_CASE("the end comes in two seconds, whatever the backbone nodes do", "[registration]") {
  world one;
  one.start();
  REQUIRE(one.until([&one] { return !one.b1.accepted.empty(); }));
  one.b1.server.pause = 60s;
  one.how.withdraw_within = 2000ms;
  const auto took = one.stop();
  CHECK(took < 4s);
  CHECK(one.until([] { return false; }, 50ms) == false);
}

TEST_CASE("an edge that ends without a goodbye leaves nothing behind that runs", "[registration]") {
  world one;
  one.start();
  REQUIRE(one.until([&one] { return !one.b1.accepted.empty(); }));
  one.edge.reset();
  const auto messages = one.b1.messages.size();
  one.until([] { return false; }, 300ms);
  CHECK(one.b1.messages.size() == messages);
}

TEST_CASE("settings that cannot be are told before anything is sent", "[registration]") {
  world one;
  std::string expected;
  SECTION("a key that is not there") {
    one.how.backbones[1].tls.key = "/nonexistent/e17.key";
    expected = "backbone b2: key_file /nonexistent/e17.key: No such file or directory";
  }
  SECTION("no backbone node") {
    one.how.backbones.clear();
    expected = "registration: expected 1 to 8 backbone nodes";
  }
  SECTION("no address") {
    one.how.addresses.clear();
    expected = "registration: expected 1 to 8 addresses";
  }
  const auto made = registration::registration::make(one.io.get_executor(), one.how, {});
  REQUIRE(made.has_error());
  CHECK(made.error().message == expected);
}
