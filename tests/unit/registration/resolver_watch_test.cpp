// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/resolver_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>

using namespace nearside;
using namespace std::chrono_literals;
using registration::resolver_sources;
using registration::resolver_watch;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

using list = std::vector<std::string>;

/// A directory that stands for the root of a host, and a watch over its files.
struct host {
  host() {
    std::string name = (fs::temp_directory_path() / "nearside-host-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    fs::create_directories(root / "etc");
    fs::create_directories(root / "run");
    sources.resolv_conf = root / "etc/resolv.conf";
    sources.systemd_resolved = root / "run/systemd/resolve/resolv.conf";
    sources.leases = {{root / "var/lib/dhcp", ".leases", registration::lease_format::dhclient},
                      {root / "run/systemd/netif/leases", "", registration::lease_format::networkd}};
  }
  ~host() { fs::remove_all(root); }

  void write(const fs::path& file, const std::string& text) const {
    std::ofstream(root / file, std::ios::trunc) << text;
  }
  void start() {
    auto on_change = [this](const std::vector<mapping::resolver>& found, const std::vector<std::string>& said) {
      list texts;
      for (const auto& one : found) texts.push_back(one.address.to_string());
      told.push_back(texts);
      told_at = std::chrono::steady_clock::now();
      notes = said;
    };
    watch.emplace(io.get_executor(), sources, on_change);
    watch->start();
  }
  /// Waits until something is told; the time it took.
  std::chrono::milliseconds until_told(std::chrono::milliseconds at_most = 10s) {
    const std::size_t before = told.size();
    const auto started = std::chrono::steady_clock::now();
    io.restart();
    while (told.size() == before && std::chrono::steady_clock::now() - started < at_most) io.run_one_for(10ms);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
  }

  fs::path root;
  resolver_sources sources;
  asio::io_context io;
  std::vector<list> told;
  std::chrono::steady_clock::time_point told_at;  // the newest
  std::vector<std::string> notes;
  std::optional<resolver_watch> watch;
};

const std::string first = "nameserver 192.0.2.1\n";
const std::string second = "nameserver 192.0.2.2\n";

}  // namespace

TEST_CASE("what the files say is told at the start", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first + "nameserver nonsense\n");
  one.start();
  CHECK(one.told == std::vector<list>{{"192.0.2.1"}});
  CHECK(one.notes == list{one.sources.resolv_conf.string() + ": line 2: no address: nonsense"});
  CHECK(one.watch->trouble().empty());
}

TEST_CASE("a change of resolv.conf is told within a second", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.start();
  SECTION("written in place") { one.write("etc/resolv.conf", second); }
  SECTION("replaced by rename") {
    one.write("etc/resolv.conf.new", second);
    fs::rename(one.root / "etc/resolv.conf.new", one.root / "etc/resolv.conf");
  }
  SECTION("removed and made anew") {
    fs::remove(one.root / "etc/resolv.conf");
    one.write("etc/resolv.conf", second);
  }
  SECTION("replaced by a symbolic link") {
    one.write("run/resolv.conf", second);
    fs::remove(one.root / "etc/resolv.conf");
    fs::create_symlink("../run/resolv.conf", one.root / "etc/resolv.conf");
  }
  CHECK(one.until_told() < 3s);
  CHECK(one.told == std::vector<list>{{"192.0.2.1"}, {"192.0.2.2"}});
  // And once more: the watch goes over to the new file.
  one.write("etc/resolv.conf", "nameserver 192.0.2.3\n");
  CHECK(one.until_told() < 3s);
  CHECK(one.told.back() == list{"192.0.2.3"});
}

TEST_CASE("what a symbolic link leads to is watched", "[registration][resolver_watch]") {
  host one;
  fs::create_directories(one.root / "run/a");
  one.write("run/a/resolv.conf", first);
  fs::create_symlink("../run/link", one.root / "etc/resolv.conf");
  fs::create_symlink("a/resolv.conf", one.root / "run/link");
  one.start();
  CHECK(one.told == std::vector<list>{{"192.0.2.1"}});
  SECTION("its file is written") { one.write("run/a/resolv.conf", second); }
  SECTION("its file is replaced") {
    one.write("run/a/new", second);
    fs::rename(one.root / "run/a/new", one.root / "run/a/resolv.conf");
  }
  SECTION("a link on the way is swapped") {
    fs::create_directories(one.root / "run/b");
    one.write("run/b/resolv.conf", second);
    fs::create_symlink("b/resolv.conf", one.root / "run/new");
    fs::rename(one.root / "run/new", one.root / "run/link");
  }
  SECTION("the first link is swapped") {
    one.write("run/other", second);
    fs::create_symlink(one.root / "run/other", one.root / "etc/new");
    fs::rename(one.root / "etc/new", one.root / "etc/resolv.conf");
  }
  CHECK(one.until_told() < 3s);
  CHECK(one.told.back() == list{"192.0.2.2"});
}

