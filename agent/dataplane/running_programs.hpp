// SPDX-License-Identifier: BSD-2-Clause
// The wait between taking something away from the program and using its place again. For the publisher, on its thread.
#pragma once

namespace nearside::dataplane {

/// Returns when every run of the program that began before has ended. Blocks for some milliseconds.
void wait_for_running_programs();

}  // namespace nearside::dataplane
