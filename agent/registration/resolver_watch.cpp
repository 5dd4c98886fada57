// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/resolver_watch.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"

namespace nearside::registration {
namespace asio = boost::asio;
namespace fs = std::filesystem;
using boost::system::error_code;
using mapping::found_resolvers;
using mapping::resolver;

namespace {

constexpr std::size_t most_files = 64;  // of a directory of leases
constexpr std::size_t most_links = 8;   // symbolic links that are followed, one after the other

constexpr std::uint32_t in_directory = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                                       IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t of_file = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

/// The last octets of a regular file; nothing: there is none, with a note where that is not for its absence.
std::optional<std::string> end_of(const fs::path& file, std::vector<std::string>& notes) {
  const auto unreadable = [&](const std::string& why) -> std::optional<std::string> {
    notes.push_back(file.string() + ": " + why);
    return std::nullopt;
  };
  // A FIFO under that name must not stop us.
  const unique_fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!opened) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return unreadable(std::strerror(errno));
  }
  struct stat about {};
  if (::fstat(opened.get(), &about) != 0) return unreadable(std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return unreadable("not a file");
  const auto most = static_cast<off_t>(mapping::most_resolver_file);
  if (about.st_size > most && ::lseek(opened.get(), about.st_size - most, SEEK_SET) < 0)
    return unreadable(std::strerror(errno));
  std::string text;
  std::array<char, 16384> part;  // NOLINT(*-member-init): filled by each read
  while (text.size() < mapping::most_resolver_file) {
    const auto got = ::read(opened.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(std::strerror(errno));
    if (got == 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void take_notes(const fs::path& file, found_resolvers& found, std::vector<std::string>& notes) {
  for (std::string& one : found.notes) notes.push_back(file.string() + ": " + std::move(one));
  found.notes.clear();
}

std::vector<fs::path> files_of(const lease_files& where) {
  std::vector<fs::path> files;
  error_code failed;
  for (fs::directory_iterator at(where.directory, failed), end; !failed && at != end && files.size() < most_files;
       at.increment(failed)) {
    if (at->path().native().ends_with(where.ending)) files.push_back(at->path());
  }
  std::ranges::sort(files);
  return files;
}

found_resolvers parse(lease_format format, std::string_view text) {
  switch (format) {
    case lease_format::dhclient: return mapping::parse_dhclient_leases(text, std::chrono::system_clock::now());
    case lease_format::dhcpcd: return mapping::parse_dhcpcd_lease(text);
    case lease_format::dhcpcd6: return mapping::parse_dhcpcd_lease6(text);
    case lease_format::networkd: break;
  }
  return mapping::parse_networkd_lease(text);
}

found_resolvers read_one(const fs::path& file, std::vector<std::string>& notes) {
  found_resolvers found;
  if (file.empty()) return found;
  if (const auto text = end_of(file, notes)) found = mapping::parse_resolv_conf(*text);
  take_notes(file, found, notes);
  return found;
}

}  // namespace

std::vector<lease_files> resolver_sources::usual_leases() {
  return {{"/var/lib/dhcp", ".leases", lease_format::dhclient},
          {"/var/lib/dhcpcd", ".lease", lease_format::dhcpcd},
          {"/var/lib/dhcpcd", ".lease6", lease_format::dhcpcd6},
          {"/run/systemd/netif/leases", "", lease_format::networkd},
          {"/var/lib/NetworkManager", ".lease", lease_format::networkd}};
}

std::vector<resolver> read_resolvers(const resolver_sources& from, std::vector<std::string>& notes) {
  if (!from.fixed.empty()) return from.fixed;
  mapping::resolver_files files;
  files.resolv_conf = read_one(from.resolv_conf, notes);
  files.systemd_resolved = read_one(from.systemd_resolved, notes);
  for (const lease_files& where : from.leases) {
    for (const fs::path& file : files_of(where)) {
      const auto text = end_of(file, notes);
      if (!text) continue;
      found_resolvers found = parse(where.format, *text);
      take_notes(file, found, notes);
      mapping::merge(files.dhcp, found);
    }
  }
  auto chosen = mapping::choose_resolvers(files);
  for (resolver& one : chosen) one.port = from.port;
  return chosen;
}

struct resolver_watch::state : std::enable_shared_from_this<resolver_watch::state> {
  using clock = std::chrono::steady_clock;

  state(const asio::any_io_executor& executor, resolver_sources from, told changed)
      : sources(std::move(from)), tell(std::move(changed)), events(executor), timer(executor) {}

  /// Names of a watched directory that are of interest.
  struct watched {
    bool all = false;
    std::set<std::string> names;
  };

  void open() {
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
      trouble = system_error(errno, "inotify").message;
      return;
    }
    events.assign(fd);
    wait_for_events();
  }

  void wait_for_events() {
    events.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const error_code& failed) {
      if (failed || self->stopped) return;
      self->take_events();
      self->wait_for_events();
    });
  }

  void take_events() {
    alignas(inotify_event) std::array<char, 16384> octets;  // NOLINT(*-member-init): filled by each read
    for (;;) {
      const auto got = ::read(events.native_handle(), octets.data(), octets.size());
      if (got <= 0) return;
      for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
        inotify_event event{};
        std::memcpy(&event, octets.data() + at, sizeof event);
        const std::string name(octets.data() + at + sizeof event,
                               ::strnlen(octets.data() + at + sizeof event, event.len));
        at += sizeof event + event.len;
        if (is_of_interest(event, name)) look_soon();
      }
    }
  }

