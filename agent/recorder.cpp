// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder.hpp"

#include <spdlog/spdlog.h>

#include "agent/score/recording.hpp"

namespace nearside {

recorder::~recorder() { close(); }

void recorder::open(const std::filesystem::path& file, const std::string& node, const std::string& start_line) {
  std::error_code failed;
  for (int number = 1; std::filesystem::exists(file, failed); ++number) {
    const std::filesystem::path aside = file.string() + "." + std::to_string(number);
    if (!std::filesystem::exists(aside, failed)) std::filesystem::rename(file, aside, failed);
    if (failed) break;
  }
  file_ = file;
  node_ = node;
  began_ = std::chrono::steady_clock::now();
  out_.open(file, std::ios::trunc);
  // As the state file: addresses and what is behind them are not for everybody.
  using std::filesystem::perms;
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write | perms::group_read, failed);
  write(start_line);
  if (out_) spdlog::info("recording file={}", file.string());
}

void recorder::add(const std::string& label, const score::sample& s) {
  if (!out_.is_open()) return;
  const double t = std::chrono::duration<double>(s.at - began_).count();
  // One of a check that was under way when the recording began.
  if (t >= 0) write(score::sample_line(t, node_, label, s));
}

void recorder::close() {
  if (!out_.is_open()) return;
  out_ << score::end_line() << '\n';
  out_.close();
}

void recorder::write(const std::string& line) {
  out_ << line << std::endl;  // a line that is told is a line on disk: whoever reads along sees it at once
  written_ += line.size() + 1;
  if (!out_) {
    spdlog::warn("not recorded any more file={} error=\"it cannot be written\"", file_.string());
    out_.close();
  } else if (written_ > longest) {
    spdlog::warn("recording ended file={} reason=\"it has 4 GiB\"", file_.string());
    close();
  }
}

}  // namespace nearside
