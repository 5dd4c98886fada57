// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/deadline.hpp"

#include <boost/system/error_code.hpp>

namespace nearside {

deadline::deadline(const boost::asio::any_io_executor& executor) : state_(std::make_shared<state>(executor)) {}

void deadline::within(clock::duration time) {
  state_->at = clock::now() + time;
  // A timer that is set for earlier finds the new time when it fires: steps that end in time cost no timer each.
  if (!state_->waiting || state_->timer.expiry() > state_->at) watch(state_);
}

void deadline::watch(const std::shared_ptr<state>& watched) {
  watched->waiting = true;
  watched->timer.expires_at(watched->at);
  auto on_time = [weak = std::weak_ptr(watched)](const boost::system::error_code& cancelled) {
    const auto alive = weak.lock();
    if (cancelled || !alive) return;
    alive->waiting = false;
    if (clock::now() < alive->at) return watch(alive);
    alive->expired = true;
    if (const auto give_up = std::move(alive->give_up)) give_up();
  };
  watched->timer.async_wait(std::move(on_time));
}

}  // namespace nearside
