// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/store.hpp"

#include <lmdb.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

namespace nearside::backbone {
namespace fs = std::filesystem;
using mapping::edge_record;
using mapping::instant;

namespace {

// The value of this key tells what the other values look like. No edge's name begins with a zero octet.
constexpr std::string_view format_key{"\0format", 7};
constexpr std::string_view format = "1";
constexpr mdb_mode_t file_mode = 0640;
// LMDB's bound for keys, as Debian builds it.
constexpr std::size_t longest_key = 511;
// A process that dies over reading the file so many times in a row shall not die of it again.
constexpr int most_failed_loads = 2;
constexpr std::size_t expiry_octets = 8;

/// A value is the end of the lease, in seconds since 1970 (eight octets, the highest first), then the record's JSON: so
/// a record whose time is up is known without being parsed.
std::string value_of(const edge_record& record) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(record.expires.time_since_epoch()).count();
  std::string made(expiry_octets, '\0');
  for (std::size_t i = 0; i < expiry_octets; ++i)
    made[i] = static_cast<char>(static_cast<std::uint64_t>(seconds) >> (8 * (expiry_octets - 1 - i)));
  return made += mapping::to_json(record);
}

std::optional<instant> expiry_of(std::string_view value) {
  if (value.size() <= expiry_octets) return std::nullopt;
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < expiry_octets; ++i) seconds = seconds << 8U | static_cast<std::uint8_t>(value[i]);
  constexpr std::uint64_t year_9999 = 253'402'300'799;
  if (seconds > year_9999) return std::nullopt;
  // Rounded down when it was written: a lease of the same second has not ended.
  return instant(std::chrono::seconds(seconds + 1));
}

std::string_view text_of(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }
MDB_val value_in(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

bool is_broken(int code) {
  return code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_VERSION_MISMATCH || code == MDB_PAGE_NOTFOUND ||
         code == MDB_PANIC || code == MDB_INCOMPATIBLE || code == MDB_BAD_VALSIZE;
}

error failure_of(int code, const std::string& doing) {
  if (code == MDB_MAP_FULL) return {errc::exhausted, doing + ": it is full (4 GiB, unless it was made smaller)"};
  if (is_broken(code)) return {errc::invalid, doing + ": " + mdb_strerror(code)};
  return code > 0 ? system_error(code, doing) : error{errc::system, doing + ": " + mdb_strerror(code)};
}

struct abort_transaction {
  void operator()(MDB_txn* open) const noexcept { mdb_txn_abort(open); }
};
using transaction = std::unique_ptr<MDB_txn, abort_transaction>;

struct close_cursor {
  void operator()(MDB_cursor* open) const noexcept { mdb_cursor_close(open); }
};
using cursor = std::unique_ptr<MDB_cursor, close_cursor>;

}  // namespace

