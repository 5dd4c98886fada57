// SPDX-License-Identifier: BSD-2-Clause
// A folder of its own for each test, with the usual configuration in it; the test changes one thing.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/config/load.hpp"

namespace nearside::config {

/// What every configuration needs, in three lines: a zone that follows begins in line 4.
inline const std::string usual_edge = "[edge]\nlisten = [\"192.0.2.53\"]\n\n";
/// The same of a backbone node, and of an edge that registers, in four lines.
inline const std::string usual_backbone_node =
    "backbone = { listen = [\"192.0.2.53\"], nonce_zone = \"b1.who.lb.example.com\", client_ca = \"ca.pem\", "
    "certificate = \"b1.pem\", key = \"b1.key\" }\n\n\n\n";
inline const std::string usual_registering_edge =
    "edge = { listen = [\"192.0.2.53\"] }\n"
    "registration = { ca = \"ca.pem\", certificate = \"e1.pem\", key = \"e1.key\", "
    "backbone = [{ address = \"192.0.2.1\", name = \"b1.example.com\" }] }\n\n\n";
/// A whole zone but for what a test adds to its end, in three lines.
inline const std::string usual_zone = "[[zone]]\nname = \"lb.example.com\"\nns = [\"ns.example.net\"]\n";

class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "nearside-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// The problems as a person sees them, the folder's name left out.
inline std::vector<std::string> problems_of(const std::variant<loaded, std::vector<problem>>& result) {
  std::vector<std::string> lines;
  if (const auto* found = std::get_if<std::vector<problem>>(&result)) {
    for (const problem& p : *found) {
      problem shown = p;
      shown.file = std::filesystem::path(p.file).filename();
      lines.push_back(to_string(shown));
    }
  }
  return lines;
}

inline std::vector<std::string> problems_of(std::string_view text) {
  const folder place;
  return problems_of(load(place.write("edge.toml", text)));
}

/// Fails the test where there is any problem.
inline loaded load_whole(std::string_view text) {
  const folder place;
  auto result = load(place.write("edge.toml", text));
  for (const std::string& line : problems_of(result)) UNSCOPED_INFO(line);
  REQUIRE(std::holds_alternative<loaded>(result));
  return std::get<loaded>(std::move(result));
}

using lines = std::vector<std::string>;

}  // namespace nearside::config
