// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/trouble.hpp"

#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace nearside;
using namespace nearside::probe;

namespace {

trouble of(int number) { return trouble_of({number, boost::system::system_category()}, "connect"); }

}  // namespace

TEST_CASE("what the network loses is lost, what the server does wrong is failed, and our own faults count for nothing",
          "[probe][trouble]") {
  CHECK(outcome_of(of(ETIMEDOUT).why) == score::outcome::lost);
  for (const int number : {EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENONET, EACCES})
    CHECK(outcome_of(of(number).why) == score::outcome::lost);
  for (const int number : {ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE})
    CHECK(outcome_of(of(number).why) == score::outcome::failed);
  CHECK(outcome_of(cause::tls) == score::outcome::failed);
  CHECK(outcome_of(cause::answer) == score::outcome::failed);
  for (const int number : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EPERM, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, EAGAIN})
    CHECK_FALSE(outcome_of(of(number).why));
}

TEST_CASE("each trouble has its words", "[probe][trouble]") {
  CHECK(of(ETIMEDOUT).reason == "timeout: connect");
  CHECK(of(EHOSTUNREACH).reason == "unreachable");
  CHECK(of(ECONNREFUSED).reason == "refused");
  CHECK(of(ECONNRESET).reason == "reset");
  CHECK(of(EMFILE).reason == "connect: Too many open files");
  CHECK(of(EMFILE).kind == errc::exhausted);
  CHECK(trouble_of(boost::asio::error::eof, "first byte").reason == "closed: first byte");
}
