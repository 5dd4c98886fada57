// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/etcd.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <variant>

#include "agent/backbone/etcd_stream.hpp"

namespace nearside::backbone {
namespace asio = boost::asio;
namespace messages = etcd_messages;
using mapping::edge_record;
using std::chrono::milliseconds;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// etcd's own bounds are 128 operations and 1.5 MiB a request.
constexpr std::size_t most_puts = 100;
constexpr std::size_t most_put_octets = 512u << 10U;
constexpr unsigned page_keys = 250;
// A page of the largest records, in base64.
constexpr std::size_t most_answer = 32u << 20U;
// A write that etcd refuses (no space, no permission) is tried again.
constexpr std::chrono::seconds refused_pause{5};

/// What an edge has registered, without when: equal for two messages that say the same.
std::size_t content_of(const edge_record& record) {
  std::size_t made = record.withdrawn ? 1 : 0;
  const auto mix = [&made](std::size_t more) { made = made * 0x9e3779b97f4a7c15U + more + 1; };
  for (const auto& address : record.addresses) mix(std::hash<asio::ip::address>{}(address));
  for (const auto& egress : record.egresses) {
    mix(mapping::prefix_hash{}(egress.who));
    mix(static_cast<std::size_t>(egress.rtt ? egress.rtt->count() : -1));
  }
  return made;
}

}  // namespace

etcd::etcd(const asio::any_io_executor& executor, etcd_settings settings, find_record ours, arrival arrived)
    : executor_(executor),
      settings_(std::move(settings)),
      ours_(std::move(ours)),
      arrived_(std::move(arrived)),
      turn_(executor),
      more_(executor) {}

etcd::figures etcd::count() const {
  auto now = figures_;
  now.waiting = queue_.size();
  return now;
}

milliseconds etcd::jittered(milliseconds time) {
  return time / 2 + milliseconds(random_() % static_cast<std::uint64_t>(std::max<milliseconds::rep>(time.count(), 1)));
}

asio::awaitable<void> etcd::run() {
  asio::steady_timer pause(executor_);
  auto back_off = settings_.least_back_off;
  for (std::size_t tried = 0;; ++tried) {
    const auto& member = settings_.endpoints[tried % settings_.endpoints.size()];
    figures_.endpoint = https::text_of(member);
    const auto sessions = figures_.sessions;
    const auto used = co_await use(member);
    const bool stood = figures_.sessions != sessions;
    figures_.connected = false;
    requests_.reset();
    token_.clear();
    if (!used) figures_.last_error = used.error().message;
    if (stood) {
      back_off = settings_.least_back_off;
      spdlog::warn("etcd left endpoint={} error=\"{}\" waiting={}: records are kept here meanwhile", figures_.endpoint,
                   figures_.last_error, queue_.size());
    } else if (tried % settings_.endpoints.size() == 0) {
      spdlog::warn("etcd not reached endpoint={} error=\"{}\"", figures_.endpoint, figures_.last_error);
    }
    // The next member is tried at once; only a round of all of them is followed by a longer wait.
    const bool round = (tried + 1) % settings_.endpoints.size() == 0;
    pause.expires_after(jittered(round ? back_off : settings_.least_back_off));
    if (round) back_off = std::min(back_off * 2, settings_.most_back_off);
    co_await pause.async_wait(as_result);
  }
}

etcd::answer<void> etcd::use(const https::peer& member) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  requests_ = std::make_unique<https::client>(https::client_settings{.server = member,
                                                                     .connect_timeout = settings_.timeout,
                                                                     .timeout = settings_.timeout,
                                                                     .most_response = most_answer});
  busy_ = false;
  if (auto done = co_await log_in(); !done) co_return done;
  const auto revision = co_await list();
  if (!revision) co_return revision.error();
  const auto ended = co_await (keep_watching(member, *revision + 1) || keep_writing() || keep_pinging());
  co_return std::visit([](const auto& why) -> result<void> { return why; }, ended);
}

// ---- requests ----

etcd::answer<https::response> etcd::send(std::string target, std::string body) {
  while (busy_) {
    turn_.expires_at(clock::time_point::max());
    co_await turn_.async_wait(as_result);
  }
  busy_ = true;
  struct end_of_turn {
    etcd& of;
    ~end_of_turn() {
      of.busy_ = false;
      of.turn_.cancel();
    }
  } const ending{*this};
  https::headers fields;
  if (!token_.empty()) fields.emplace_back("Authorization", token_);
  co_return co_await requests_->request(std::move(target), std::move(body), std::move(fields));
}

