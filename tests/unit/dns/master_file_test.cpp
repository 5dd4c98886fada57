// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/master_file.hpp"

#include <cstdlib>
#include <fstream>

#include "fixture.hpp"

namespace nearside::dns {

namespace {

struct outcome {
  zone z{name::from_text("lb.example.").value()};
  std::vector<master_error> errors;

  [[nodiscard]] const rrset* set(std::string_view owner, std::uint16_t type) const {
    const node* at = z.find(name::from_text(owner).value());
    return at != nullptr ? at->find(type) : nullptr;
  }
  [[nodiscard]] std::vector<std::size_t> lines() const {
    std::vector<std::size_t> made;
    for (const auto& e : errors) made.push_back(e.line);
    return made;
  }
};

outcome read(std::string_view text, std::size_t first_line = 1) {
  outcome o;
  read_master_text(text, "test", first_line, 77, o.z, o.errors);
  return o;
}

}  // namespace

TEST_CASE("every bad line of a master file is told, with its number", "[dns][master][rfc1035]") {
  const auto o = read(
      "good A 192.0.2.1\n"
      "bad A 192.0.2\n"
      "; a comment\n"
      "\n"
      "multi TXT ( \"a\"\n"
      "  \"b\" ) ; over two lines\n"
      "bad TYPE\n"
      "away.example. A 192.0.2.1\n"
      "chaos CH TXT \"x\"\n"
      "$INCLUDE other\n"
      "$GENERATE 1-2 a$ A 192.0.2.1\n"
      "open TXT \"no end\n"
      "last A 192.0.2.9\n"
      "key DNSKEY 256 3 13 AAAA\n"
      "never ( A 192.0.2.1\n");
  CHECK(o.lines() == std::vector<std::size_t>{2, 7, 8, 9, 10, 11, 12, 14, 15});
  CHECK(o.set("good.lb.example.", rr_type::a) != nullptr);
  CHECK(o.set("last.lb.example.", rr_type::a) != nullptr);
  CHECK(o.set("multi.lb.example.", rr_type::txt)->rdatas.front() == rdata{1, 'a', 1, 'b'});
}

TEST_CASE("lines are counted from where the text stands in its file", "[dns][master]") {
  const auto o = read("\nbad A x\n", 40);
  REQUIRE(o.lines() == std::vector<std::size_t>{41});
  CHECK(o.errors.front().file == "test");
}

TEST_CASE("an omitted TTL is that of $TTL, else the last one stated, else the default", "[dns][master][rfc2308]") {
  const auto o =
      read("a A 192.0.2.1\nb 5m A 192.0.2.1\nc A 192.0.2.1\n$TTL 1h\nd A 192.0.2.1\ne 9 A 192.0.2.1\nf A 192.0.2.1\n");
  REQUIRE(o.errors.empty());
  const auto ttl = [&](std::string_view owner) { return o.set(owner, rr_type::a)->ttl; };
  CHECK(ttl("a.lb.example.") == 77);
  CHECK(ttl("b.lb.example.") == 300);
  CHECK(ttl("c.lb.example.") == 300);
  CHECK(ttl("d.lb.example.") == 3600);
  CHECK(ttl("e.lb.example.") == 9);
  CHECK(ttl("f.lb.example.") == 3600);
}

TEST_CASE("$ORIGIN may be relative, and a blank owner is the last one", "[dns][master][rfc1035]") {
  const auto o =
      read("$ORIGIN deep\nx A 192.0.2.1\n  AAAA 2001:db8::1\n$ORIGIN lb.example.\n@ TXT \"apex ; no comment\"\n");
  REQUIRE(o.errors.empty());
  CHECK(o.set("x.deep.lb.example.", rr_type::a) != nullptr);
  CHECK(o.set("x.deep.lb.example.", rr_type::aaaa) != nullptr);
  CHECK(o.set("lb.example.", rr_type::txt)->rdatas.front().size() == 18);
  CHECK(read("$ORIGIN\n$ORIGIN a b\n$TTL x\n").lines() == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("unknown types are written as RFC 3597 says", "[dns][master][rfc3597]") {
  const auto o = read("u TYPE65280 \\# 3 0102 03\na TYPE1 \\# 4 c0000201\nb A \\# 3 c00002\n");
  CHECK(o.lines() == std::vector<std::size_t>{3});
  CHECK(o.set("u.lb.example.", 65280)->rdatas.front() == rdata{1, 2, 3});
  CHECK(o.set("a.lb.example.", rr_type::a)->rdatas.front() == rdata{192, 0, 2, 1});
}

TEST_CASE("HTTPS and SVCB records are read into the wire format", "[dns][master][rfc9460]") {
  const auto o = read("h HTTPS 1 . alpn=h2 port=443\ns SVCB 0 other\n");
  REQUIRE(o.errors.empty());
  CHECK(o.set("h.lb.example.", rr_type::https)->rdatas.front() ==
        rdata{0, 1, 0, 0, 1, 0, 3, 2, 'h', '2', 0, 3, 0, 2, 0x01, 0xbb});
  CHECK(o.set("s.lb.example.", rr_type::svcb)->rdatas.front().size() == 2 + 18);
}

TEST_CASE("an RRset of several addresses becomes balanced, others do not", "[dns][master]") {
  const auto o = read("w A 192.0.2.1\nw A 192.0.2.2\nw AAAA 2001:db8::1\nt TXT a\nt TXT b\n");
  REQUIRE(o.errors.empty());
  CHECK(o.set("w.lb.example.", rr_type::a)->alternatives() == 2);
  CHECK_FALSE(o.set("w.lb.example.", rr_type::aaaa)->balanced);
  CHECK_FALSE(o.set("t.lb.example.", rr_type::txt)->balanced);
}

TEST_CASE("a file that cannot be read is one error about the whole file", "[dns][master]") {
  zone z(name::from_text("lb.example.").value());
  for (const char* path : {"/nonexistent/zone", "/tmp"}) {
    std::vector<master_error> errors;
    read_master_file(path, 20, z, errors);
    REQUIRE(errors.size() == 1);
    CHECK(errors.front().line == 0);
    CHECK(errors.front().file == path);
  }
  std::string path = "/tmp/nearside-master-XXXXXX";
  const int fd = ::mkstemp(path.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  std::vector<master_error> errors;
  read_master_file(path, 20, z, errors);
  CHECK(errors.empty());
  std::ofstream(path) << "www A 192.0.2.1\n";
  read_master_file(path, 20, z, errors);
  CHECK(errors.empty());
  CHECK(z.find(name::from_text("www.lb.example.").value()) != nullptr);
  std::filesystem::remove(path);
}

}  // namespace nearside::dns
