// SPDX-License-Identifier: BSD-2-Clause
// Something wrong in the configuration, and where; and the list that the readers collect it in, so that all is told at
// once. Made by load(), on its caller's thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nearside::config {

/// What was expected and what was found at a place of a file. Line and column count from 1; 0: not known, or the file
/// as a whole.
struct problem {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string message;

  friend bool operator==(const problem&, const problem&) = default;
};

/// "file:line:column: message", the parts that are not known left out.
[[nodiscard]] std::string to_string(const problem& p);

/// A place in the configuration file.
struct place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// The problems found so far in the configuration file and in the files that it names.
class problem_list {
 public:
  /// No more than this many are told; a last one says how many more there are.
  static constexpr std::size_t most_told = 1000;

  explicit problem_list(std::string file) : file_(std::move(file)) {}

  /// At a place of the configuration file itself.
  void add(place where, std::string message);
  /// In another file.
  void add(problem found) { found_.push_back(std::move(found)); }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  /// Grows with every problem: compare two values to know whether a step found any.
  [[nodiscard]] std::size_t size() const noexcept { return found_.size(); }
  /// All of them, those of the configuration file first, each file's in the order of its lines, none twice.
  [[nodiscard]] std::vector<problem> take();

 private:
  std::string file_;
  std::vector<problem> found_;
};

}  // namespace nearside::config
