// SPDX-License-Identifier: BSD-2-Clause
// Any octets to the native build of the BPF program: no octet outside the frame is touched (the sanitizers see to
// that), a passed frame is unchanged, and what it answers is what the responder would. Seeds: what resolvers really
// send.
#include <arpa/inet.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "agent/dataplane/image.hpp"
#include "agent/dns/respond.hpp"
#include "bpf/qname_hash.h"
#include "tests/bpf/dataplane/zones.hpp"
#include "tests/support/choices.hpp"
#include "tests/support/native_dns.h"
#include "tests/support/packet.hpp"

namespace {

using namespace nearside;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The program's tables in plain memory, made from the zone as the publisher would.
class memory_tables {
 public:
  memory_tables() {
    tests::zone_builder z("lb.example.");
    z.servers("www.lb.example.", {"192.0.2.80", "192.0.2.81", "2001:db8::80"});
    z.servers("one.lb.example.", {"192.0.2.90"});
    z.text("text.lb.example.", "words");
    std::vector<std::string> many;
    for (int i = 1; i <= 40; ++i) many.push_back("192.0.2." + std::to_string(i));
    z.servers("many.lb.example.", many);
    z.servers(std::string(60, 'x') + ".lb.example.", {"192.0.2.91"});
    z.pooled("pool.lb.example.", 0, {"192.0.2.60", "192.0.2.61", "192.0.2.62", "2001:db8::60", "2001:db8::61"});
    z.pooled("net.lb.example.", 1, {"192.0.2.70", "192.0.2.71", "2001:db8::70", "2001:db8::71"});
    z.pooled("none.lb.example.", 2, {"192.0.2.50", "2001:db8::50"});
    chosen_ = {{{tests::weighted({1, 2, 5}, 7), tests::weighted({3, 1}, 7)}},
               {{tests::by_client(tests::rotation(2)), tests::by_client(tests::weighted({1, 9}))}},
               {{tests::nodata(), tests::servfail()}}};
    zones_ = z.alone();

    config_.layout_version = LAYOUT_VERSION;
    config_.lease_deadline = ~std::uint64_t{0};
    config_.sites = 1;
    config_.hash_key[0] = 1;
    config_.sample_interval = 1;
    listens_[0].port = htons(53);
    listens_[0].count4 = listens_[0].count6 = 1;
    inet_pton(AF_INET, tests::OUR_IPV4, &listens_[0].address4[0]);
    inet_pton(AF_INET6, tests::OUR_IPV6, &listens_[0].address6[0]);
    const auto& zone = zones_.zones()[0];
    zone.for_each([&](const dns::name& owner, const dns::node& node) {
      if (!node.rrsets.empty()) install(owner, node, zone.apex().wire().size());
    });

    native_.config = &config_;
    native_.listens = listens_;
    native_.answers = answers_.data();
    native_.answer_count = static_cast<std::uint32_t>(answers_.size());
    native_.slots_small = small_.data();
    native_.small_count = static_cast<std::uint32_t>(small_.size());
    native_.slots_large = large_.data();
    native_.large_count = static_cast<std::uint32_t>(large_.size());
    native_.owner = this;
    native_.find_short = [](void* self, const name_key* key) {
      return static_cast<memory_tables*>(self)->row<name_short>(*key);
    };
    native_.find_long = [](void* self, const name_key* key) {
      return static_cast<memory_tables*>(self)->row<name_long>(*key);
    };
  }
  memory_tables(const memory_tables&) = delete;
  memory_tables& operator=(const memory_tables&) = delete;

  [[nodiscard]] native_tables& native() { return native_; }
  [[nodiscard]] const dns::zone_set& zones() const { return zones_; }
  [[nodiscard]] const dns::choices& chosen() const { return chosen_; }

 private:
  using rows_key = std::pair<std::uint64_t, std::uint64_t>;

  template <typename Row>
  Row* row(const name_key& key) {
    auto& rows = std::get<std::map<rows_key, Row>>(rows_);
    const auto found = rows.find({key.hash[0], key.hash[1]});
    return found == rows.end() ? nullptr : &found->second;
  }

  template <typename Slot>
  answer_ref store(std::vector<Slot>& slots, const std::vector<dataplane::image>& images, unsigned how) {
    const auto flags = static_cast<std::uint8_t>(how);
    const answer_ref ref{static_cast<std::uint32_t>(slots.size()), 1, static_cast<std::uint8_t>(images.size()), flags};
    for (const auto& image : images) {
      Slot slot{};
      slot.generation = 1;
      slot.length = static_cast<std::uint16_t>(image.octets.size());
      slot.checksum = image.checksum;
      slot.ancount = htons(image.ancount);
      slot.nscount = htons(image.nscount);
      slot.arcount = htons(image.arcount);
      slot.zone_pointer = image.zone_pointer;
      slot.verdict = image.verdict;
      slot.flags = image.flags;
      slot.share = image.share;
      slot.other = image.other;
      std::copy(image.octets.begin(), image.octets.end(), slot.octets);
      slots.push_back(slot);
    }
    return ref;
  }

