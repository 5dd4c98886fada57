// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/find_host.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/base/deadline.hpp"
#include "agent/base/unique_fd.hpp"

namespace nearside::https {
namespace asio = boost::asio;
using asio::ip::address;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
using found_addresses = result<std::vector<address>>;

std::atomic<int> searches = 0;

/// Shared by who asks and the thread; whichever ends last frees it.
struct search {
  std::string host;
  unique_fd done;  // eventfd
  std::mutex lock;
  std::optional<found_addresses> found;
};

address address_of(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, sizeof v6);
  asio::ip::address_v6::bytes_type octets;
  std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
  return asio::ip::address_v6(octets, v6.sin6_scope_id);
}

found_addresses ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list); failed != 0)
    return error{failed == EAI_NONAME ? errc::not_found : errc::failing, host + ": " + ::gai_strerror(failed)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  std::vector<address> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    const address found = address_of(one->ai_addr);
    if (std::ranges::find(addresses, found) == addresses.end()) addresses.push_back(found);
  }
  if (addresses.empty()) return error{errc::not_found, host + ": no address"};
  return addresses;
}

void run(const std::shared_ptr<search>& work) {
  auto found = ask_system(work->host);
  {
    const std::scoped_lock held(work->lock);
    work->found = std::move(found);
  }
  searches.fetch_sub(1);
  ::eventfd_write(work->done.get(), 1);
}

}  // namespace

asio::awaitable<found_addresses> find_host(std::string host, std::chrono::milliseconds time) {
  boost::system::error_code no_address;
  if (const address literal = asio::ip::make_address(host, no_address); !no_address)
    co_return std::vector<address>{literal};

  if (searches.fetch_add(1) >= most_searches) {
    searches.fetch_sub(1);
    co_return error{errc::busy, host + ": too many searches for addresses are still under way"};
  }
  auto work = std::make_shared<search>();
  work->host = host;
  work->done = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int ours = work->done ? ::fcntl(work->done.get(), F_DUPFD_CLOEXEC, 0) : -1;
  if (ours < 0) {
    searches.fetch_sub(1);
    co_return system_error(errno, host + ": eventfd");
  }
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor done(executor, ours);
  try {
    std::thread(run, work).detach();
  } catch (const std::system_error& failed) {
    searches.fetch_sub(1);
    co_return system_error(failed.code().value(), host + ": thread");
  }
  deadline until(executor);
  until.give_up_by([&done] {
    boost::system::error_code ignored;
    done.cancel(ignored);
  });
  until.within(time);
  const auto [failed] = co_await done.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
  const std::scoped_lock held(work->lock);
  if (work->found) co_return std::move(*work->found);
  co_return error{errc::failing, host + ": " + (until.expired() ? "no address in time" : failed.message())};
}

}  // namespace nearside::https