TEST_CASE("files and directories that are made later are seen", "[registration][resolver_watch]") {
  host one;
  one.start();
  CHECK(one.told == std::vector<list>{{}});
  SECTION("resolv.conf") {
    one.write("etc/resolv.conf", first);
    CHECK(one.until_told() < 3s);
    CHECK(one.told.back() == list{"192.0.2.1"});
  }
  SECTION("systemd-resolved's directories, one after the other") {
    one.write("etc/resolv.conf", "nameserver 127.0.0.53\n");
    fs::create_directory(one.root / "run/systemd");
    one.until_told(300ms);
    fs::create_directory(one.root / "run/systemd/resolve");
    one.until_told(300ms);
    one.write("run/systemd/resolve/resolv.conf", first);
    CHECK(one.until_told() < 3s);
    CHECK(one.told.back() == list{"192.0.2.1"});
  }
  SECTION("directories and a lease at once") {
    fs::create_directories(one.root / "var/lib/dhcp");
    one.write("var/lib/dhcp/dhclient.eth0.leases",
              "lease {\n interface \"eth0\";\n option domain-name-servers 192.0.2.1;\n expire never;\n}\n");
    CHECK(one.until_told() < 3s);
    CHECK(one.told.back() == list{"192.0.2.1"});
  }
  SECTION("a lease of systemd-networkd, and a newer one") {
    fs::create_directories(one.root / "run/systemd/netif/leases");
    one.write("run/systemd/netif/leases/2", "DNS=192.0.2.1\n");
    CHECK(one.until_told() < 3s);
    one.write("run/systemd/netif/leases/2", "DNS=192.0.2.2\n");
    CHECK(one.until_told() < 3s);
    CHECK(one.told.back() == list{"192.0.2.2"});
  }
}

TEST_CASE("what does not change the list is not told", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.start();
  one.write("etc/resolv.conf", "# a comment\n" + first);
  one.write("etc/other", second);
  one.until_told(500ms);
  CHECK(one.told.size() == 1);
}

TEST_CASE("a list that is empty for a moment is not told, one that stays so is", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.start();
  const auto emptied = std::chrono::steady_clock::now();
  one.write("etc/resolv.conf", "");
  one.until_told(300ms);
  SECTION("it is filled again") {
    one.write("etc/resolv.conf", second);
    if (std::chrono::steady_clock::now() - emptied > 1s) return;  // a machine as busy as that shows nothing
    CHECK(one.until_told() < 3s);
    CHECK(one.told == std::vector<list>{{"192.0.2.1"}, {"192.0.2.2"}});
  }
  SECTION("it stays empty") {
    if (one.told.size() == 1) one.until_told();
    CHECK(one.told == std::vector<list>{{"192.0.2.1"}, {}});
    CHECK(one.told_at - emptied >= resolver_watch::empty_counts_after);
  }
}

TEST_CASE("a file that is written without end is told all the same", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.start();
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; one.told.size() == 1 && i < 60; ++i) {
    one.write("etc/resolv.conf", second + "# " + std::to_string(i) + "\n");
    one.until_told(50ms);
  }
  CHECK(std::chrono::steady_clock::now() - started < 3s);
  CHECK(one.told.back() == list{"192.0.2.2"});
}

TEST_CASE("the configuration's list stands before all files", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.sources.fixed = {{asio::ip::make_address("192.0.2.9"), 5353, mapping::resolver_source::configuration}};
  one.start();
  one.write("etc/resolv.conf", second);
  one.until_told(300ms);
  CHECK(one.told == std::vector<list>{{"192.0.2.9"}});
}

TEST_CASE("a file that cannot be read is noted", "[registration][resolver_watch]") {
  host one;
  fs::create_directories(one.root / "etc/resolv.conf");
  one.start();
  CHECK(one.told == std::vector<list>{{}});
  CHECK(one.notes == list{one.sources.resolv_conf.string() + ": not a file"});
}

TEST_CASE("nothing is told after the end", "[registration][resolver_watch]") {
  host one;
  one.write("etc/resolv.conf", first);
  one.start();
  one.write("etc/resolv.conf", second);
  one.io.restart();
  one.io.poll_one();  // the change is seen, and waits for quiet
  one.watch->stop();
  one.until_told(400ms);
  CHECK(one.told.size() == 1);
}
