// SPDX-License-Identifier: BSD-2-Clause
// The edge's part in the mapping: what it registers and reports, and the name servers that its zones have since the
// backbone nodes give them to its clients. Owned by the daemon; one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/config/load.hpp"
#include "agent/dns/mapping.hpp"
#include "agent/mapping/report.hpp"
#include "agent/registration/registration.hpp"

namespace nearside {

class edge_side {
 public:
  /// Nothing is sent yet. Errors: a file that TLS needs, naming it.
  static result<std::unique_ptr<edge_side>> make(const boost::asio::any_io_executor& executor,
                                                 const config::loaded& from);
  ~edge_side();
  edge_side(const edge_side&) = delete;
  edge_side& operator=(const edge_side&) = delete;

  void start() { registration_->start(); }
  /// Says good-bye to the backbone nodes, within two seconds; nothing is sent afterwards.
  [[nodiscard]] boost::asio::awaitable<void> withdraw() { return registration_->withdraw(); }
  void set_report(mapping::report newest) { registration_->set_report(std::move(newest)); }

  /// The name servers of the zones that follow their parent.
  [[nodiscard]] const std::shared_ptr<const dns::mapping>& parent() const noexcept { return parent_; }
  [[nodiscard]] boost::json::object status() const { return registration_->status(); }

 private:
  class parent_servers;
  edge_side() = default;

  std::unique_ptr<registration::registration> registration_;
  std::shared_ptr<const dns::mapping> parent_;
};

}  // namespace nearside
