// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/trouble.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>

namespace nearside::probe {

trouble local_fault(int number, std::string_view doing) {
  auto fault = system_error(number, doing);
  return {cause::local, std::move(fault.message), fault.kind};
}

trouble trouble_of(const boost::system::error_code& failed, std::string_view step) {
  if (failed == boost::asio::error::eof) return {cause::broken, "closed: " + std::string(step)};
  if (failed.category() != boost::system::system_category())
    return {cause::local, std::string(step) + ": " + failed.message()};
  switch (failed.value()) {
    case ETIMEDOUT: return {cause::timeout, "timeout: " + std::string(step)};
    case ECONNREFUSED: return {cause::refused, "refused"};
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE: return {cause::broken, "reset"};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
    case EACCES:  // ICMPv6: administratively prohibited
      return {cause::unreachable, "unreachable"};
    default: return local_fault(failed.value(), step);
  }
}

}  // namespace nearside::probe
