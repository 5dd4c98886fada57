// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/running_programs.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace nearside::dataplane {

// MEMBARRIER_CMD_GLOBAL waits for an RCU grace period, and XDP programs run inside one. Kernels with nohz_full CPUs
// refuse it; then a time far above any run's has to do.
void wait_for_running_programs() {
  if (::syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0u, 0) != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace nearside::dataplane
