// SPDX-License-Identifier: BSD-2-Clause
// What the program costs the verifier: printed, and bounded, so that a change that makes it explode fails here and not
// on another kernel.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <catch2/catch.hpp>

#include "tests/bpf/program.hpp"

namespace nearside::tests {

// Read off the program as it is (kernel 6.18); raise it by hand, knowing why. 41,800 before an image could lead on to
// another alternative, the client's network could draw, and answers could be given past the lease; 44,300 before the
// site of a client was looked up, which costs 7,600; copying large images by chunks saves 4,000.
constexpr std::uint32_t VERIFIED_INSTRUCTIONS = 48200;

TEST_CASE("the verifier goes through no more instructions than before, give or take ten percent", "[bpf][verifier]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  bpf_prog_info info{};
  std::uint32_t size = sizeof(info);
  REQUIRE(bpf_obj_get_info_by_fd(p.tables().program(), &info, &size) == 0);
  WARN("verified instructions: " << info.verified_insns << ", jited octets: " << info.jited_prog_len);
  CHECK(info.verified_insns < VERIFIED_INSTRUCTIONS + VERIFIED_INSTRUCTIONS / 10);
  CHECK(info.verified_insns < 100000);
}

}  // namespace nearside::tests
