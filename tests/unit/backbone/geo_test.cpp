// SPDX-License-Identifier: BSD-2-Clause
// The nearest edges by great circle, and locations out of a database that the test writes.
#include "agent/backbone/geo.hpp"

#include <filesystem>
#include <fstream>

#include "fixture.hpp"
#include "support/mmdb.hpp"

namespace nearside::backbone {

namespace {

const location frankfurt{50.1, 8.7}, amsterdam{52.4, 4.9}, auckland{-36.8, 174.8}, honolulu{21.3, -157.9};

struct placed : node {
  placed() {
    for (unsigned number = 1; number <= 4; ++number) edge(number);
    edges.put(book.id(1), frankfurt);
    edges.put(book.id(2), amsterdam);
    edges.put(book.id(3), auckland);
    edges.put(book.id(4), honolulu);
  }
  using numbers = std::vector<mapping::edge_id>;
  edge_map edges;
};

/// A file that is gone with the test.
struct database_file {
  explicit database_file(const std::string& content) {
    path = std::filesystem::temp_directory_path() / ("nearside-geo-" + std::to_string(::getpid()) + ".mmdb");
    std::ofstream(path, std::ios::binary) << content;
  }
  ~database_file() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

std::string usual_database() {
  test::mmdb made;
  made.put(pre("198.51.100.0/24"), 48.1, 11.6);
  made.put(pre("203.0.113.0/25"), 37.8, -122.4);
  made.put(pre("2001:db8::/32"), -33.9, 151.2);
  return made.content();
}

}  // namespace

TEST_CASE_METHOD(placed, "the nearest living edges come first, at most three", "[backbone][geo]") {
  CHECK(edges.nearest({48.1, 11.6}, book.book) == numbers{book.id(1), book.id(2), book.id(4)});
  kill(1);
  CHECK(edges.nearest({48.1, 11.6}, book.book) == numbers{book.id(2), book.id(4), book.id(3)});
}

TEST_CASE_METHOD(placed, "the date line is no distance", "[backbone][geo]") {
  CHECK(edges.nearest({-17.0, -179.9}, book.book).front() == book.id(3));
}

TEST_CASE("a database that cannot be used is an error with its name", "[backbone][geo]") {
  const auto missing = geo::open("/nonexistent/where.mmdb");
  REQUIRE(missing.has_error());
  CHECK(missing.error().message.find("MaxMind database /nonexistent/where.mmdb: ") == 0);
  const database_file bad("not a database");
  CHECK(geo::open(bad.path).has_error());
}

#if NEARSIDE_MAXMIND
TEST_CASE("a database tells where an address is, or that it does not know", "[backbone][geo]") {
  const database_file file(usual_database());
  const auto opened = geo::open(file.path);
  REQUIRE(opened.has_value());
  CHECK((*opened)->find(at("198.51.100.7")) == location{48.1, 11.6});
  CHECK((*opened)->find(at("2001:db8:1::1")) == location{-33.9, 151.2});
  CHECK((*opened)->find(at("203.0.113.5")) == location{37.8, -122.4});
  CHECK_FALSE((*opened)->find(at("203.0.113.200")));
  CHECK_FALSE((*opened)->find(at("2001:db9::1")));
}

TEST_CASE_METHOD(placed, "a client without a row is referred to the edges nearest to where it is", "[backbone][geo]") {
  const database_file file(usual_database());
  const auto opened = geo::open(file.path).value();
  dir().locate_by([&](const boost::asio::ip::address& client) {
    const auto where = opened->find(client);
    return where ? edges.nearest(*where, book.book) : std::vector<mapping::edge_id>();
  });
  CHECK(told("ref.lb.example.com", "198.51.100.7") == strings{"e1", "e2", "e4"});
  CHECK(told("ref.lb.example.com", "2001:db8::1")[0] == "e3");
  CHECK(told("ref.lb.example.com", "192.0.2.99").size() == 2);
}
#endif

}  // namespace nearside::backbone
