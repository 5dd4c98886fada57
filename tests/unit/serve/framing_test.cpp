// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/framing.hpp"

#include <catch2/catch.hpp>

using nearside::serve::append_framed;
using nearside::serve::deframer;
using octets = std::vector<std::uint8_t>;

namespace {

octets message(std::size_t length, std::uint8_t fill) { return octets(length, fill); }

octets stream_of(const std::vector<octets>& messages) {
  octets stream;
  for (const auto& one : messages) REQUIRE(append_framed(stream, one));
  return stream;
}

/// Feeds a piece and takes out all that is whole.
void feed(deframer& input, std::span<const std::uint8_t> piece, std::vector<octets>& found) {
  input.feed(piece);
  for (;;) {
    const auto step = input.next();
    if (step.what != deframer::outcome::message) {
      REQUIRE(step.what == deframer::outcome::more);
      return;
    }
    found.emplace_back(step.message.begin(), step.message.end());
  }
}

}  // namespace

TEST_CASE("a stream cut in two anywhere gives the same messages", "[serve][framing]") {
  const std::vector<octets> sent{message(12, 1), message(300, 2), message(13, 3)};
  const octets stream = stream_of(sent);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    deframer input;
    std::vector<octets> found;
    feed(input, std::span(stream).first(cut), found);
    feed(input, std::span(stream).subspan(cut), found);
    CAPTURE(cut);
    CHECK(found == sent);
    CHECK(input.held() == 0);
  }
}

TEST_CASE("a stream cut into pieces of any one size gives the same messages", "[serve][framing]") {
  const std::vector<octets> sent{message(12, 1), message(255, 2), message(256, 3), message(12, 4)};
  const octets stream = stream_of(sent);
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    deframer input;
    std::vector<octets> found;
    for (std::size_t at = 0; at < stream.size(); at += size)
      feed(input, std::span(stream).subspan(at, std::min(size, stream.size() - at)), found);
    CAPTURE(size);
    CHECK(found == sent);
  }
}

TEST_CASE("a message of 65535 octets passes the framing", "[serve][framing]") {
  const std::vector<octets> sent{message(65535, 7), message(12, 8)};
  deframer input;
  std::vector<octets> found;
  feed(input, stream_of(sent), found);
  CHECK(found == sent);
}

TEST_CASE("a message of 65536 octets is not framed", "[serve][framing]") {
  octets output{1, 2, 3};
  CHECK_FALSE(append_framed(output, message(65536, 0)));
  CHECK(output == octets{1, 2, 3});
}

TEST_CASE("a length below 12 octets breaks the stream for good", "[serve][framing]") {
  for (std::uint8_t length = 0; length < 12; ++length) {
    deframer input;
    input.feed(octets{0, length});
    CAPTURE(length);
    CHECK(input.next().what == deframer::outcome::broken);
    input.feed(stream_of({message(12, 1)}));
    CHECK(input.next().what == deframer::outcome::broken);
  }
}

TEST_CASE("what was asked before the stream broke is still taken out", "[serve][framing]") {
  octets stream = stream_of({message(12, 1)});
  stream.insert(stream.end(), {0, 3, 1, 2, 3});
  deframer input;
  input.feed(stream);
  CHECK(input.next().what == deframer::outcome::message);
  CHECK(input.next().what == deframer::outcome::broken);
}

TEST_CASE("the octets of an unfinished message are counted as held", "[serve][framing]") {
  const octets stream = stream_of({message(12, 1), message(20, 2)});
  deframer input;
  std::vector<octets> found;
  feed(input, std::span(stream).first(19), found);
  CHECK(found.size() == 1);
  CHECK(input.held() == 5);
}
