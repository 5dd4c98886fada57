// SPDX-License-Identifier: BSD-2-Clause
// The secret that a backbone node's nonces and tokens are made with: 32 octets in a file that only the agent can read,
// made once, so that what was proved before a restart is proved after it.
#pragma once

#include <filesystem>

#include "agent/base/result.hpp"
#include "agent/mapping/nonce.hpp"

namespace nearside::backbone {

/// Reads the file; where there is none, makes it, of random octets, mode 0600. Errors: denied, invalid (another length:
/// remove the file to begin anew), system; each names the file.
[[nodiscard]] result<mapping::secret_key> secret_from(const std::filesystem::path& file);

}  // namespace nearside::backbone
