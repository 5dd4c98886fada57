// SPDX-License-Identifier: BSD-2-Clause
// For tests: a certificate authority, and certificates of its, as files in a directory that goes with it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace nearside::tests {

struct certificate_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

class authority {
 public:
  authority();
  ~authority();
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
  /// The CA's own certificate.
  [[nodiscard]] const std::filesystem::path& ca() const noexcept { return ca_; }
  /// For these subject alternative names, as OpenSSL writes them: "DNS:e17.ns.lb.example.com,IP:192.0.2.1"; good for
  /// the next `seconds` (negative: already over), for clients and servers.
  [[nodiscard]] certificate_files issue(const std::string& names, long seconds = 86400) const;

 private:
  struct made;
  std::filesystem::path directory_;
  std::filesystem::path ca_;
  std::unique_ptr<made> made_;
};

}  // namespace nearside::tests
