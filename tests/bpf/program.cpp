// SPDX-License-Identifier: BSD-2-Clause
#include "tests/bpf/program.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <array>

#include "agent/dns/respond.hpp"
#include "tests/bpf/dataplane/zones.hpp"
#include "tests/support/choices.hpp"

namespace nearside::tests {
namespace {

constexpr std::uint64_t FAR_AWAY = ~std::uint64_t{0};

void listen_on_our_addresses(const dataplane::object& tables) {
  auto& settings = tables.config();
  auto& ours = tables.listen()[settings.listen_index];
  ours = {};
  ours.port = htons(53);
  ours.count4 = 1;
  ours.count6 = 1;
  inet_pton(AF_INET, OUR_IPV4, &ours.address4[0]);
  inet_pton(AF_INET6, OUR_IPV6, &ours.address6[0]);
  settings.lease_deadline = FAR_AWAY;
}

std::uint32_t only_one_more(const dataplane::counter_values& more) {
  std::uint32_t found = VERDICT_UNDECIDED;
  for (std::uint32_t v = 0; v < VERDICT_COUNT; ++v) {
    if (more.packets[v] == 0) continue;
    if (more.packets[v] != 1 || found != VERDICT_UNDECIDED) return VERDICT_UNDECIDED;
    found = v;
  }
  return found;
}

}  // namespace

constexpr dataplane::map_sizes usual_sizes{
    .names = 4096, .long_names = 512, .sets = 512, .small_images = 4096, .large_images = 128};

program::program(dns::zone_set zones, dns::choices chosen, dns::choices stale) {
  begin(usual_sizes);
  publish(std::move(zones), std::move(chosen), std::move(stale));
}

program::program(dns::zone_set zones, std::vector<dataplane::site_rule> rules) : rules_(std::move(rules)) {
  auto sizes = usual_sizes;
  sizes.large_images = 1024;
  sizes.mapping4 = sizes.mapping6 = 4096;
  sizes.sites = 64;
  sizes.mapped_sets = 3;
  begin(sizes);
  publish(std::move(zones));
}

void program::begin(const dataplane::map_sizes& sizes) {
  tables_ = dataplane::object::open_or_create(pins_.path(), sizes).value();
  publisher_ = dataplane::publisher::adopt(*tables_).value();
  listen_on_our_addresses(*tables_);

  native_.config = &tables_->config();
  native_.listens = tables_->listen().data();
  native_.slots_small = tables_->slots_small().data();
  native_.small_count = tables_->capacity(dataplane::map_id::slots_small);
  native_.slots_large = tables_->slots_large().data();
  native_.large_count = tables_->capacity(dataplane::map_id::slots_large);
  native_.sites4 = tables_->blocks4().data();
  native_.sites4_count = tables_->capacity(dataplane::map_id::sites4);
  native_.rows4 = tables_->rows4().data();
  native_.rows6 = tables_->rows6().data();
  native_.owner = this;
  native_.find_short = [](void* owner, const name_key* key) -> name_short* {
    auto& self = *static_cast<program*>(owner);
    const int fd = self.tables_->fd(dataplane::map_id::names_short);
    return bpf_map_lookup_elem(fd, key, &self.short_row_) == 0 ? &self.short_row_ : nullptr;
  };
  native_.find_long = [](void* owner, const name_key* key) -> name_long* {
    auto& self = *static_cast<program*>(owner);
    const int fd = self.tables_->fd(dataplane::map_id::names_long);
    return bpf_map_lookup_elem(fd, key, &self.long_row_) == 0 ? &self.long_row_ : nullptr;
  };
}

dataplane::publish_stats program::publish(dns::zone_set zones, dns::choices chosen, dns::choices stale) {
  zones_ = std::move(zones);
  chosen_ = std::move(chosen);
  return publisher_->publish(zones_, chosen_, stale, rules_).value();
}

dataplane::publish_stats program::change(std::uint32_t pool, dns::pool_choice decided) {
  chosen_.at(pool) = std::move(decided);
  return publisher_->change(chosen_, std::array{pool});
}

dns::zone_set program::standard_zone() {
  zone_builder z("lb.example.com.");
  z.servers("ns1.lb.example.com.", {OUR_IPV4, OUR_IPV6});
  z.target("lb.example.com.", 2, "ns1.lb.example.com.");
  z.servers("www.lb.example.com.", {"203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8:1::1"});
  z.servers("one.lb.example.com.", {"203.0.113.9"});
  z.servers("two.lb.example.com.", {"203.0.113.9", "203.0.113.10"});
  z.text("txt.lb.example.com.", "words");
  z.add("mx.lb.example.com.", 15, {0, 10, 1, 'm', 0});
  z.add("srv.lb.example.com.", 33, {0, 0, 0, 0, 0, 53, 1, 's', 0});
  z.servers("srv.lb.example.com.", {"203.0.113.20"});
  z.add("https.lb.example.com.", 65, {0, 1, 0});
  z.target("alias.lb.example.com.", 5, "one.lb.example.com.");
  z.servers("*.wild.lb.example.com.", {"203.0.113.30"});
  z.servers("deep.er.ent.lb.example.com.", {"203.0.113.31"});
  z.target("cut.lb.example.com.", 2, "ns.cut.lb.example.com.");
  z.servers("ns.cut.lb.example.com.", {"203.0.113.40"});
  std::vector<std::string> many;
  for (int i = 1; i <= 40; ++i) many.push_back("203.0.113." + std::to_string(i));
  z.servers("many.lb.example.com.", many);
  many.clear();
  for (int i = 1; i <= 120; ++i) many.push_back("203.0.113." + std::to_string(i));
  z.servers("toomany.lb.example.com.", many);
  const std::string label(63, 'x');
  z.servers(label + "." + label + "." + label + "." + std::string(46, 'y') + ".lb.example.com.", {"203.0.113.50"});
  z.pooled("shares.lb.example.com.", 0,
           {"203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8:1::1", "2001:db8:1::2"});
  z.pooled("client.lb.example.com.", 1,
           {"203.0.113.4", "203.0.113.5", "203.0.113.6", "2001:db8:1::4", "2001:db8:1::5"});
  z.pooled("half.lb.example.com.", 2, {"203.0.113.7", "2001:db8:1::7"});
  z.pooled("down.lb.example.com.", 3, {"203.0.113.8"});
  // More servers than fit in a UDP reply, of which a few are answered.
  z.pooled("wide.lb.example.com.", 4, many);
  z.pooled("undecided.lb.example.com.", 5, {"203.0.113.9", "2001:db8:1::9"});
  z.pooled("*.pool.lb.example.com.", 0,
           {"203.0.113.1", "203.0.113.2", "203.0.113.3", "2001:db8:1::1", "2001:db8:1::2"});
  z.target("chain.lb.example.com.", 5, "client.lb.example.com.");
  return z.alone();
}

dns::choices program::standard_choices() {
  auto wide = just({119, 3, 77}, 30);
  wide.alternatives.push_back({{0, 1, 2}, 9999, 0});
  return {{{weighted({1, 2, 5}, 7), weighted({3, 1}, 8)}},
          {{by_client(rotation(3)), by_client(weighted({1, 9}))}},
          {{nodata(), just({0}, 3)}},
          {{servfail(), nodata()}},
          {{wide, nodata()}}};
}

outcome program::in_kernel(const octets& frame) const {
  outcome out;
  octets into(4096);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = into.data();
  options.data_size_out = static_cast<std::uint32_t>(into.size());
  options.repeat = 1;
  const auto before = dataplane::read_counters(*tables_).value();
  if (bpf_prog_test_run_opts(tables_->program(), &options) != 0) throw std::runtime_error("BPF_PROG_TEST_RUN failed");
  out.action = options.retval;
  into.resize(options.data_size_out);
  out.frame = std::move(into);
  out.verdict = only_one_more(dataplane::read_counters(*tables_).value().since(before));
  return out;
}

outcome program::natively(const octets& frame, std::size_t tail_room, std::size_t head_room) {
  // The answers as they are at this moment: one word each, as the kernel would read them.
  std::vector<answer_ref> answers(tables_->capacity(dataplane::map_id::answers));
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] = tables_->load_answer(i);
  native_.answers = answers.data();
  native_.answer_count = static_cast<std::uint32_t>(answers.size());
  std::vector<answer_ref> stale(tables_->capacity(dataplane::map_id::stale_answers));
  for (std::size_t i = 0; i < stale.size(); ++i) stale[i] = tables_->load_stale(i);
  native_.stale_answers = stale.data();
  native_.stale_count = static_cast<std::uint32_t>(stale.size());
  std::vector<answer_ref> by_site(tables_->capacity(dataplane::map_id::site_answers));
  for (std::size_t i = 0; i < by_site.size(); ++i) by_site[i] = tables_->load_site_answer(i);
  native_.site_answers = by_site.data();
  native_.site_answer_count = static_cast<std::uint32_t>(by_site.size());
  std::fill(std::begin(native_.counters), std::end(native_.counters), 0);

