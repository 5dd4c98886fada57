// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/control.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>

#include "agent/base/errc_text.hpp"

namespace nearside::admin {
namespace asio = boost::asio;
namespace json = boost::json;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_line = 65536;
constexpr int most_connections = 32;
constexpr std::chrono::seconds time_out{10};
constexpr std::chrono::milliseconds accept_pause{100};
constexpr mode_t all_but_owner_and_group = 0117;  // leaves 0660

/// A umask for as long as the object lives: the socket must not be open to all even for an instant.
struct scoped_umask {
  explicit scoped_umask(mode_t mask) : before(::umask(mask)) {}
  ~scoped_umask() { ::umask(before); }
  scoped_umask(const scoped_umask&) = delete;
  scoped_umask& operator=(const scoped_umask&) = delete;
  mode_t before;
};

/// Removes a socket that nobody serves any more; anything else at this path is not ours to remove.
result<void> remove_stale(const std::filesystem::path& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode))
    return error{errc::busy, "control socket " + path.string() + ": there is something else than a socket"};
  if (::unlink(path.c_str()) != 0) return system_error(errno, "control socket " + path.string());
  return {};
}

}  // namespace

control_server::control_server(stream_protocol::acceptor acceptor, std::filesystem::path path, handler answer)
    : acceptor_(std::move(acceptor)), path_(std::move(path)), answer_(std::move(answer)) {}

result<std::shared_ptr<control_server>> control_server::open(const asio::any_io_executor& executor,
                                                             const std::filesystem::path& path, handler answer) {
  const std::string doing = "control socket " + path.string();
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return error{errc::invalid, doing + ": the path is longer than 107 octets"};
  if (auto removed = remove_stale(path); !removed) return removed.error();

  stream_protocol::acceptor acceptor(executor);
  error_code code;
  const scoped_umask mask(all_but_owner_and_group);
  if (acceptor.open(stream_protocol(), code); code) return system_error(code.value(), doing);
  if (acceptor.bind(stream_protocol::endpoint(path.string()), code); code) return system_error(code.value(), doing);
  if (acceptor.listen(most_connections, code); code) return system_error(code.value(), doing);

  std::shared_ptr<control_server> server(new control_server(std::move(acceptor), path, std::move(answer)));
  auto on_end = [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(executor, server->accept(), on_end);
  return server;
}

void control_server::close() {
  if (!acceptor_.is_open()) return;
  error_code ignored;
  acceptor_.close(ignored);
  ::unlink(path_.c_str());
}

std::string control_server::reply_to(std::string_view line, const handler& answer) {
  error_code wrong;
  const json::value request = json::parse({line.data(), line.size()}, wrong);
  if (wrong || !request.is_object())
    return json::serialize(
        json::object{{"error", R"(a request is one JSON object in one line, such as {"verb":"status"})"}});
  auto reply = answer(request.get_object());
  return json::serialize(reply ? *reply
                               : json::object{{"error", reply.error().message}, {"kind", text_of(reply.error().kind)}});
}

asio::awaitable<void> control_server::accept() {
  const auto self = shared_from_this();
  asio::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    auto [failed, socket] = co_await acceptor_.async_accept(as_result);
    if (!acceptor_.is_open()) co_return;
    if (failed || connections_ >= most_connections) {
      // Out of descriptors, or more clients than anybody needs: those that wait are served when others have ended.
      pause.expires_after(accept_pause);
      co_await pause.async_wait(as_result);
      continue;
    }
    ++connections_;
    auto on_end = [self](const std::exception_ptr& thrown) {
      --self->connections_;
      try {
        if (thrown) std::rethrow_exception(thrown);
      } catch (const std::exception& why) {
        spdlog::warn("control connection dropped error=\"{}\"", why.what());
      }
    };
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), std::move(on_end));
  }
}

asio::awaitable<void> control_server::serve(stream_protocol::socket accepted) {
  const auto self = shared_from_this();
  const auto socket = std::make_shared<stream_protocol::socket>(std::move(accepted));
  asio::steady_timer deadline(socket->get_executor());
  std::string input;
  for (;;) {
    // The deadline covers a line in and its reply out; a cancelled wait closes nothing.
    deadline.expires_after(time_out);
    auto on_time = [weak = std::weak_ptr(socket)](const error_code& cancelled) {
      const auto late = weak.lock();
      error_code ignored;
      if (!cancelled && late) late->close(ignored);
    };
    deadline.async_wait(std::move(on_time));

    auto line_end = asio::dynamic_buffer(input, longest_line);
    const auto [failed, octets] = co_await asio::async_read_until(*socket, line_end, '\n', as_result);
    const bool too_long = failed == asio::error::not_found;
    if (failed && !too_long) co_return;
    std::string reply = too_long ? json::serialize(json::object{{"error", "the line is longer than 65536 octets"}})
                                 : reply_to(std::string_view(input).substr(0, octets - 1), answer_);
    input.erase(0, octets);
    reply += '\n';
    const auto [unsent, sent] = co_await asio::async_write(*socket, asio::buffer(reply), as_result);
    if (unsent || too_long) co_return;
  }
}

}  // namespace nearside::admin