  [[nodiscard]] bool is_of_interest(const inotify_event& event, const std::string& name) const {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
    if ((event.mask & IN_IGNORED) != 0) return false;
    const auto at = watches.find(event.wd);
    return at != watches.end() && (name.empty() || at->second.all || at->second.names.contains(name));
  }

  /// Something has changed.
  void look_soon() {
    const auto now = clock::now();
    if (!changed_since) changed_since = now;
    look_at(std::min(now + settle, *changed_since + settle_at_most));
  }

  void look_at(clock::time_point when) {
    timer.expires_at(when);
    timer.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled && !self->stopped) self->look();
    });
  }

  void look() {
    changed_since.reset();
    // Watched before it is read: what changes from now on is seen.
    watch_all();
    std::vector<std::string> notes;
    auto found = read_resolvers(sources, notes);
    const auto now = clock::now();
    look_at(now + (trouble.empty() ? look_anyway : look_unwatched));
    if (!found.empty()) empty_since.reset();
    if (known && found == *known) return;
    if (found.empty() && known) {
      if (!empty_since) empty_since = now;
      if (now - *empty_since < empty_counts_after) return look_at(*empty_since + empty_counts_after);
    }
    known = std::move(found);
    // A copy: who is told may stop us.
    const auto list = *known;
    tell(list, notes);
  }

  void watch_all() {
    if (!events.is_open()) return;
    trouble.clear();
    std::map<int, watched> before;
    before.swap(watches);
    follow(sources.resolv_conf);
    follow(sources.systemd_resolved);
    for (const lease_files& where : sources.leases) {
      // The directory, and that it comes to be.
      watch_directory(where.directory, "");
      watch_name(where.directory.parent_path(), where.directory.filename().string());
    }
    for (const auto& [number, unused] : before)
      if (!watches.contains(number)) ::inotify_rm_watch(events.native_handle(), number);
  }

  /// A file, and all links that lead to it.
  void follow(fs::path file) {
    for (std::size_t links = 0; !file.empty() && links <= most_links; ++links) {
      watch_name(file.parent_path(), file.filename().string());
      error_code failed;
      const auto target = fs::read_symlink(file, failed);
      if (failed) {
        // Also by itself: where another file system is mounted over it, its directory tells nothing.
        add(file, of_file);
        return;
      }
      file = (file.parent_path() / target).lexically_normal();
    }
  }

  /// This name in that directory; where the directory is not there, that it comes to be.
  void watch_name(fs::path directory, std::string name) {
    while (!watch_directory(directory, name)) {
      if (!directory.has_relative_path()) return;
      name = directory.filename().string();
      directory = directory.parent_path();
    }
  }

  /// False: it is not there. An empty name stands for all.
  bool watch_directory(const fs::path& directory, const std::string& name) {
    const auto number = add(directory, in_directory | IN_ONLYDIR);
    if (!number || *number < 0) return number.has_value();
    watched& one = watches[*number];
    if (name.empty())
      one.all = true;
    else
      one.names.insert(name);
    return true;
  }

  /// inotify's number; below 0: it cannot be watched; nothing: it is not there.
  std::optional<int> add(const fs::path& path, std::uint32_t mask) {
    const int number = ::inotify_add_watch(events.native_handle(), path.c_str(), mask | IN_MASK_ADD);
    if (number < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    if (number < 0) trouble = system_error(errno, "inotify: " + path.string()).message;
    if (number >= 0) watches[number];
    return number;
  }

  resolver_sources sources;
  told tell;
  asio::posix::stream_descriptor events;
  asio::steady_timer timer;
  std::map<int, watched> watches;  // by inotify's number
  std::string trouble;
  std::optional<std::vector<resolver>> known;
  std::optional<clock::time_point> changed_since;
  std::optional<clock::time_point> empty_since;
  bool stopped = false;
};

resolver_watch::resolver_watch(asio::any_io_executor executor, resolver_sources sources, told changed)
    : state_(std::make_shared<state>(std::move(executor), std::move(sources), std::move(changed))) {}

resolver_watch::~resolver_watch() { stop(); }

void resolver_watch::start() {
  if (!state_->sources.fixed.empty()) {
    const auto list = state_->sources.fixed;
    state_->tell(list, {});
    return;
  }
  state_->open();
  state_->look();
}

void resolver_watch::stop() {
  state_->stopped = true;
  state_->timer.cancel();
  error_code ignored;
  state_->events.close(ignored);
}

const std::string& resolver_watch::trouble() const noexcept { return state_->trouble; }

}  // namespace nearside::registration
