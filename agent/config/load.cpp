// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/load.hpp"

#include <utility>

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
  settings options = read_settings(root);
  auto zones = std::make_shared<const dns::zone_set>(read_zones(root, path.parent_path(), problems));
  root.finish();
  if (problems.size() > 0) return problems.take();
  return loaded{std::move(options), std::move(zones), {}};
}

}  // namespace nearside::config