  void install(const dns::name& owner, const dns::node& node, std::size_t zone_octets) {
    const auto set = static_cast<std::uint32_t>(answers_.size() / TYPE_CLASS_COUNT);
    for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
      const auto made =
          dataplane::render_column(zones_, chosen_, owner, zone_octets, node, static_cast<type_class>(column));
      const auto& images = made.images;
      const unsigned drawn = made.by_client ? ANSWER_BY_CLIENT : 0;
      const bool is_large =
          std::any_of(images.begin(), images.end(), [](const auto& i) { return i.octets.size() > SMALL_IMAGE_OCTETS; });
      answers_.push_back(images.empty() ? answer_ref{}
                         : is_large     ? store(large_, images, drawn | ANSWER_LARGE)
                                        : store(small_, images, drawn));
    }
    std::uint64_t words[QNAME_WORDS] = {};
    const auto lower = owner.lower();
    std::memcpy(words, lower.wire().data(), lower.wire().size());
    name_key key{};
    qname_hash(reinterpret_cast<const __u64*>(words), static_cast<unsigned>(lower.wire().size()), config_.hash_key,
               &key);
    const name_binding binding{set, (static_cast<std::uint32_t>(key.hash[1] >> 32) & BINDING_TAG_MASK) |
                                        static_cast<std::uint32_t>(zone_octets)};
    const auto put = [&](auto row) {
      row.binding = binding;
      std::memcpy(row.name, words, sizeof(row.name));
      std::get<std::map<rows_key, decltype(row)>>(rows_)[{key.hash[0], key.hash[1]}] = row;
    };
    lower.wire().size() <= SHORT_QNAME ? put(name_short{}) : put(name_long{});
  }

  dns::zone_set zones_;
  dns::choices chosen_;
  struct config config_ {};
  struct listen listens_[2] = {};
  std::vector<answer_ref> answers_;
  std::vector<image_small> small_;
  std::vector<image_large> large_;
  std::tuple<std::map<rows_key, name_short>, std::map<rows_key, name_long>> rows_;
  native_tables native_{};
};

/// Runs the frame with no octet to spare around the rooms, and checks what is true of any frame.
int run(memory_tables& tables, tests::octets frame, std::size_t tail_room, tests::octets& out) {
  constexpr std::size_t HEAD_ROOM = 64;
  // On the heap, exactly as large as the rooms allow.
  tests::octets memory(HEAD_ROOM + frame.size() + tail_room);
  std::copy(frame.begin(), frame.end(), memory.begin() + HEAD_ROOM);
  native_frame at{memory.data(), memory.size(), HEAD_ROOM, frame.size(), HEAD_ROOM, tail_room};
  const int action = native_run(&tables.native(), &at);
  out.assign(memory.begin() + static_cast<std::ptrdiff_t>(at.start),
             memory.begin() + static_cast<std::ptrdiff_t>(at.start + at.length));
  require(action == XDP_TX || action == XDP_PASS || action == XDP_DROP);
  if (action == XDP_PASS) require(out == frame);
  return action;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static memory_tables tables;
  if (size > 1500) return 0;
  const tests::octets input(data, data + size);
  tests::octets out;
  tables.native().random = static_cast<std::uint32_t>(size * 0x9e3779b9U);

  // As a whole frame, with any headers.
  run(tables, input, size % 64, out);

  // As a DNS message in a good frame without UDP checksum, so that all of it is reached.
  tests::query carrier("x");
  carrier.without_udp_checksum();
  tests::octets frame = carrier.frame();
  frame.resize(14 + 20 + 8);
  frame.insert(frame.end(), input.begin(), input.end());
  const auto put16 = [&](std::size_t place, std::size_t value) {
    frame[place] = static_cast<std::uint8_t>(value >> 8);
    frame[place + 1] = static_cast<std::uint8_t>(value);
  };
  put16(14 + 2, 20 + 8 + size);
  put16(14 + 20 + 4, 8 + size);
  put16(14 + 10, 0);
  put16(14 + 10, tests::internet_checksum(std::span(frame).subspan(14, 20)));
  if (run(tables, frame, size % 3 == 0 ? 0 : 1400, out) != XDP_TX) return 0;
  const tests::octets reply(out.begin() + 14 + 20 + 8, out.end());
  require(reply == dns::respond(tables.zones(), tables.chosen(), {}, input,
                                {.random = tables.native().random,
                                 .client = boost::asio::ip::make_address(tests::CLIENT_IPV4)}));
  return 0;
}
