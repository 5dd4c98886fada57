// SPDX-License-Identifier: BSD-2-Clause
// Writes samples to the file of record.file, for `nearside replay`. Owned by the balancer; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agent/score/sample.hpp"

namespace nearside {

class recorder {
 public:
  /// A recording ends when it has become this long: some 25 million samples.
  static constexpr std::uintmax_t longest = 4ull << 30;

  recorder() = default;
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Begins with the start line. A file that is there is kept as FILE.1, or by the next number that is free. What
  /// cannot be written is told in the log, once.
  void open(const std::filesystem::path& file, const std::string& node, const std::string& start_line);
  void add(const std::string& label, const score::sample& s);
  /// Writes the end line.
  void close();

 private:
  void write(const std::string& line);

  std::ofstream out_;
  std::filesystem::path file_;
  std::string node_;
  std::chrono::steady_clock::time_point began_;
  std::uintmax_t written_ = 0;
};

}  // namespace nearside
