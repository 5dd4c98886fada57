// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/secret_file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/config/fixture.hpp"

namespace nearside::backbone {

TEST_CASE("a secret is made once, for the agent alone, and is the same afterwards", "[backbone][secret]") {
  const config::folder place;
  const auto file = place.path() / "state" / "nonce.secret";
  const auto made = secret_from(file);
  REQUIRE(made.has_value());
  struct stat there {};
  REQUIRE(::stat(file.c_str(), &there) == 0);
  CHECK((there.st_mode & 0777) == 0600);
  CHECK(there.st_size == 32);
  const auto again = secret_from(file);
  REQUIRE(again.has_value());
  CHECK(*again == *made);
  CHECK(secret_from(place.path() / "other.secret").value() != *made);
}

TEST_CASE("a file that is no secret is not used, and not overwritten", "[backbone][secret]") {
  const config::folder place;
  for (const std::string& text : {std::string(31, 'x'), std::string(33, 'x'), std::string()}) {
    const auto file = place.write("nonce.secret", text);
    const auto read = secret_from(file);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == errc::invalid);
    CHECK(read.error().message.find(file.string()) != std::string::npos);
    CHECK(std::filesystem::file_size(file) == text.size());
  }
}

TEST_CASE("a secret that was half written before a crash is made anew", "[backbone][secret]") {
  const config::folder place;
  place.write("nonce.secret.new", "half");
  CHECK(secret_from(place.path() / "nonce.secret").has_value());
}

}  // namespace nearside::backbone
