// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/prepared_check.hpp"

#include <catch2/catch.hpp>

#include "agent/probe/http.hpp"

using namespace nearside;
using namespace nearside::probe;
using boost::asio::ip::make_address;
using config::check_type;

namespace {

config::check http_check() {
  config::check check;
  check.name = "web";
  check.type = check_type::http;
  return check;
}

std::string refused(const config::check& check) {
  const auto made = prepared_check::make(check);
  REQUIRE_FALSE(made.has_value());
  return made.error().message;
}

}  // namespace

TEST_CASE("what can never run is refused with the check's name", "[probe][prepare]") {
  auto check = http_check();
  check.body_regex = "(";
  CHECK(refused(check).starts_with("check web: body_regex: "));
  check = http_check();
  check.path = "/a b";
  CHECK(refused(check).starts_with("check web: "));
  check = http_check();
  check.host = "a\r\nX: y";
  CHECK(refused(check).starts_with("check web: "));
  check = http_check();
  check.type = check_type::https;
  check.ca_file = "/nonexistent/ca.pem";
  CHECK(refused(check).find("/nonexistent/ca.pem") != std::string::npos);
  check = http_check();
  check.type = check_type::exec;
  check.command = {"true"};
  CHECK(refused(check).find("absolute path") != std::string::npos);
}

TEST_CASE("the certificate must be for server_name, else for the host, else for the address", "[probe][prepare]") {
  auto check = http_check();
  const config::probe_target target{0, make_address("2001:db8::80"), 443};
  CHECK(expected_name(check, target) == "2001:db8::80");
  check.host = "www.example.com:8443";
  CHECK(expected_name(check, target) == "www.example.com");
  check.host = "www.example.com.";
  CHECK(expected_name(check, target) == "www.example.com");
  check.host = "[2001:db8::1]:8443";
  CHECK(expected_name(check, target) == "2001:db8::1");
  check.server_name = "sni.example.com";
  CHECK(expected_name(check, target) == "sni.example.com");
}

TEST_CASE("a request names the configured host, else the address with a port that is not the usual one",
          "[probe][http]") {
  auto check = http_check();
  check.path = "/health?full=1";
  const auto host_of = [&](const char* address, std::uint16_t port) {
    const auto request = http_request(check, {0, make_address(address), port});
    const auto at = request.find("Host: ") + 6;
    return request.substr(at, request.find("\r\n", at) - at);
  };
  CHECK(host_of("192.0.2.80", 80) == "192.0.2.80");
  CHECK(host_of("192.0.2.80", 8080) == "192.0.2.80:8080");
  CHECK(host_of("2001:db8::80", 80) == "[2001:db8::80]");
  CHECK(host_of("2001:db8::80", 443) == "[2001:db8::80]:443");
  check.type = check_type::https;
  CHECK(host_of("192.0.2.80", 443) == "192.0.2.80");
  check.host = "www.example.com";
  CHECK(host_of("192.0.2.80", 8443) == "www.example.com");
  CHECK(http_request(check, {0, make_address("192.0.2.80"), 443}) ==
        "GET /health?full=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: nearside\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n");
  check.method = "POST";
  CHECK(http_request(check, {0, make_address("192.0.2.80"), 443}) ==
        "POST /health?full=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: nearside\r\nAccept: */*\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n");
}
