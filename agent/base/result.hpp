// SPDX-License-Identifier: BSD-2-Clause
// Expected failure as a value: result<T> holds a T or an error whose message says what was being done, and to what.
// Header only; used in every room.
#pragma once

#include <boost/system/result.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace nearside {

/// What kind of failure it was; the command line turns it into its exit status (docs/cli.md, cli/exit_status.hpp).
enum class errc {
  invalid,      ///< the input makes no sense
  not_found,    ///< no such interface, name, file
  denied,       ///< a capability or permission is missing
  busy,         ///< somebody else holds it: another XDP program, an agent that runs already
  unsupported,  ///< the kernel or the driver cannot do it
  exhausted,    ///< a documented limit is reached
  failing,      ///< what was asked about does not work: a server that was probed
  system,       ///< anything else that the operating system refused
};

/// A failure: its kind and one sentence for a person,
/// `map answers: update www.example.com./A: No space left on device`.
struct error {
  errc kind = errc::system;
  std::string message;

  friend bool operator==(const error&, const error&) = default;
};

/// Thrown by result<T>::value() on an unexpected failure; caught once, in main.
struct failure : std::exception {
  explicit failure(error e) : cause(std::move(e)) {}
  [[nodiscard]] const char* what() const noexcept override { return cause.message.c_str(); }
  error cause;
};

[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) { throw failure(e); }

template <typename T>
using result = boost::system::result<T, error>;

/// An error from errno, or from a negative libbpf return value: "`doing`: strerror".
inline error system_error(int code, std::string_view doing, errc kind = errc::system) {
  const int number = code < 0 ? -code : code;
  if (kind == errc::system) {
    if (number == EPERM || number == EACCES) kind = errc::denied;
    if (number == ENOSPC || number == E2BIG || number == EMFILE || number == ENFILE) kind = errc::exhausted;
    if (number == EOPNOTSUPP || number == ENOSYS) kind = errc::unsupported;
    if (number == EBUSY || number == EEXIST) kind = errc::busy;
    if (number == ENOENT || number == ENODEV) kind = errc::not_found;
  }
  return {kind, std::string(doing) + ": " + std::strerror(number)};
}

}  // namespace nearside
