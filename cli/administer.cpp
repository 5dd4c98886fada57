// SPDX-License-Identifier: BSD-2-Clause
// nearside up|down|drain|release PATTERN: what an operator says of servers, over all that is measured. The agent keeps
// it over a restart.
#include <pwd.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "agent/config/durations.hpp"
#include "cli/agent_verb.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

namespace json = boost::json;

struct administer_arguments {
  std::string pattern;
  std::string owner;
  std::string reason;
  std::string length;
  std::string socket = default_socket;
};

/// Who types: behind sudo the person, not root.
std::string usual_owner() {
  if (const char* person = std::getenv("SUDO_USER"); person != nullptr && *person != '\0') return person;
  const passwd* const user = ::getpwuid(::getuid());
  return user == nullptr ? std::to_string(::getuid()) : user->pw_name;
}

/// When the answers already given have run out.
std::string ending_text(const json::object& told) {
  const auto* end = told.if_contains("answers_end_s");
  if (end == nullptr || !end->is_number()) return "still in answers";
  const double seconds = end->to_number<double>();
  if (seconds <= 0) return "in no answer that is still kept";
  return "the last answers given out run out in " + std::to_string(static_cast<long>(std::ceil(seconds))) + " s";
}

result<void> administer(const char* state, const administer_arguments& given, bool as_json) {
  json::object request{{"verb", "administer"}, {"pattern", given.pattern}, {"state", state}};
  const bool said = std::string_view(state) != "none";
  if (said) {
    request["owner"] = given.owner.empty() ? usual_owner() : given.owner;
    request["reason"] = given.reason;
    if (!given.length.empty()) {
      const auto length = config::parse_duration(given.length);
      if (!length || length->count() == 0)
        return error{errc::invalid, "--for: expected a duration such as 30m or 2h, found \"" + given.length + "\""};
      request["seconds"] = std::chrono::duration<double>(*length).count();
    }
  }
  const bool ends = said && std::string_view(state) != "up";
  return show_answer(given.socket, request, as_json, [ends](const json::object& told) {
    for (const json::value& server : told.at("servers").as_array())
      std::cout << std::string_view(server.as_string()) << '\n';
    if (ends) std::cout << ending_text(told) << '\n';
  });
}

struct verb {
  const char* name;
  const char* state;
  const char* summary;
  const char* example;
};

void add(command_line& commands, const verb& about) {
  const auto arguments = std::make_shared<administer_arguments>();
  CLI::App& app = commands.add_verb(
      about.name, about.summary, about.example,
      [arguments, &commands, state = about.state] { return administer(state, *arguments, commands.common().json); });
  app.add_option("PATTERN", arguments->pattern, "A server's name, or a shell pattern for the servers there are now")
      ->required();
  if (std::string_view(about.state) != "none") {
    app.add_option("--reason", arguments->reason, "Why, for the others")->required();
    app.add_option("--owner", arguments->owner, "Who says it (default: who you are)");
    app.add_option("--for", arguments->length, "It ends by itself after this long: 30m, 2h, 1d")->type_name("DURATION");
  }
  add_socket_option(app, arguments->socket);
}

}  // namespace

void add_administer(command_line& commands) {
  add(commands, {"up", "up", "Force servers up, whatever is measured",
                 "nearside up fra1 --reason 'the check is wrong' --for 2h"});
  add(commands, {"down", "down", "Force servers down", "nearside down 'fra*' --reason 'the site is on fire'"});
  add(commands, {"drain", "drain", "Take servers out of new answers, and tell when those given out have run out",
                 "nearside drain fra1 --reason 'new kernel' --for 1h"});
  add(commands,
      {"release", "none", "End what was said of servers: what is measured counts again", "nearside release 'fra*'"});
}

}  // namespace nearside::cli
