// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/asker.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace nearside::admin {
namespace {

boost::json::object object_of(const char* text) { return boost::json::parse(text).as_object(); }

}  // namespace

TEST_CASE("who asks is told by addresses and a prefix", "[admin][asker]") {
  const auto who =
      parse_asker(object_of(R"({"resolver":"198.51.100.53","destination":"2001:db8::1","client":"203.0.113.0/24"})"));
  REQUIRE(who.has_value());
  CHECK(who->resolver == boost::asio::ip::make_address("198.51.100.53"));
  CHECK(who->destination == boost::asio::ip::make_address("2001:db8::1"));
  CHECK(mapping::text_of(*who->client) == "203.0.113.0/24");
  const auto nobody = parse_asker({});
  REQUIRE(nobody.has_value());
  CHECK(nobody->resolver.is_unspecified());
  CHECK_FALSE(nobody->client);
}

TEST_CASE("what makes no sense about who asks is named", "[admin][asker]") {
  for (const auto& [text, word] :
       std::vector<std::pair<const char*, std::string>>{{R"({"resolver":"example"})", "resolver"},
                                                        {R"({"resolver":7})", "resolver"},
                                                        {R"({"destination":"192.0.2.0/24"})", "destination"},
                                                        {R"({"client":"192.0.2.1/24"})", "client"}}) {
    CAPTURE(text);
    const auto who = parse_asker(object_of(text));
    REQUIRE_FALSE(who.has_value());
    CHECK(who.error().kind == errc::invalid);
    CHECK(who.error().message.find('"' + word + '"') != std::string::npos);
  }
}

}  // namespace nearside::admin