etcd::answer<std::string> etcd::ask(std::string target, std::string body) {
  for (bool again = false;; again = true) {
    auto said = co_await send(target, body);
    if (!said) co_return said.error();
    if (said->status == 200) co_return std::move(said->body);
    auto why = messages::parse_failure(said->status, said->body);
    if (why.is_token() && !again && !settings_.user.empty()) {
      if (auto done = co_await log_in(); !done) co_return done.error();
      continue;
    }
    const std::string doing = https::text_of(requests_->settings().server) + ": " + target + ": " + why.text;
    // A member without the cluster, or about to end: another one may do better.
    if (why.code == messages::code_unavailable || said->status >= 502) co_return error{errc::failing, doing};
    refusal_ = std::move(why);
    co_return error{errc::denied, doing};
  }
}

etcd::answer<void> etcd::log_in() {
  token_.clear();
  if (settings_.user.empty()) co_return result<void>{};
  auto said = co_await ask("/v3/auth/authenticate", messages::authenticate(settings_.user, settings_.password));
  if (!said) co_return said.error();
  auto token = messages::parse_token(*said);
  if (!token) co_return token.error();
  token_ = std::move(*token);
  co_return result<void>{};
}

// ---- reading ----

etcd::answer<std::int64_t> etcd::list() {
  known_.clear();
  std::int64_t revision = 0;
  std::string first = settings_.prefix;
  for (bool more = true; more;) {
    const auto said = co_await ask("/v3/kv/range", messages::range(first, settings_.prefix, revision, page_keys));
    if (!said) co_return said.error();
    const auto page = messages::parse_range(*said);
    if (!page) co_return page.error();
    if (revision == 0) revision = page->revision;
    for (const auto& value : page->values) take(value, true);
    more = page->more && !page->values.empty();
    if (more) first = page->values.back().key + '\0';
  }
  ++figures_.lists;
  figures_.revision = revision;
  co_return revision;
}

void etcd::take(const messages::key_value& from, bool listed) {
  if (!from.key.starts_with(settings_.prefix)) return;
  const std::string edge = from.key.substr(settings_.prefix.size());
  if (from.deleted) {
    // Its lease at etcd has ended, long after the record's own end: every node has seen to that by itself.
    known_.erase(edge);
    return;
  }
  auto record = mapping::parse_record(from.value);
  if (!record || record->edge != edge) {
    ++figures_.malformed;
    if (const auto untold = value_lines_.tell(clock::now()))
      spdlog::warn("etcd value refused error=\"{}\" untold={}",
                   record ? "another edge's record" : record.error().message, *untold);
    return;
  }
  known_.insert_or_assign(edge, known{record->sequence, record->expires, content_of(*record)});
  // Something older has been written over what we have (by a node that was away): the newest is to stand there.
  if (const auto* ours = ours_(edge); ours != nullptr && ours->sequence > record->sequence) put(edge);
  // What we have written ourselves we know, but after a restart without a store.
  if (!listed && record->accepted_by == settings_.node) {
    ++figures_.own;
    return;
  }
  ++figures_.arrived;
  arrived_(std::move(*record));
}

etcd::answer<void> etcd::keep_watching(const https::peer& member, std::int64_t from_revision) {
  etcd_stream stream;
  const auto opened = co_await stream.open(member, "/v3/watch", messages::watch(settings_.prefix, from_revision),
                                           token_, settings_.timeout);
  if (!opened) co_return opened;
  for (;;) {
    const auto line = co_await stream.next();
    if (!line) co_return line.error();
    const auto said = messages::parse_watched(*line);
    if (!said) co_return said.error();
    // Compacted: what we have missed is gone, and the next session reads all. Not allowed: so would that one be told.
    if (said->cancelled) co_return error{errc::failing, https::text_of(member) + ": watch ended: " + said->reason};
    if (said->created) {
      figures_.connected = true;
      ++figures_.sessions;
      figures_.last_error.clear();
      spdlog::info("etcd joined endpoint={} revision={} records={}", https::text_of(member), from_revision - 1,
                   known_.size());
    }
    if (said->revision > 0) figures_.revision = std::max(figures_.revision, said->revision);
    for (const auto& event : said->events) take(event, false);
  }
}

