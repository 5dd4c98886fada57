// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/store.hpp"

#include <lmdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>

using namespace nearside;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using backbone::store;
using mapping::edge_record;
using mapping::instant;

namespace {

const instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

edge_record record_of(int number, std::chrono::seconds left = 300s, std::size_t rows = 1) {
  edge_record made;
  made.edge = "e" + std::to_string(number) + ".ns.lb.example.com.";
  made.sequence = 1000 + static_cast<std::uint64_t>(number);
  made.accepted_by = "b1.ns.lb.example.com.";
  made.registered = now - 10s;
  made.expires = now + left;
  made.addresses = {boost::asio::ip::make_address("192.0.2.17")};
  for (std::size_t i = 0; i < rows; ++i)
    made.egresses.push_back(
        {mapping::prefix_of(boost::asio::ip::address_v4(0xc6336400U + static_cast<unsigned>(i)), 32), 5000us,
         now - 20s});
  return made;
}

struct folder {
  folder() {
    std::string pattern = (fs::temp_directory_path() / "nearside-store-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
    settings.file = path / "edges.mdb";
    settings.batch = 10ms;
    settings.retry = 20ms;
  }
  ~folder() { fs::remove_all(path); }
  [[nodiscard]] std::unique_ptr<store> open() {
    auto opened = store::open(io.get_executor(), settings);
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }
  std::map<std::string, edge_record> all(store& from) {
    std::map<std::string, edge_record> found;
    const auto done = from.load(now, [&](edge_record&& record) { found.emplace(record.edge, std::move(record)); });
    if (!done) FAIL(done.error().message);
    last = *done;
    return found;
  }
  std::map<std::string, edge_record> reopened() {
    const auto opened = open();
    return all(*opened);
  }
  static void wait_for(const store& of, const std::function<bool(const store::figures&)>& what) {
    for (int i = 0; i < 500 && !what(of.count()); ++i) ::usleep(10'000);
    REQUIRE(what(of.count()));
  }
  boost::asio::io_context io;
  fs::path path;
  backbone::store_settings settings;
  store::loaded last;
};

}  // namespace

TEST_CASE("what is put is there after a restart, the newest of each edge", "[backbone][store]") {
  folder in;
  {
    const auto first = in.open();
    CHECK(in.all(*first).empty());
    first->put(record_of(1));
    first->put(record_of(2, 300s, 3));
    auto newer = record_of(1);
    newer.sequence = 2000;
    first->put(newer);
    folder::wait_for(*first, [](const auto& f) { return f.written >= 2 && f.waiting == 0; });
    CHECK(first->count().records == 2);
  }
  const auto found = in.reopened();
  REQUIRE(found.size() == 2);
  CHECK(found.at("e1.ns.lb.example.com.").sequence == 2000);
  CHECK(found.at("e2.ns.lb.example.com.") == record_of(2, 300s, 3));
}

TEST_CASE("what waits is written when the store is closed", "[backbone][store]") {
  folder in;
  in.settings.batch = 10min;
  in.open()->put(record_of(1));
  CHECK(in.reopened().size() == 1);
}

TEST_CASE("records whose lease has ended are not loaded, and are swept away", "[backbone][store]") {
  folder in;
  in.settings.sweep = 1s;
  const auto opened = in.open();
  opened->put(record_of(1));
  opened->put(record_of(2, -5s));
  folder::wait_for(*opened, [](const auto& f) { return f.written == 2; });
  CHECK(in.all(*opened).size() == 1);
  CHECK(in.last.expired == 1);
  folder::wait_for(*opened, [](const auto& f) { return f.swept == 1; });
}

TEST_CASE("a process that is killed loses no more than what waited", "[backbone][store]") {
  folder in;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto opened = in.open();
    opened->put(record_of(1));
    while (opened->count().written == 0) ::usleep(1000);
    opened->put(record_of(2));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  const auto found = in.reopened();
  CHECK(found.contains("e1.ns.lb.example.com."));
  CHECK(found.size() <= 2);
}

TEST_CASE("a file that is none is kept aside and begun anew", "[backbone][store]") {
  folder in;
  std::ofstream(in.settings.file) << std::string(100'000, 'x');
  CHECK(in.reopened().empty());
  CHECK(fs::file_size(in.settings.file.string() + ".bad") == 100'000);
  in.open()->put(record_of(1));
  CHECK(in.reopened().size() == 1);
}

TEST_CASE("a file that was cut short does not end the process", "[backbone][store]") {
  folder in;
  {
    const auto opened = in.open();
    for (int i = 0; i < 2000; ++i) opened->put(record_of(i));
  }
  const auto whole = fs::file_size(in.settings.file);
  REQUIRE(whole > 300'000);
  fs::resize_file(in.settings.file, GENERATE_COPY(whole / 2, std::uintmax_t{16384}, std::uintmax_t{5000}));
  const auto found = in.reopened();
  CHECK(found.size() < 2000);
  in.open()->put(record_of(1));
  CHECK(in.reopened().contains("e1.ns.lb.example.com."));
}

TEST_CASE("a file of another version is kept aside", "[backbone][store]") {
  folder in;
  in.open()->put(record_of(1));
  {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    REQUIRE(mdb_env_create(&env) == 0);
    REQUIRE(mdb_env_open(env, in.settings.file.c_str(), MDB_NOSUBDIR, 0640) == 0);
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    REQUIRE(mdb_dbi_open(txn, nullptr, 0, &dbi) == 0);
    std::string name("\0format", 7);
    std::string other = "2";
    MDB_val key{name.size(), name.data()};
    MDB_val value{other.size(), other.data()};
    REQUIRE(mdb_put(txn, dbi, &key, &value, 0) == 0);
    REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
  }
  CHECK(in.reopened().empty());
  CHECK(fs::exists(in.settings.file.string() + ".bad"));
}

TEST_CASE("a file over which the process has died twice is kept aside", "[backbone][store]") {
  folder in;
  in.open()->put(record_of(1));
  std::ofstream(in.settings.file.string() + ".loading") << 1;
  CHECK(in.reopened().size() == 1);
  CHECK_FALSE(fs::exists(in.settings.file.string() + ".loading"));
  std::ofstream(in.settings.file.string() + ".loading") << 2;
  CHECK(in.reopened().empty());
  CHECK(fs::exists(in.settings.file.string() + ".bad"));
}

TEST_CASE("one record that cannot be read takes no other with it", "[backbone][store]") {
  folder in;
  {
    const auto opened = in.open();
    for (int i = 0; i < 3; ++i) opened->put(record_of(i));
  }
  {
    std::fstream file(in.settings.file, std::ios::in | std::ios::out | std::ios::binary);
    std::string octets(std::istreambuf_iterator<char>(file), {});
    for (auto place = octets.find("e1.ns"); place != std::string::npos; place = octets.find("e1.ns", place + 1))
      octets[place] = 'E';
    file.seekp(0);
    file << octets;
  }
  const auto found = in.reopened();
  CHECK(found.contains("e0.ns.lb.example.com."));
  CHECK(found.contains("e2.ns.lb.example.com."));
  CHECK(found.size() <= 3);
}

TEST_CASE("a full file is told, and what waits is kept until there is room", "[backbone][store]") {
  folder in;
  in.settings.most_octets = 256 << 10;
  const auto opened = in.open();
  for (int i = 0; i < 3000; ++i) opened->put(record_of(i));
  folder::wait_for(*opened, [](const auto& f) { return f.failed > 1; });
  CHECK_THAT(opened->count().last_error, Catch::Matchers::Contains("it is full"));
  CHECK(opened->count().waiting == 3000);
}
