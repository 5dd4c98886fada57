// SPDX-License-Identifier: BSD-2-Clause
// Keeps the records of edges over a restart, in LMDB: one file, one record a key. What is put is written by a thread of
// its own, all of a tenth of a second in one transaction that is on the disk when it ends: so neither a crash of the
// process nor one of the machine loses more than that, and no sync holds up an answer.
// Owned by the backbone; all but the writing happens on its thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "agent/base/log_limit.hpp"
#include "agent/base/result.hpp"
#include "agent/mapping/record.hpp"

struct MDB_env;

namespace nearside::backbone {

struct store_settings {
  std::filesystem::path file;             // "/var/lib/nearside/edges.mdb"; its lock file stands beside it
  std::size_t most_octets = 4ull << 30U;  // of the file; it grows as it is used
  std::chrono::milliseconds batch{100};   // how long a record may wait for others
  std::chrono::milliseconds retry{1000};  // after a transaction that failed
  std::chrono::seconds sweep{600};        // how often the records of leases that have ended are removed
};

class store {
 public:
  /// Opens or makes the file. One that LMDB cannot read, that another version has written, or over whose reading the
  /// process has died twice, is moved to FILE.bad, told at level error, and begun anew. What cannot be written is told
  /// at level error by way of `executor`, which must outlive this. Errors: denied, busy, exhausted, system; each names
  /// the file.
  [[nodiscard]] static result<std::unique_ptr<store>> open(boost::asio::any_io_executor executor,
                                                           const store_settings& settings);
  /// Writes what waits.
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  struct loaded {
    std::size_t records = 0;
    std::size_t expired = 0;     // not handed out, and removed by the next sweep
    std::size_t unreadable = 0;  // likewise
  };
  /// Hands out all records whose lease has not ended; once, before anything is put. Errors: as of open(), if the file
  /// turns out to be broken after all: it has been moved away then, and what was handed out before is good.
  result<loaded> load(mapping::instant now, const std::function<void(mapping::edge_record&&)>& visit);

  /// To be written soon, in place of what is there for this edge. Nothing waits but the newest of each edge.
  void put(const mapping::edge_record& record);

  struct figures {
    std::uint64_t written = 0;       // records
    std::uint64_t transactions = 0;  // that succeeded
    std::uint64_t failed = 0;        // transactions that did not
    std::uint64_t swept = 0;         // records removed when their lease had ended
    std::size_t waiting = 0;         // records not yet written
    std::size_t records = 0;         // in the file
    std::uint64_t octets = 0;        // of the file in use
    std::string last_error;          // of the newest failed transaction; empty: the newest succeeded
  };
  [[nodiscard]] figures count() const;

 private:
  struct environment;
  using batch = std::unordered_map<std::string, mapping::edge_record>;

  store(boost::asio::any_io_executor executor, store_settings settings);
  result<void> open_file();
  result<void> move_away(const std::string& why);
  result<void> write(const batch& records);
  result<std::uint64_t> sweep(mapping::instant now);
  void run();
  void keep_writing(std::unique_lock<std::mutex>& held);
  void tell(const error& why);

  boost::asio::any_io_executor executor_;
  store_settings settings_;
  std::unique_ptr<environment> file_;

  mutable std::mutex lock_;  // of what follows
  std::condition_variable wake_;
  batch waiting_;
  figures figures_;
  bool stop_ = false;

  log_limit error_lines_{3, std::chrono::seconds(60)};  // the writing thread's
  std::thread writer_;
};

}  // namespace nearside::backbone
