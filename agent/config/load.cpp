// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/load.hpp"

#include <utility>

#include "agent/config/pools.hpp"
#include "agent/config/read_checks.hpp"
#include "agent/config/read_probing.hpp"
#include "agent/config/read_servers.hpp"
#include "agent/config/read_settings.hpp"
#include "agent/config/read_zones.hpp"
#include "agent/config/text_file.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {
namespace {

constexpr std::uintmax_t largest_file = 64ull << 20;

}  // namespace

std::variant<loaded, std::vector<problem>> load(const std::filesystem::path& path) {
  const auto text = read_file(path, largest_file);
  if (!text) return std::vector{problem{path.string(), 0, 0, text.error().message}};
  return load_text(*text, path);
}

std::variant<loaded, std::vector<problem>> load_text(std::string_view text, const std::filesystem::path& path) {
  problem_list problems(path.string());
  const auto document = toml_document::parse(text, problems);
  if (!document) return problems.take();

  table_reader root = document->root(problems);
  const std::filesystem::path folder = path.parent_path();
  settings options = read_settings(root, folder);
  measuring measured;
  read_probing(root, measured.probe, measured.latency);
  check_list checks = read_checks(root, folder);
  const server_list servers = read_servers(root, checks.names, problems);
  pool_list pools(checks.all);
  const node_roles roles{.is_backbone = root.has("backbone"), .registers = root.has("registration")};
  std::vector<mapped_name> mapped;
  auto zones = std::make_shared<const dns::zone_set>(
      read_zones(root, folder, {checks, servers, pools, roles, mapped}, problems));
  root.finish();
  if (problems.size() > 0) return problems.take();
  pools.move_into(measured);
  measured.checks = std::move(checks.all);
  return loaded{std::move(options), std::move(zones), std::move(measured), std::move(mapped)};
}

}  // namespace nearside::config
