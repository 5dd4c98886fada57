// SPDX-License-Identifier: BSD-2-Clause
// Tells systemd how the agent is, by sd_notify(3). Without systemd ($NOTIFY_SOCKET unset) nothing happens.
#pragma once

#include <string>

namespace nearside::admin {

/// The agent answers; `status` is the line that `systemctl status` shows.
void notify_ready(const std::string& status);
/// A reload begins; it ends with notify_ready().
void notify_reloading();
void notify_stopping();

}  // namespace nearside::admin
