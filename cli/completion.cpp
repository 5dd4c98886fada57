// SPDX-License-Identifier: BSD-2-Clause
// nearside completion SHELL: prints a completion script made from the verbs and options that there are.
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>
#include <vector>

#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

/// One verb as a shell needs to know it.
struct verb_words {
  std::string verb;
  std::string description;
  std::vector<std::string> options;  // "--json"
  bool takes_interface = false;
  bool takes_file = false;
};

std::vector<verb_words> words_of(const CLI::App& program) {
  std::vector<verb_words> all;
  for (const CLI::App* verb : program.get_subcommands(nullptr)) {
    verb_words words{verb->get_name(), verb->get_description(), {}, false, false};
    words.description = words.description.substr(0, words.description.find_first_of(".;"));
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) words.options.push_back("--" + name);
      words.takes_interface |= option->get_positional() && option->get_name(true) == "IFACE";
      words.takes_file |= option->get_positional() && option->get_name(true) == "CONFIG";
    }
    all.push_back(std::move(words));
  }
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) (all += all.empty() ? "" : " ") += word;
  return all;
}

std::string verbs_joined(const std::vector<verb_words>& verbs) {
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const verb_words& v : verbs) names.push_back(v.verb);
  return joined(names);
}

std::string bash_script(const std::vector<verb_words>& verbs) {
  std::ostringstream out;
  out << "# bash completion for nearside: source <(nearside completion bash)\n"
         "_nearside() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      --pins) ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *) verb=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $before in\n"
         "    --mode) COMPREPLY=($(compgen -W 'native generic auto' -- \"$word\")); return ;;\n"
         "    --type) COMPREPLY=($(compgen -W 'A AAAA HTTPS SOA NS TXT MX CNAME SRV' -- \"$word\")); return ;;\n"
         "    --pins | --socket | --config) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
         "  esac\n"
         "  case $verb in\n"
         "    '') COMPREPLY=($(compgen -W '"
      << verbs_joined(verbs) << " --help --version --json --pins' -- \"$word\")) ;;\n";
  for (const verb_words& v : verbs) {
    out << "    " << v.verb << ")\n";
    if (v.takes_interface)
      out << "      [[ $word == -* ]] || COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- \"$word\"))\n";
    if (v.takes_file) out << "      [[ $word == -* ]] || COMPREPLY=($(compgen -f -- \"$word\"))\n";
    if (v.verb == "completion")
      out << "      [[ $word == -* ]] || COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\"))\n";
    out << "      COMPREPLY+=($(compgen -W '" << joined(v.options) << "' -- \"$word\")) ;;\n";
  }
  out << "  esac\n"
         "}\n"
         "complete -F _nearside nearside\n";
  return out.str();
}

/// zsh reads the script for bash through its own adapter: one script to keep right.
std::string zsh_script(const std::vector<verb_words>& verbs) {
  return "# zsh completion for nearside: source <(nearside completion zsh)\n"
         "autoload -Uz compinit bashcompinit\n"
         "(( $+functions[compdef] )) || compinit\n"
         "bashcompinit\n" +
         bash_script(verbs);
}

std::string fish_quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return "'" + text + "'";
}

std::string fish_script(const std::vector<verb_words>& verbs) {
  std::ostringstream out;
  out << "# fish completion for nearside: nearside completion fish | source\n"
         "complete -c nearside -f\n";
  for (const verb_words& v : verbs) {
    const std::string inside = "complete -c nearside -n '__fish_seen_subcommand_from " + v.verb + "'";
    out << "complete -c nearside -n __fish_use_subcommand -a " << v.verb << " -d " << fish_quoted(v.description)
        << '\n';
    for (const std::string& option : v.options) {
      out << inside << " -l " << option.substr(2);
      if (option == "--mode") out << " -xa 'native generic auto'";
      if (option == "--type") out << " -xa 'A AAAA HTTPS SOA NS TXT MX CNAME SRV'";
      if (option == "--pins" || option == "--socket" || option == "--config") out << " -rF";
      out << '\n';
    }
    if (v.takes_interface) out << inside << " -a '(command ls /sys/class/net)'\n";
    if (v.takes_file) out << inside << " -F\n";
    if (v.verb == "completion") out << inside << " -a 'bash zsh fish'\n";
  }
  return out.str();
}

result<void> print_script(const std::string& shell, const CLI::App& program, bool json) {
  const auto verbs = words_of(program);
  const std::string script = shell == "bash"  ? bash_script(verbs)
                             : shell == "zsh" ? zsh_script(verbs)
                                              : fish_script(verbs);
  if (json)
    print_json({{"shell", shell}, {"script", script}});
  else
    std::cout << script;
  return {};
}

}  // namespace

void add_completion(command_line& commands) {
  const auto shell = std::make_shared<std::string>();
  CLI::App& app = commands.add_verb(
      "completion", "A completion script for your shell",
      "source <(nearside completion bash)\n"
      "nearside completion fish > ~/.config/fish/completions/nearside.fish",
      [shell, &commands] { return print_script(*shell, commands.program(), commands.common().json); });
  app.add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace nearside::cli