// ---- writing ----

bool etcd::is_known_well(const edge_record& record) const {
  const auto found = known_.find(record.edge);
  if (found == known_.end()) return false;
  if (found->second.sequence >= record.sequence) return true;
  if (found->second.content != content_of(record)) return false;
  // The same in all but the end of the lease: enough, while half of the lease that we know of is left in etcd.
  const auto now = std::chrono::system_clock::now();
  return (found->second.expires - now) * 2 >= record.expires - now;
}

void etcd::put(std::string_view edge) {
  const auto [found, is_new] = queued_.emplace(edge);
  if (!is_new) return;
  queue_.emplace_back(edge);
  more_.cancel();
}

etcd::answer<void> etcd::need_lease() {
  if (lease_ != 0 && clock::now() < lease_until_) co_return result<void>{};
  // Good for the last record that is written in its window; never prolonged: whoever is gone leaves nothing behind.
  constexpr std::chrono::seconds margin{60};
  const auto said =
      co_await ask("/v3/lease/grant", messages::grant(settings_.longest_lease + settings_.lease_window + margin));
  if (!said) co_return said.error();
  const auto lease = messages::parse_lease(*said);
  if (!lease) co_return lease.error();
  lease_ = *lease;
  lease_until_ = clock::now() + settings_.lease_window;
  co_return result<void>{};
}

etcd::answer<void> etcd::write_some() {
  if (auto done = co_await need_lease(); !done) co_return done;
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<std::string> edges;
  std::vector<known> written;
  for (std::size_t octets = 0; !queue_.empty() && values.size() < most_puts && octets < most_put_octets;) {
    std::string edge = std::move(queue_.front());
    queue_.pop_front();
    queued_.erase(edge);
    const auto* record = ours_(edge);
    if (record == nullptr) continue;
    if (is_known_well(*record)) {
      ++figures_.spared;
      continue;
    }
    values.emplace_back(settings_.prefix + edge, mapping::to_json(*record));
    octets += values.back().second.size();
    edges.push_back(std::move(edge));
    written.push_back({record->sequence, record->expires, content_of(*record)});
  }
  if (values.empty()) co_return result<void>{};

  const auto put_back = [&] {
    for (auto& edge : edges)
      if (queued_.insert(edge).second) queue_.push_front(edge);
  };
  // Whatever ends this coroutine, what has not been written waits for the next session.
  struct unless_written {
    decltype(put_back)& back;
    bool done = false;
    ~unless_written() {
      if (!done) back();
    }
  } outcome{put_back};
  const auto said = co_await ask("/v3/kv/txn", messages::put_all(values, lease_));
  if (!said) {
    if (said.error().kind == errc::denied && refusal_.is_lease()) lease_ = 0;
    co_return said.error();
  }
  outcome.done = true;
  figures_.written += values.size();
  for (std::size_t i = 0; i < edges.size(); ++i) {
    // What arrived from another node meanwhile may be newer.
    auto& now = known_[edges[i]];
    if (now.sequence <= written[i].sequence) now = written[i];
  }
  co_return result<void>{};
}

etcd::answer<void> etcd::keep_writing() {
  for (;;) {
    if (queue_.empty()) {
      more_.expires_at(clock::time_point::max());
      co_await more_.async_wait(as_result);
      continue;
    }
    const auto done = co_await write_some();
    if (done) continue;
    if (done.error().kind != errc::denied) co_return done;
    if (lease_ == 0) continue;
    ++figures_.refused;
    figures_.last_error = done.error().message;
    if (const auto untold = refusal_lines_.tell(clock::now()))
      spdlog::error("etcd write refused error=\"{}\" waiting={} untold={}", done.error().message, queue_.size(),
                    *untold);
    more_.expires_after(refused_pause);
    const auto again = more_.expiry();
    while (clock::now() < again) {
      more_.expires_at(again);
      co_await more_.async_wait(as_result);
    }
  }
}

etcd::answer<void> etcd::keep_pinging() {
  asio::steady_timer pause(executor_);
  for (;;) {
    pause.expires_after(settings_.ping);
    co_await pause.async_wait(as_result);
    // A read that all members must agree to: one that has lost the others would keep a silent watch open for ever.
    const auto said = co_await ask("/v3/kv/range", messages::read_one(settings_.prefix));
    if (!said) co_return said.error();
  }
}

}  // namespace nearside::backbone
