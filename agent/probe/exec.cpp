// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/exec.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "agent/probe/child.hpp"

namespace nearside::probe {
namespace asio = boost::asio;

namespace {

constexpr double longest_ms = 3'600'000;

}  // namespace

std::vector<std::string> filled_in(const std::vector<std::string>& command, const config::probe_target& target,
                                   std::string_view server) {
  const std::array<std::pair<std::string_view, std::string>, 3> places{{
      {"{address}", target.address.to_string()},
      {"{port}", std::to_string(target.port)},
      {"{server}", std::string(server)},
  }};
  std::vector<std::string> words;
  for (const std::string& word : command) {
    std::string filled;
    for (std::size_t at = 0; at < word.size();) {
      const auto* place = places.begin();
      while (place != places.end() && word.compare(at, place->first.size(), place->first) != 0) ++place;
      if (place == places.end()) {
        filled += word[at++];
      } else {
        filled += place->second;
        at += place->first.size();
      }
    }
    words.push_back(std::move(filled));
  }
  return words;
}

std::optional<score::duration> stated_rtt(std::string_view output) {
  constexpr std::string_view key = "rtt=";
  while (!output.empty()) {
    const auto line = output.substr(0, output.find('\n'));
    output.remove_prefix(std::min(line.size() + 1, output.size()));
    if (!line.starts_with(key)) continue;
    double ms = -1;
    const auto [end, failed] = std::from_chars(line.data() + key.size(), line.data() + line.size(), ms);
    const std::string_view rest(end, static_cast<std::size_t>(line.data() + line.size() - end));
    if (failed != std::errc() || !(ms >= 0 && ms <= longest_ms) || (!rest.empty() && rest != "\r")) return std::nullopt;
    return std::chrono::duration_cast<score::duration>(std::chrono::duration<double, std::milli>(ms));
  }
  return std::nullopt;
}

asio::awaitable<std::optional<trouble>> check_exec(attempt& now, const prepared_check& check,
                                                   const config::probe_target& target, std::string server) {
  auto started = child::start(now.executor(), filled_in(check.asked.command, target, server));
  if (!started) co_return trouble{cause::local, started.error().message, started.error().kind};
  child running = std::move(*started);
  auto kill = [&running] { running.kill(); };
  now.step("run", std::move(kill));
  const auto report = co_await running.ended();
  if (!report) co_return now.late();
  now.found.first_byte = stated_rtt(running.output()).value_or(now.elapsed());
  if (report->signal != 0) co_return trouble{cause::answer, "killed by signal " + std::to_string(report->signal)};
  if (report->status != 0) co_return trouble{cause::answer, "exit status " + std::to_string(report->status)};
  co_return std::nullopt;
}

}  // namespace nearside::probe
