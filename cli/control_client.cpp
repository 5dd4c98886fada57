// SPDX-License-Identifier: BSD-2-Clause
#include "cli/control_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <string>

#include "agent/base/errc_text.hpp"
#include "agent/base/unique_fd.hpp"

namespace nearside::cli {
namespace {

// Far more than any answer; a peer that talks without end is not our agent.
constexpr std::size_t longest_answer = std::size_t{16} << 20;

using time_point = std::chrono::steady_clock::time_point;

/// What is left until `end` as the socket's time-out for `option` (SO_RCVTIMEO or SO_SNDTIMEO); false: nothing is left.
bool set_time_out(int socket, int option, time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  const timeval value{static_cast<time_t>(left.count() / 1'000'000),
                      static_cast<suseconds_t>(left.count() % 1'000'000)};
  return ::setsockopt(socket, SOL_SOCKET, option, &value, sizeof value) == 0;
}

result<unique_fd> connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return error{errc::invalid, "control socket " + path.native() + ": the path is longer than 107 octets"};
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_error(errno, "control socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return error{errc::not_found,
                   "nearsided does not run, or listens on another control socket than " + path.native()};
    return system_error(errno, "control socket " + path.native());
  }
  return socket;
}

result<void> send_line(int socket, std::string_view line, time_point end) {
  while (!line.empty()) {
    const bool time_left = set_time_out(socket, SO_SNDTIMEO, end);
    const ssize_t sent = time_left ? ::send(socket, line.data(), line.size(), MSG_NOSIGNAL) : -1;
    if (!time_left || (sent < 0 && errno == EAGAIN))
      return error{errc::system, "nearsided does not take the question in time"};
    if (sent < 0 && errno != EINTR) return system_error(errno, "control socket: send");
    if (sent > 0) line.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

result<std::string> receive_line(int socket, time_point end) {
  std::string line;
  std::array<char, 65536> part{};
  while (line.size() < longest_answer) {
    const bool time_left = set_time_out(socket, SO_RCVTIMEO, end);
    const ssize_t got = time_left ? ::recv(socket, part.data(), part.size(), 0) : -1;
    if (!time_left || (got < 0 && errno == EAGAIN)) return error{errc::system, "nearsided does not answer in time"};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "control socket: receive");
    if (got == 0) return error{errc::system, "nearsided closed the control connection before its answer was complete"};
    const std::string_view text(part.data(), static_cast<std::size_t>(got));
    const std::size_t newline = text.find('\n');
    line += text.substr(0, newline);
    if (newline != std::string_view::npos) return line;
  }
  return error{errc::system, "nearsided's answer is longer than " + std::to_string(longest_answer) + " octets"};
}

}  // namespace

result<boost::json::object> ask_agent(const std::filesystem::path& socket, const boost::json::object& question,
                                      std::chrono::milliseconds deadline) {
  const time_point end = std::chrono::steady_clock::now() + deadline;
  auto connection = connect_to(socket);
  if (!connection) return connection.error();
  if (auto sent = send_line(connection->get(), boost::json::serialize(question) + "\n", end); !sent)
    return sent.error();
  const auto line = receive_line(connection->get(), end);
  if (!line) return line.error();
  boost::system::error_code wrong;
  const boost::json::value answer = boost::json::parse(*line, wrong);
  if (wrong || !answer.is_object()) return error{errc::system, "nearsided's answer is not a JSON object"};
  return answer.get_object();
}

std::optional<error> refusal(const boost::json::object& answer) {
  const auto text = [&](std::string_view key) {
    const auto* found = answer.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  if (!answer.contains("error")) return std::nullopt;
  return error{errc_of(text("kind")), text("error")};
}

boost::json::object agent_json(const result<boost::json::object>& answer) {
  if (!answer) return {{"reachable", false}, {"error", answer.error().message}};
  boost::json::object all{{"reachable", true}};
  for (const auto& [key, value] : *answer) all.insert_or_assign(key, value);
  return all;
}

}  // namespace nearside::cli
