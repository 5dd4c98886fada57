// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

TEST_CASE("all problems of a file are told at once, in the order of its lines", "[config][load]") {
  const lines found = problems_of(R"([edge]
listen = ["0.0.0.0"]
prot = 53
[log]
level = 3
[[zone]]
name = "lb.example.com"
ns = ["ns.example.net"]
ttl = "3d"
[[zone.balance]]
name = "www"
servers = []
)");
  CHECK(
      found ==
      lines{"edge.toml:2:11: edge.listen: expected the address of one host, found \"0.0.0.0\", the unspecified address",
            "edge.toml:3:1: unknown key \"edge.prot\", did you mean \"port\"?",
            "edge.toml:5:9: log.level: expected a string, found the integer 3",
            "edge.toml:9:7: zone.ttl: expected a duration with its unit from \"1s\" to \"2d\", found the string \"3d\"",
            "edge.toml:12:11: zone.balance.servers: expected 1 to 255 servers, found 0"});
}

TEST_CASE("a key that no section knows is a problem, with the one that was meant", "[config][load]") {
  CHECK(problems_of(usual_edge + "[servee]\n") ==
        lines{"edge.toml:4:2: unknown key \"servee\", did you mean \"serve\"?"});
  CHECK(problems_of(usual_edge + "[[zones]]\n") ==
        lines{"edge.toml:4:3: unknown key \"zones\", did you mean \"zone\"?"});
  CHECK(problems_of(usual_edge + "[map.names]\n") ==
        lines{"edge.toml:4:2: unknown key \"map\", did you mean \"maps\"?"});
  CHECK(problems_of(usual_edge + "[weather]\n") == lines{"edge.toml:4:2: unknown key \"weather\""});
  CHECK(problems_of(usual_edge + usual_zone + "soa = { mnane = \"ns.example.net\" }\n") ==
        lines{"edge.toml:7:9: unknown key \"zone.soa.mnane\", did you mean \"mname\"?"});
  CHECK(problems_of(usual_edge + usual_zone + "[[zone.balance]]\nname = \"www\"\nserver = [\"192.0.2.80\"]\n").at(1) ==
        "edge.toml:9:1: unknown key \"zone.balance.server\", did you mean \"servers\"?");
}

TEST_CASE("a section of the wrong kind is told what was expected", "[config][load]") {
  CHECK(problems_of("log = 3\n" + usual_edge) ==
        lines{"edge.toml:1:7: log: expected a table, [log], found the integer 3"});
  CHECK(problems_of(usual_edge + "[zone]\n") ==
        lines{"edge.toml:4:1: zone: expected an array of tables, [[zone]], found a table"});
  CHECK(problems_of("zone = [1]\n" + usual_edge) ==
        lines{"edge.toml:1:9: zone: expected an array of tables, [[zone]], found the integer 1"});
  CHECK(problems_of("[edge]\nlisten = \"192.0.2.53\"\n") ==
        lines{"edge.toml:2:10: edge.listen: expected an array of strings, found the string \"192.0.2.53\""});
  CHECK(problems_of("[edge]\nlisten = [\"192.0.2.53\", 53]\n") ==
        lines{"edge.toml:2:25: edge.listen: expected a string, found the integer 53"});
}

TEST_CASE("what is not TOML is told with its line and column", "[config][load]") {
  const auto one = [](std::string_view text) {
    const lines found = problems_of(text);
    REQUIRE(found.size() == 1);
    return found.front();
  };
  CHECK_THAT(one("[edge]\nlisten = [\n"), Catch::StartsWith("edge.toml:2:12: not TOML: "));
  CHECK_THAT(one("[edge]\nport = \n"), Catch::StartsWith("edge.toml:2:8: not TOML: "));
  CHECK_THAT(one("[edge]\nport = 53\nport = 53\n"), Catch::StartsWith("edge.toml:3:"));
  CHECK_THAT(one("[edge]\n[\nmaps]\n"), Catch::StartsWith("edge.toml:2:2: not TOML: "));
  CHECK_THAT(one("[edge]\nport = \xd0\x87\n"), Catch::StartsWith("edge.toml:2:8: not TOML: "));
  CHECK_THAT(one("[edge]\n\xc3\xa9 = 1\n"), Catch::StartsWith("edge.toml:2:1: not TOML: "));
  CHECK_THAT(one("[edge]\n[edge]\n"), Catch::StartsWith("edge.toml:2:"));
}

TEST_CASE("a file that is not UTF-8 is told so", "[config][load]") {
  const lines found = problems_of("[node]\nid = \"caf\xe9\"\n");
  REQUIRE(found.size() == 1);
  CHECK_THAT(found.front(), Catch::StartsWith("edge.toml:2:") && Catch::Contains("utf-8", Catch::CaseSensitive::No));
}

TEST_CASE("tables nested without end are a problem, not a crash", "[config][load]") {
  std::string dotted;
  for (int i = 0; i < 200'000; ++i) dotted += "a.";
  CHECK(problems_of(dotted + "a = 1\n").size() == 1);
  CHECK(problems_of("[" + dotted + "a]\n").size() == 1);
  CHECK(problems_of("a = " + std::string(200'000, '[') + "\n").size() == 1);
}

TEST_CASE("a file that cannot be read is told why", "[config][load]") {
  const folder place;
  CHECK(problems_of(load(place.path() / "missing.toml")) ==
        lines{"missing.toml: cannot read the file: No such file or directory"});
  std::filesystem::create_directory(place.path() / "folder.toml");
  CHECK(problems_of(load(place.path() / "folder.toml")) == lines{"folder.toml: expected a file, found a directory"});
  CHECK(problems_of(load("/dev/null")) == lines{"null: expected a regular file"});
}

TEST_CASE("a file too large to be a configuration is refused unread", "[config][load]") {
  const folder place;
  const auto path = place.write("edge.toml", "");
  std::filesystem::resize_file(path, (64ull << 20) + 1);
  CHECK(problems_of(load(path)) == lines{"edge.toml: expected a file of at most 64 MiB, found 67108865 octets"});
}

TEST_CASE("of very many problems the first thousand are told, and how many more there are", "[config][load]") {
  std::string text = usual_edge;
  for (int i = 0; i < 1500; ++i) text += "x" + std::to_string(i) + " = 0\n";
  const lines found = problems_of(text);
  REQUIRE(found.size() == 1001);
  CHECK(found.back() == "edge.toml: 500 more problems are not shown");
}

TEST_CASE("the examples of the manual are good configurations", "[config][load]") {
  const auto whole = [](const std::string& file) {
    auto result = load(std::filesystem::path(NEARSIDE_EXAMPLES) / file);
    for (const std::string& line : problems_of(result)) UNSCOPED_INFO(line);
    REQUIRE(std::holds_alternative<loaded>(result));
    return std::get<loaded>(std::move(result));
  };
  const loaded edge = whole("edge.toml");
  CHECK(edge.options.answering.listen.size() == 2);
  CHECK(edge.zones->zones().size() == 2);
  const loaded registered = whole("registered-edge.toml");
  CHECK(registered.options.registration.has_value());
  CHECK(registered.zones->zones().size() == 1);
  const loaded backbone = whole("backbone.toml");
  CHECK(backbone.options.backbone.has_value());
  CHECK(backbone.mapped.size() == 1);
}

}  // namespace nearside::config
