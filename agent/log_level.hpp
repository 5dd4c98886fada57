// SPDX-License-Identifier: BSD-2-Clause
// The configured log level in the logger's words. Used where logging is set up (main) and changed (reload).
#pragma once

#include <spdlog/common.h>

#include "agent/config/settings.hpp"

namespace nearside {

[[nodiscard]] constexpr spdlog::level::level_enum spdlog_level(config::log_level level) noexcept {
  switch (level) {
    case config::log_level::error: return spdlog::level::err;
    case config::log_level::warn: return spdlog::level::warn;
    case config::log_level::debug: return spdlog::level::debug;
    case config::log_level::info: break;
  }
  return spdlog::level::info;
}

}  // namespace nearside
