// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/master_lines.hpp"

namespace nearside::dns {

bool master_lines::next(master_entry& entry) {
  while (!rest_.empty()) {
    read_entry(entry);
    const bool blank = entry.text.find_first_not_of(" \t") == std::string::npos;
    if (!blank || !entry.fault.empty()) return true;
  }
  return false;
}

void master_lines::read_entry(master_entry& entry) {
  entry = {{}, line_, {}};
  bool quoted = false;
  bool comment = false;
  std::size_t open = 0;
  while (!rest_.empty()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') {
      ++line_;
      comment = false;
      if (quoted) entry.fault = "a quoted string does not end on its line";
      if (quoted || open == 0) return;
      entry.text += ' ';
    } else if (comment || c == '\r') {
      continue;
    } else if (static_cast<unsigned char>(c) < ' ' && c != '\t') {
      entry.fault = "a control character";
    } else if (c == '\\') {
      entry.text += c;
      // What is escaped means itself, but a line end still ends the line.
      if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) >= ' ') {
        entry.text += rest_.front();
        rest_.remove_prefix(1);
      }
    } else if (c == '"') {
      quoted = !quoted;
      entry.text += c;
    } else if (!quoted && c == ';') {
      comment = true;
    } else if (!quoted && c == '(') {
      ++open;
      entry.text += ' ';
    } else if (!quoted && c == ')') {
      if (open == 0) entry.fault = "\")\" without \"(\"";
      if (open > 0) --open;
      entry.text += ' ';
    } else {
      entry.text += c;
    }
  }
  if (quoted) entry.fault = "a quoted string does not end on its line";
  if (open > 0) entry.fault = "\"(\" without \")\"";
}

}  // namespace nearside::dns
