// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/notify.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>

namespace nearside::admin {

// The result is not looked at: a service manager that does not listen is no reason to stop answering.
void notify_ready(const std::string& status) {
  static_cast<void>(::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()));
}

void notify_reloading() {
  // Type=notify-reload wants the time on CLOCK_MONOTONIC beside it, which is what steady_clock is on Linux.
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
  static_cast<void>(::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count())).c_str()));
}

void notify_stopping() { static_cast<void>(::sd_notify(0, "STOPPING=1")); }

}  // namespace nearside::admin
