// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/problem.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nearside::config {

std::string to_string(const problem& p) {
  std::string text = p.file;
  if (p.line != 0) {
    text += ":" + std::to_string(p.line);
    if (p.column != 0) text += ":" + std::to_string(p.column);
  }
  return text + ": " + p.message;
}

void problem_list::add(place where, std::string message) {
  found_.push_back({file_, where.line, where.column, std::move(message)});
}

std::vector<problem> problem_list::take() {
  std::stable_sort(found_.begin(), found_.end(), [this](const problem& a, const problem& b) {
    const bool a_elsewhere = a.file != file_;
    const bool b_elsewhere = b.file != file_;
    return std::tie(a_elsewhere, a.file, a.line, a.column) < std::tie(b_elsewhere, b.file, b.line, b.column);
  });
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  if (found_.size() > most_told) {
    const std::size_t more = found_.size() - most_told;
    found_.resize(most_told);
    found_.push_back({file_, 0, 0, std::to_string(more) + " more problems are not shown"});
  }
  return std::exchange(found_, {});
}

}  // namespace nearside::config
