// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/wording.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace nearside::config {
namespace {

constexpr std::size_t longest_shown = 64;
// Longer words are compared with nothing: the table of distances grows with the product of the lengths.
constexpr std::size_t longest_compared = 64;

/// Optimal string alignment distance of two words of at most longest_compared octets.
std::size_t distance(std::string_view a, std::string_view b) {
  // Filled as far as it is read.
  std::array<std::array<std::size_t, longest_compared + 1>, longest_compared + 1> cost;  // NOLINT(*-member-init)
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, longest_shown)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet >= 0x20 && octet < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += hexadecimal[octet >> 4];
      out += hexadecimal[octet & 15];
    }
  }
  if (text.size() > longest_shown) out += "...";
  return out + "\"";
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t fewest = longest_compared;
  if (word.size() > longest_compared) return best;
  for (const std::string_view candidate : known) {
    // The lengths alone tell of most words that they are not near.
    const std::size_t difference = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (difference >= fewest || candidate.size() > longest_compared) continue;
    const std::size_t edits = distance(word, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (edits > allowed || edits >= std::min(word.size(), candidate.size()) || edits >= fewest) continue;
    best = candidate;
    fewest = edits;
  }
  return best;
}

std::string alternatives(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += in_quotes(words[i]);
  }
  return out;
}

}  // namespace nearside::config