  // No octet behind the room belongs to the program: a sanitizer sees each one that it touches.
  octets memory(head_room + frame.size() + tail_room);
  std::copy(frame.begin(), frame.end(), memory.begin() + static_cast<std::ptrdiff_t>(head_room));
  native_frame at{memory.data(), memory.size(), head_room, frame.size(), head_room, tail_room};
  outcome out;
  out.action = static_cast<std::uint32_t>(native_run(&native_, &at));
  out.frame.assign(memory.begin() + static_cast<std::ptrdiff_t>(at.start),
                   memory.begin() + static_cast<std::ptrdiff_t>(at.start + at.length));
  dataplane::counter_values counted;
  std::copy(std::begin(native_.counters), std::end(native_.counters), counted.packets.begin());
  out.verdict = only_one_more(counted);
  return out;
}

std::vector<octets> program::by_the_agent(const octets& message) const {
  std::vector<octets> replies;
  for (std::size_t alternative = 0; alternative < 128; ++alternative) {
    auto reply = dns::respond(zones_, chosen_, {}, message, {.alternative = alternative});
    if (std::find(replies.begin(), replies.end(), reply) == replies.end()) replies.push_back(std::move(reply));
  }
  return replies;
}

octets program::by_the_agent(const query& q, std::uint32_t random) const {
  return dns::respond(zones_, chosen_, {}, q.message(),
                      {.random = random, .client = boost::asio::ip::make_address(q.source())});
}

}  // namespace nearside::tests
