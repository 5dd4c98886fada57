// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/nonce.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

const secret_key master = [] {
  secret_key key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return key;
}();
const secret_key of_e1 = key_of_edge(master, "e1.ns.lb.example.com.");
const secret_key of_e2 = key_of_edge(master, "e2.ns.lb.example.com.");

/// As a resolver that plays with case sends it (0x20).
std::string mixed(std::string text) {
  for (std::size_t i = 0; i < text.size(); i += 2)
    if (text[i] >= 'a' && text[i] <= 'z') text[i] = static_cast<char>(text[i] - ('a' - 'A'));
  return text;
}

std::string forged(std::string text, std::size_t at) {
  text[at] = text[at] == '0' ? '1' : '0';
  return text;
}

TEST_CASE("a nonce's label says which edge made it, and proves it", "[mapping][nonce]") {
  for (const nonce n : {nonce{1, 0}, nonce{131'071, 4'294'967'295}, nonce{4'294'967'295, 1'800'000'000}}) {
    const std::string label = label_of(n, of_e1);
    CHECK(label.size() == 26);
    CHECK(parse_label(label) == n);
    CHECK(verify(label, of_e1));
    CHECK_FALSE(verify(label, of_e2));
  }
}

TEST_CASE("the case of a label does not matter", "[mapping][nonce]") {
  const std::string label = mixed(label_of({17, 171'717}, of_e1));
  CHECK(label != label_of({17, 171'717}, of_e1));
  CHECK(parse_label(label) == nonce{17, 171'717});
  CHECK(verify(label, of_e1));
}

TEST_CASE("the key is of the edge's name, in any case, and of the master secret", "[mapping][nonce]") {
  CHECK(key_of_edge(master, "E1.ns.LB.example.com.") == of_e1);
  CHECK(of_e1 != of_e2);
  secret_key other = master;
  other[31] ^= 1U;
  CHECK(key_of_edge(other, "e1.ns.lb.example.com.") != of_e1);
}

TEST_CASE("a label whose counter or code was changed is nobody's", "[mapping][nonce]") {
  const std::string label = label_of({1, 7}, of_e1);
  // The edge's number is in the first 32 bits and not signed: it is looked up, and the key of whom it names decides.
  for (std::size_t at = 7; at < label.size() - 1; ++at) {
    CAPTURE(at);
    CHECK_FALSE(verify(forged(label, at), of_e1));
  }
  for (const std::string& none :
       {std::string(), label.substr(1), label + "0", std::string(26, 'z'), std::string(26, 'v')}) {
    CAPTURE(none);
    CHECK_FALSE(parse_label(none));
    CHECK_FALSE(verify(none, of_e1));
  }
}

TEST_CASE("a token tells for whom it was made", "[mapping][nonce][token]") {
  const std::string label = label_of({1, 7}, of_e1);
  for (const char* source : {"192.0.2.53", "2001:db8::53"}) {
    const std::string token = token_of(label, at(source), master, when(0));
    CHECK(token.size() == (at(source).is_v4() ? 20 : 39));
    CHECK(source_of(token, label, master, when(0)) == at(source));
    CHECK(source_of(mixed(token), mixed(label), master, when(0)) == at(source));
  }
  CHECK(source_of(token_of(label, at("::ffff:192.0.2.53"), master, when(0)), label, master, when(0)) ==
        at("192.0.2.53"));
}

TEST_CASE("a token is good for its minute and the next", "[mapping][nonce][token]") {
  const std::string label = label_of({1, 7}, of_e1);
  const std::string token = token_of(label, at("192.0.2.53"), master, when(30));
  CHECK(source_of(token, label, master, when(30)));
  CHECK(source_of(token, label, master, when(119)));
  CHECK_FALSE(source_of(token, label, master, when(120)));
  CHECK_FALSE(source_of(token, label, master, when(-1)));
}

TEST_CASE("a token is good for no other label, no other source and no other secret", "[mapping][nonce][token]") {
  const std::string label = label_of({1, 7}, of_e1);
  const std::string token = token_of(label, at("192.0.2.53"), master, when(0));
  CHECK_FALSE(source_of(token, label_of({1, 8}, of_e1), master, when(0)));
  secret_key other = master;
  other[0] ^= 1U;
  CHECK_FALSE(source_of(token, label, other, when(0)));
  // Who puts another source into a token that it got has no longer a good one.
  for (std::size_t place = 0; place < token.size() - 1; ++place) {
    CAPTURE(place);
    CHECK_FALSE(source_of(forged(token, place), label, master, when(0)));
  }
  for (const std::string& none : {std::string(), token + "0", token.substr(2), std::string(64, '0')})
    CHECK_FALSE(source_of(none, label, master, when(0)));
}

}  // namespace
}  // namespace nearside::mapping
