// SPDX-License-Identifier: BSD-2-Clause
// Runs the live choosing code over recorded samples, line by line: JSON lines in, a line out whenever an answer
// changes. docs/policies.md has the form of both. Pure but for the writer; one thread.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/score/scoreboard.hpp"

namespace nearside::score {

struct replay_settings {
  latency_settings latency;
  health_settings health;
  /// The pool to decide, with its targets, which are found in the recording by their labels; none: policy latency over
  /// all servers of the recording, with its TTL.
  std::optional<pool> by;
  std::vector<target> targets;
  bool why = false;  // adds the trace to each line
};

class replay {
 public:
  /// Called with each line, without its end.
  using writer = std::function<void(const std::string& line)>;

  replay(replay_settings settings, writer out);

  /// Takes one line. False: it was the end. Errors (invalid), without the line's number: no JSON object, a sample
  /// before the start, an unknown server or ISP, time running backwards, ...
  result<bool> feed(std::string_view line);

 private:
  struct edge {
    std::unique_ptr<scoreboard> board;  // made with its first sample
    std::string said[2];                // the last line's content for each family, without its t
  };

  result<void> start(const boost::json::object& line);
  result<void> add(const boost::json::object& line);
  void tell(const std::string& isp, edge& at, instant now, double t);

  replay_settings settings_;
  writer out_;
  std::unordered_map<std::string, std::vector<std::size_t>> targets_of_;  // label -> targets; empty: of no interest
  std::unordered_map<std::string, edge> edges_;                           // by ISP
  bool started_ = false;
  double last_ = 0;
};

}  // namespace nearside::score
