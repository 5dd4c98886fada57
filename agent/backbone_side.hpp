// SPDX-License-Identifier: BSD-2-Clause
// The backbone node's side of the agent as one thing: the book of edges, and all that feeds it (registrations,
// sightings of nonces, port checks, the store, etcd) or learns from it (who answers, the kernel's tables, the store,
// etcd). Owned by the daemon; one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "agent/backbone/directory.hpp"
#include "agent/backbone/etcd.hpp"
#include "agent/backbone/geo.hpp"
#include "agent/backbone/port_check.hpp"
#include "agent/backbone/registration_api.hpp"
#include "agent/backbone/store.hpp"
#include "agent/base/result.hpp"
#include "agent/config/load.hpp"
#include "agent/https/server.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside {

class backbone_side {
 public:
  /// What the kernel is to be told: first the sites, whose referrals are to be rendered anew, then the rows. The
  /// numbers in `free_sites` are given to other sites when release() was called with them.
  struct news {
    std::vector<mapping::site_id> sites;
    std::vector<mapping::site_id> lonely;  // sites that can wait: only their second server is another one
    std::vector<mapping::row_change> rows;
    std::vector<mapping::site_id> free_sites;
  };
  using news_handler = std::function<void(const news&)>;

  /// Takes over what is kept from before, and opens the sockets of the registrations; nothing is accepted yet. Errors:
  /// a file that TLS needs, an address, the store; each names it.
  static result<std::unique_ptr<backbone_side>> open(const boost::asio::any_io_executor& executor,
                                                     const config::loaded& from, news_handler on_news);
  ~backbone_side();
  backbone_side(const backbone_side&) = delete;
  backbone_side& operator=(const backbone_side&) = delete;

  void start();
  void stop();
  /// Puts another configuration in force. What cannot be changed while running (addresses of registrations, the nonce
  /// zone, etcd) stays, and is warned of. Errors: as of open(); then all stays as it was.
  result<void> reload(const config::loaded& next);

  /// What mapped names answer; never null, another one after a reload.
  [[nodiscard]] const std::shared_ptr<backbone::directory>& directory() const noexcept { return directory_; }
  [[nodiscard]] const mapping::table& rows() const noexcept { return book_->rows(); }
  /// Whether the first edge of the site may be used.
  [[nodiscard]] bool nearest_lives(mapping::site_id site) const;
  /// Where the first edge of the site answers: at most an address of each family.
  [[nodiscard]] std::vector<boost::asio::ip::address> addresses_of(mapping::site_id site) const;
  void release(std::span<const mapping::site_id> sites) { book_->rows().release(sites); }

  // The control verbs.
  [[nodiscard]] result<boost::json::object> mappings(const boost::json::object& request) const;
  [[nodiscard]] result<boost::json::object> edges(const boost::json::object& request) const;
  /// Why a mapped name is answered as it is to who asks: members "resolver" and "client" of the request. Empty where
  /// the name is none or nobody is said to ask. Error (invalid): these make no sense.
  [[nodiscard]] result<boost::json::object> explain(const dns::name& name, const boost::json::object& request) const;
  [[nodiscard]] boost::json::object status() const;

 private:
  explicit backbone_side(const boost::asio::any_io_executor& executor)
      : executor_(executor), watching_(executor), expiry_(executor) {}

  result<void> open_server(const config::backbone_settings& options);
  result<void> open_etcd(const config::loaded& from);
  result<void> load_store(const config::settings& options);
  /// `where`: the database that clients without a row are located by; nullptr: none.
  void put_in_force(const config::loaded& from, std::shared_ptr<const backbone::geo> where);
  void set_prefix_table(const std::vector<config::table_row>& rows);
  /// Collects what has changed in the book, soon: a burst of messages is one step.
  void settle_soon();
  void settle();
  /// Asks the edge's port 53 from now on, or no longer, as its state says.
  void watch(mapping::edge_id edge, bool at_leisure);
  void watch_next();
  void wait_for_expiry();

  boost::asio::any_io_executor executor_;
  news_handler on_news_;
  std::unique_ptr<mapping::registry> book_;
  std::shared_ptr<backbone::directory> directory_;
  std::unique_ptr<backbone::store> store_;
  std::unique_ptr<backbone::registration_api> api_;
  std::shared_ptr<https::server> server_;
  std::unique_ptr<backbone::port_check> checks_;
  std::unique_ptr<backbone::etcd> etcd_;
  boost::asio::cancellation_signal end_etcd_;
  boost::asio::steady_timer watching_;
  boost::asio::steady_timer expiry_;
  config::backbone_settings options_;
  mapping::secret_key master_{};
  std::map<std::pair<mapping::prefix, mapping::edge_id>, std::uint32_t> table_;  // the operator's rows, with their rank
  bool running_ = false;
  bool settling_ = false;
  bool settled_ = false;                     // what was kept from before has been told
  std::vector<mapping::edge_id> unwatched_;  // of these edges the port 53 is not asked yet
  // Held by handlers that may come after our end.
  std::shared_ptr<backbone_side*> self_ = std::make_shared<backbone_side*>(this);
};

}  // namespace nearside
