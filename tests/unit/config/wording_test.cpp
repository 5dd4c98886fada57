// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/wording.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace nearside::config {

TEST_CASE("the nearest known word is the one with the fewest edits", "[config][wording]") {
  constexpr std::array<std::string_view, 4> known{"listen", "lease", "port", "interfaces"};
  CHECK(nearest("lisen", known) == "listen");
  CHECK(nearest("interface", known) == "interfaces");
  CHECK(nearest("prot", known) == "port");
  CHECK(nearest("leaes", known) == "lease");
}

TEST_CASE("a word that resembles none gets no suggestion", "[config][wording]") {
  constexpr std::array<std::string_view, 2> known{"ns", "port"};
  CHECK(nearest("zebra", known).empty());
  CHECK(nearest("xy", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(100'000, 'p'), known).empty());
}

TEST_CASE("a text from the file cannot write control characters to the terminal", "[config][wording]") {
  CHECK(in_quotes("a\"b\\c") == R"("a\"b\\c")");
  CHECK(in_quotes("\x1b[2J\n") == R"("\x1b[2J\x0a")");
  CHECK(in_quotes(std::string_view("\0", 1)) == R"("\x00")");
  CHECK(in_quotes(std::string(65, 'x')) == "\"" + std::string(64, 'x') + "...\"");
}

}  // namespace nearside::config