struct store::environment {
  explicit environment(const fs::path& file) : doing("store " + file.string()) {}
  ~environment() {
    if (env != nullptr) mdb_env_close(env);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  [[nodiscard]] result<transaction> begin(bool writes) const {
    MDB_txn* opened = nullptr;
    if (const int code = mdb_txn_begin(env, nullptr, writes ? 0 : MDB_RDONLY, &opened); code != 0)
      return failure_of(code, doing);
    return transaction(opened);
  }
  [[nodiscard]] result<cursor> walk(const transaction& in) const {
    MDB_cursor* opened = nullptr;
    if (const int code = mdb_cursor_open(in.get(), records, &opened); code != 0) return failure_of(code, doing);
    return cursor(opened);
  }
  [[nodiscard]] result<void> commit(transaction done) const {
    if (const int code = mdb_txn_commit(done.release()); code != 0) return failure_of(code, doing);
    return {};
  }

  std::string doing;
  MDB_env* env = nullptr;
  MDB_dbi records = 0;
};

store::store(boost::asio::any_io_executor executor, store_settings settings)
    : executor_(std::move(executor)), settings_(std::move(settings)) {}

result<std::unique_ptr<store>> store::open(boost::asio::any_io_executor executor, const store_settings& settings) {
  std::unique_ptr<store> made(new store(std::move(executor), settings));
  const fs::path attempts = settings.file.string() + ".loading";
  int failed_loads = 0;
  std::ifstream(attempts) >> failed_loads;
  if (failed_loads >= most_failed_loads)
    if (auto moved = made->move_away("the process has died while reading it"); !moved) return moved.error();
  if (auto opened = made->open_file(); !opened) {
    if (opened.error().kind != errc::invalid) return opened.error();
    if (auto moved = made->move_away(opened.error().message); !moved) return moved.error();
    if (auto again = made->open_file(); !again) return again.error();
  }
  made->writer_ = std::thread([raw = made.get()] { raw->run(); });
  return made;
}

store::~store() {
  {
    const std::scoped_lock held(lock_);
    stop_ = true;
  }
  wake_.notify_all();
  if (writer_.joinable()) writer_.join();
}

result<void> store::open_file() {
  auto file = std::make_unique<environment>(settings_.file);
  std::error_code failed;
  fs::create_directories(settings_.file.parent_path(), failed);
  if (failed) return system_error(failed.value(), file->doing);
  if (const int code = mdb_env_create(&file->env); code != 0) return failure_of(code, file->doing);
  if (const int code = mdb_env_set_mapsize(file->env, settings_.most_octets); code != 0)
    return failure_of(code, file->doing);
  if (const int code = mdb_env_open(file->env, settings_.file.c_str(), MDB_NOSUBDIR | MDB_NORDAHEAD, file_mode);
      code != 0)
    return failure_of(code, file->doing);

  // A file that was cut short is mapped all the same, and touching what is missing would end the process. Zeros do not.
  MDB_envinfo info{};
  MDB_stat pages{};
  mdb_env_info(file->env, &info);
  mdb_env_stat(file->env, &pages);
  const auto needed = static_cast<off_t>((info.me_last_pgno + 1) * pages.ms_psize);
  struct stat about {};
  mdb_filehandle_t handle = -1;
  mdb_env_get_fd(file->env, &handle);
  if (::fstat(handle, &about) == 0 && about.st_size < needed && ::ftruncate(handle, needed) != 0)
    return system_error(errno, file->doing);

  auto begun = file->begin(true);
  if (!begun) return begun.error();
  if (const int code = mdb_dbi_open(begun->get(), nullptr, 0, &file->records); code != 0)
    return failure_of(code, file->doing);
  MDB_val key = value_in(format_key);
  MDB_val found{};
  const int known = mdb_get(begun->get(), file->records, &key, &found);
  if (known == 0 && text_of(found) != format) return error{errc::invalid, file->doing + ": written by another version"};
  if (known != 0 && known != MDB_NOTFOUND) return failure_of(known, file->doing);
  if (known == MDB_NOTFOUND) {
    MDB_val value = value_in(format);
    if (const int code = mdb_put(begun->get(), file->records, &key, &value, 0); code != 0)
      return failure_of(code, file->doing);
    if (auto done = file->commit(std::move(*begun)); !done) return done;
  }
  file_ = std::move(file);
  return {};
}

result<void> store::move_away(const std::string& why) {
  file_.reset();
  const std::string file = settings_.file.string();
  std::error_code failed;
  fs::rename(file, file + ".bad", failed);
  if (failed && failed != std::errc::no_such_file_or_directory)
    return system_error(failed.value(), "store " + file + ": move to " + file + ".bad");
  fs::remove(file + "-lock", failed);
  fs::remove(file + ".loading", failed);
  spdlog::error("store begun anew file={} kept={}.bad reason=\"{}\"", file, file, why);
  return {};
}

result<store::loaded> store::load(instant now, const std::function<void(edge_record&&)>& visit) {
  const std::scoped_lock held(lock_);
  const fs::path attempts = settings_.file.string() + ".loading";
  int failed_loads = 0;
  std::ifstream(attempts) >> failed_loads;
  std::ofstream(attempts) << failed_loads + 1 << '\n';

  loaded found;
  const auto read_all = [&]() -> result<void> {
    auto begun = file_->begin(false);
    if (!begun) return begun.error();
    auto walk = file_->walk(*begun);
    if (!walk) return walk.error();
    MDB_val key{};
    MDB_val value{};
    int code = 0;
    while ((code = mdb_cursor_get(walk->get(), &key, &value, MDB_NEXT)) == 0) {
      const std::string_view name = text_of(key);
      const std::string_view octets = text_of(value);
      if (name == format_key) continue;
      const auto expiry = expiry_of(octets);
      if (expiry && *expiry <= now) {
        ++found.expired;
        continue;
      }
      auto record = expiry ? mapping::parse_record(octets.substr(expiry_octets))
                           : result<edge_record>(error{errc::invalid, "no end of lease"});
      if (!record || record->edge != name) {
        ++found.unreadable;
        continue;
      }
      ++found.records;
      visit(std::move(*record));
    }
    if (code != MDB_NOTFOUND) return failure_of(code, file_->doing);
    return {};
  };
  const auto done = read_all();
  std::error_code ignored;
  fs::remove(attempts, ignored);
  if (found.unreadable > 0)
    spdlog::error("store file={} unreadable_records={}: they are left out", settings_.file.string(), found.unreadable);
  if (!done) {
    if (done.error().kind != errc::invalid) return done.error();
    if (auto moved = move_away(done.error().message); !moved) return moved.error();
    if (auto again = open_file(); !again) return again.error();
  }
  figures_.records = found.records;
  return found;
}

void store::put(const edge_record& record) {
  if (record.edge.empty() || record.edge.size() > longest_key) return;
  {
    const std::scoped_lock held(lock_);
    waiting_.insert_or_assign(record.edge, record);
  }
  wake_.notify_one();
}

store::figures store::count() const {
  const std::scoped_lock held(lock_);
  auto now = figures_;
  now.waiting = waiting_.size();
  return now;
}

// ---- the writing thread ----

result<void> store::write(const batch& records) {
  auto begun = file_->begin(true);
  if (!begun) return begun.error();
  for (const auto& [name, record] : records) {
    const std::string octets = value_of(record);
    MDB_val key = value_in(name);
    MDB_val value = value_in(octets);
    if (const int code = mdb_put(begun->get(), file_->records, &key, &value, 0); code != 0)
      return failure_of(code, file_->doing);
  }
  return file_->commit(std::move(*begun));
}

result<std::uint64_t> store::sweep(instant now) {
  auto begun = file_->begin(true);
  if (!begun) return begun.error();
  auto walk = file_->walk(*begun);
  if (!walk) return walk.error();
  std::uint64_t swept = 0;
  MDB_val key{};
  MDB_val value{};
  int code = 0;
  while ((code = mdb_cursor_get(walk->get(), &key, &value, MDB_NEXT)) == 0) {
    if (text_of(key) == format_key) continue;
    if (const auto expiry = expiry_of(text_of(value)); expiry && *expiry > now) continue;
    if (code = mdb_cursor_del(walk->get(), 0); code != 0) break;
    ++swept;
  }
  if (code != MDB_NOTFOUND) return failure_of(code, file_->doing);
  walk->reset();
  if (auto done = file_->commit(std::move(*begun)); !done) return done.error();
  return swept;
}

void store::tell(const error& why) {
  if (const auto untold = error_lines_.tell(log_limit::clock::now()))
    boost::asio::post(executor_, [text = why.message, untold = *untold] {
      spdlog::error("records not written error=\"{}\" untold={}: they wait, and a restart would not find them", text,
                    untold);
    });
}

void store::keep_writing(std::unique_lock<std::mutex>& held) {
  batch now = std::exchange(waiting_, {});
  held.unlock();
  const auto done = write(now);
  MDB_stat pages{};
  MDB_envinfo info{};
  mdb_env_stat(file_->env, &pages);
  mdb_env_info(file_->env, &info);
  if (!done) tell(done.error());
  held.lock();
  if (done) {
    figures_.written += now.size();
    ++figures_.transactions;
    figures_.last_error.clear();
  } else {
    ++figures_.failed;
    figures_.last_error = done.error().message;
    // What was put meanwhile is newer.
    waiting_.merge(now);
  }
  figures_.records = pages.ms_entries > 0 ? pages.ms_entries - 1 : 0;
  figures_.octets = (info.me_last_pgno + 1) * pages.ms_psize;
}

void store::run() {
  using clock = std::chrono::steady_clock;
  std::unique_lock held(lock_);
  auto next_sweep = clock::now() + settings_.sweep;
  while (!stop_) {
    wake_.wait_until(held, next_sweep, [this] { return stop_ || !waiting_.empty(); });
    if (!waiting_.empty()) {
      const auto pause = figures_.last_error.empty() ? settings_.batch : settings_.retry;
      wake_.wait_for(held, pause, [this] { return stop_; });
      keep_writing(held);
    }
    if (stop_ || clock::now() < next_sweep) continue;
    held.unlock();
    const auto swept = sweep(std::chrono::system_clock::now());
    if (!swept) tell(swept.error());
    held.lock();
    if (swept) figures_.swept += *swept;
    next_sweep = clock::now() + settings_.sweep;
  }
  if (!waiting_.empty()) keep_writing(held);
}

}  // namespace nearside::backbone
