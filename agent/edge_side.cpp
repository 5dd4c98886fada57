// SPDX-License-Identifier: BSD-2-Clause
#include "agent/edge_side.hpp"

#include <utility>

#include "agent/dns/rr_type.hpp"

namespace nearside {
namespace {

registration::settings settings_of(const config::loaded& from) {
  const config::registration_settings& options = *from.options.registration;
  registration::settings all;
  // The name is one: the configuration has been checked.
  all.edge = dns::name::from_text(from.options.node.name)->lower().text();
  all.addresses = options.addresses;
  for (const config::registration_target& target : options.backbones) {
    std::string name = target.name;
    name.pop_back();
    all.backbones.push_back(
        {.name = name,
         .host = target.point.address.to_string(),
         .port = target.point.port,
         .server_name = name,
         .tls = {.ca = options.tls.ca, .certificate = options.tls.certificate, .key = options.tls.key}});
  }
  for (const auto& address : options.resolvers) all.resolvers.fixed.push_back({.address = address});
  all.resolvers.resolv_conf = options.resolv_conf;
  all.resolvers.systemd_resolved = options.systemd_resolved;
  all.discovery.burst = options.burst;
  all.discovery.trickle = options.trickle;
  all.discovery.row_age = options.row_age;
  all.registrar.lifetime = options.lifetime;
  all.registrar.report_refresh = options.refresh;
  return all;
}

}  // namespace

/// Says what the registration's newest answer has said.
class edge_side::parent_servers final : public dns::mapping {
 public:
  explicit parent_servers(const registration::registration& from) : from_(from) {}

  [[nodiscard]] dns::decision decide(std::uint32_t, const dns::origin&, const dns::draw_numbers&) const override {
    return dns::direct_answer{};
  }
  [[nodiscard]] const dns::node* find(std::span<const std::uint8_t>) const override { return nullptr; }
  [[nodiscard]] const dns::rrset* servers_at(const dns::zone&, const dns::origin& asked) const override {
    const auto said = from_.servers_for(asked.source);
    if (said.names.empty()) return nullptr;
    auto& made = made_[said.names];
    made.type = dns::rr_type::ns;
    made.ttl = said.ttl;
    if (made.rdatas.empty()) {
      for (const std::string& name : said.names) {
        const auto wire = dns::name::from_text(name);
        if (!wire) continue;
        made.rdatas.emplace_back(wire->wire().begin(), wire->wire().end());
      }
    }
    return &made;
  }
  [[nodiscard]] std::shared_ptr<const dns::made_answer> make(const dns::name&, std::uint16_t,
                                                             const dns::origin&) const override {
    return nullptr;
  }
  void forget() const { made_.clear(); }

 private:
  const registration::registration& from_;
  mutable std::map<std::vector<std::string>, dns::rrset> made_;  // by names: they stay until others are said
};

result<std::unique_ptr<edge_side>> edge_side::make(const boost::asio::any_io_executor& executor,
                                                   const config::loaded& from) {
  std::unique_ptr<edge_side> made(new edge_side);
  auto on_servers = [side = made.get()] {
    if (side->parent_) static_cast<const parent_servers&>(*side->parent_).forget();
  };
  auto registration = registration::registration::make(executor, settings_of(from), on_servers);
  if (!registration) return registration.error();
  made->registration_ = std::move(*registration);
  made->parent_ = std::make_shared<parent_servers>(*made->registration_);
  return made;
}

edge_side::~edge_side() = default;

}  // namespace nearside
