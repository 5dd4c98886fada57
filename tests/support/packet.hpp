// SPDX-License-Identifier: BSD-2-Clause
// Frames for the tests, said in words: query("www.example.com").type(28).edns().from("192.0.2.1"). Each setter changes
// one thing of the usual query: untagged IPv4 from a client to our address, lengths and checksums right.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nearside::tests {

using octets = std::vector<std::uint8_t>;

inline constexpr const char* OUR_IPV4 = "198.51.100.53";
inline constexpr const char* OUR_IPV6 = "2001:db8:53::53";
inline constexpr const char* CLIENT_IPV4 = "192.0.2.77";
inline constexpr const char* CLIENT_IPV6 = "2001:db8:c::77";

/// The Internet checksum (RFC 1071) of octets and a starting sum, written for clarity: the tests' own.
std::uint16_t internet_checksum(std::span<const std::uint8_t> data, std::uint32_t sum = 0);

class query {
 public:
  explicit query(std::string qname) : qname_(std::move(qname)) {}

  // The DNS message.
  query& type(std::uint16_t t) { return set(qtype_, t); }
  query& klass(std::uint16_t c) { return set(qclass_, c); }
  query& id(std::uint16_t i) { return set(id_, i); }
  query& flags(std::uint16_t f) { return set(flags_, f); }
  query& counts(std::uint16_t qd, std::uint16_t an, std::uint16_t ns) {
    counts_ = {qd, an, ns};
    return *this;
  }
  query& edns(std::uint16_t size = 1232) { return set(udp_size_, size); }
  query& dnssec_ok() { return set(edns_flags_, std::uint16_t{0x8000}); }
  query& version(std::uint8_t v) { return set(version_, v); }
  query& option(std::uint16_t code, const octets& data);
  query& cookie() { return option(10, {1, 2, 3, 4, 5, 6, 7, 8}); }
  query& nsid() { return option(3, {}); }
  query& ecs(const std::string& address, unsigned source, unsigned scope = 0);
  query& after_message(const octets& more) { return set(trailing_, more); }
  /// The octets of the name as they are, in place of the text.
  query& raw_qname(const octets& wire) { return set(raw_qname_, std::optional(wire)); }

  // Around it.
  query& from(const std::string& address) { return set(source_, address); }
  query& to(const std::string& address) { return set(destination_, address); }
  query& ports(std::uint16_t source, std::uint16_t destination) {
    source_port_ = source;
    destination_port_ = destination;
    return *this;
  }
  query& vlan(std::uint16_t id, std::uint16_t tpid = 0x8100);
  query& over_ipv6() { return from(CLIENT_IPV6).to(OUR_IPV6); }
  query& without_udp_checksum() { return set(no_checksum_, true); }
  query& padded_to(std::size_t length) { return set(padding_to_, length); }
  /// A change to the finished frame: `f(frame, offset of the IP header)`.
  query& then(std::function<void(octets&, std::size_t)> f) { return set(spoil_, std::move(f)); }

  [[nodiscard]] octets message() const;
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] octets frame() const;
  [[nodiscard]] bool is_ipv6() const { return destination_.find(':') != std::string::npos; }
  [[nodiscard]] std::size_t ip_offset() const { return 14 + 4 * tags_.size(); }

 private:
  template <typename T, typename U>
  query& set(T& member, U value) {
    member = std::move(value);
    return *this;
  }

  std::string qname_;
  std::optional<octets> raw_qname_;
  std::uint16_t qtype_ = 1, qclass_ = 1, id_ = 0x4e53, flags_ = 0x0100;
  std::vector<std::uint16_t> counts_{1, 0, 0};
  std::optional<std::uint16_t> udp_size_;
  std::uint16_t edns_flags_ = 0;
  std::uint8_t version_ = 0;
  octets options_, trailing_;
  std::string source_ = CLIENT_IPV4, destination_ = OUR_IPV4;
  std::uint16_t source_port_ = 40001, destination_port_ = 53;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> tags_;
  bool no_checksum_ = false;
  std::size_t padding_to_ = 0;
  std::function<void(octets&, std::size_t)> spoil_;
};

/// A reply's frame, taken apart by the tests' own code. `fault`: what is wrong with it (a checksum, a length, an
/// address that is not the query's other one); empty: nothing.
struct reply_frame {
  std::string fault;
  octets message;
};
reply_frame take_apart(const octets& frame, const query& asked);

}  // namespace nearside::tests
