// SPDX-License-Identifier: BSD-2-Clause
// DNS messages in a TCP byte stream: two octets of length, then the message (RFC 1035 4.2.2, RFC 7766 8).
// Pure: no sockets. Owned by the connection whose stream it cuts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nearside::serve {

/// Cuts a byte stream, which may arrive split anywhere, into the messages in it.
class deframer {
 public:
  enum class outcome {
    message,  ///< one whole message was taken out
    more,     ///< the next message has not wholly arrived
    broken,   ///< a length below 12 octets: no DNS message; the stream cannot be trusted any more and stays broken
  };
  struct step {
    outcome what = outcome::more;
    std::span<const std::uint8_t> message;  ///< without the length octets; valid until the next feed()
  };

  /// Adds what was read from the stream.
  void feed(std::span<const std::uint8_t> octets);
  /// Takes out the next message. Call it until it gives no message before feeding more: what is held is then
  /// at most one message less one octet.
  [[nodiscard]] step next();
  /// How many octets wait for the rest of their message.
  [[nodiscard]] std::size_t held() const noexcept { return buffer_.size() - start_; }

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t start_ = 0;  // where in buffer_ the next message's length octets are
};

/// Appends one message with its length octets to what is to be written. A message of more than 65,535 octets cannot be
/// framed; nothing is appended then, and false returned.
[[nodiscard]] bool append_framed(std::vector<std::uint8_t>& output, std::span<const std::uint8_t> message);

}  // namespace nearside::serve
