// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/framing.hpp"

#include <limits>

namespace nearside::serve {
namespace {

constexpr std::size_t length_octets = 2;
constexpr std::size_t header_octets = 12;  // RFC 1035 4.1.1

}  // namespace

void deframer::feed(std::span<const std::uint8_t> octets) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
  start_ = 0;
  buffer_.insert(buffer_.end(), octets.begin(), octets.end());
}

deframer::step deframer::next() {
  if (held() < length_octets) return {};
  const auto length = static_cast<std::size_t>(buffer_[start_] << 8 | buffer_[start_ + 1]);
  if (length < header_octets) return {outcome::broken, {}};
  if (held() < length_octets + length) return {};
  const std::span message = std::span<const std::uint8_t>(buffer_).subspan(start_ + length_octets, length);
  start_ += length_octets + length;
  return {outcome::message, message};
}

bool append_framed(std::vector<std::uint8_t>& output, std::span<const std::uint8_t> message) {
  if (message.size() > std::numeric_limits<std::uint16_t>::max()) return false;
  output.push_back(static_cast<std::uint8_t>(message.size() >> 8));
  output.push_back(static_cast<std::uint8_t>(message.size() & 0xff));
  output.insert(output.end(), message.begin(), message.end());
  return true;
}

}  // namespace nearside::serve
