// SPDX-License-Identifier: BSD-2-Clause
// Which recursive resolvers this host uses, and when that changes: the files that say so are watched by inotify(7),
// with their directories and all that symbolic links lead over, so that a file that is written, replaced, linked anew,
// or made after its directory is, is seen. Owned by the registration; the executor's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/mapping/resolver_files.hpp"

namespace nearside::registration {

enum class lease_format : std::uint8_t { dhclient, dhcpcd, dhcpcd6, networkd };

/// Files of a directory whose names end so.
struct lease_files {
  std::filesystem::path directory;
  std::string ending;  // "": all
  lease_format format = lease_format::dhclient;
};

/// Where to look; empty paths are not looked at.
struct resolver_sources {
  /// Not empty: these and no others, and nothing is watched.
  std::vector<mapping::resolver> fixed;
  std::filesystem::path resolv_conf = "/etc/resolv.conf";
  std::filesystem::path systemd_resolved = "/run/systemd/resolve/resolv.conf";
  std::vector<lease_files> leases = usual_leases();
  std::uint16_t port = 53;  // of the resolvers that files name, which cannot say it

  [[nodiscard]] static std::vector<lease_files> usual_leases();
};

/// Reads all of it now. Notes of what makes no sense, each with its file, go to `notes`.
[[nodiscard]] std::vector<mapping::resolver> read_resolvers(const resolver_sources& from,
                                                            std::vector<std::string>& notes);

class resolver_watch {
 public:
  /// After a change, so much quiet before the files are read, and no more than the second in all.
  static constexpr std::chrono::milliseconds settle{100};
  static constexpr std::chrono::milliseconds settle_at_most{500};
  /// A list that has become empty must stay so for as long: files are truncated before they are written.
  static constexpr std::chrono::milliseconds empty_counts_after{1000};
  /// All is read again so often even where inotify tells nothing: it sees neither mounts nor other hosts' writes; and
  /// so often where something cannot be watched.
  static constexpr std::chrono::seconds look_anyway{30};
  static constexpr std::chrono::seconds look_unwatched{2};

  using told = std::function<void(const std::vector<mapping::resolver>&, const std::vector<std::string>& notes)>;

  /// `changed` is called from start() with the first list, and then with each other one.
  resolver_watch(boost::asio::any_io_executor executor, resolver_sources sources, told changed);
  ~resolver_watch();
  resolver_watch(const resolver_watch&) = delete;
  resolver_watch& operator=(const resolver_watch&) = delete;

  void start();
  /// Nothing is called after it.
  void stop();
  /// What could not be watched, for people: "inotify: No space left on device"; empty: all is.
  [[nodiscard]] const std::string& trouble() const noexcept;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace nearside::registration
