# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Part of ./dev: how the sources look, and what can be said about them without running them.

# C, C++ and BPF sources that git knows or would add.
c_sources() { git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cpp' '*.hpp' | existing; }
existing() { while read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done; }
all_sources() { git ls-files --cached --others --exclude-standard | existing; }

do_format() {
  c_sources | xargs -r clang-format-14 -i --style=file
  say "formatted"
}

# Every file that can carry a comment says its licence in the first five lines.
without_licence() {
  local file
  all_sources | grep -v '^tests/fuzz/seeds/' |
    grep -E '(\.(c|h|cpp|hpp|py|sh|cmake|toml)|CMakeLists\.txt|^dev|^\.ci/run)$' | while read -r file; do
    head -n 5 "$file" | grep -q 'SPDX-License-Identifier:' || echo "$file: no SPDX-License-Identifier"
  done
}

# Words that promise work instead of doing it. Spelled so that this line does not find itself.
unfinished() { all_sources | grep -v '^LICENSES/' | xargs -r grep -nIE '\b(TO''DO|FIX''ME|XX''X)\b' || true; }

# check NAME COMMAND...: fails when the command fails or prints something.
failed_checks=()
check() {
  local name=$1 found status=0
  shift
  say "$name"
  found=$("$@" 2>&1) || status=$?
  if ((status != 0)) || [[ -n $found ]]; then
    printf '%s\n' "$found" >&2
    failed_checks+=("$name")
  fi
}

check_format() { c_sources | xargs -r clang-format-14 --style=file --dry-run -Werror; }
check_shell() { shellcheck -x dev .ci/run; }  # -x: with the scripts that dev sources
check_python() { all_sources | grep '\.py$' | xargs -r "$python" -m pyflakes; }

check_tidy() {
  local log=$logs/clang-tidy.log status=0
  # Only what clang-tidy complains about: its progress and counts of suppressed warnings are no findings.
  run-clang-tidy-14 -quiet -j "$jobs" -p build/dev "$PWD/(agent|cli)/.*\.cpp" >"$log" 2>&1 || status=$?
  grep -E '(warning|error):' "$log" | sort -u
  return "$status"
}

do_lint() {
  mkdir -p "$logs"
  check "formatting" check_format
  check "licence headers" without_licence
  check "unfinished work" unfinished
  check "shell scripts" check_shell
  check "Python scripts" check_python
  if [[ ${1:-} != fast ]]; then
    build_preset dev
    check "clang-tidy" check_tidy
  fi
  ((${#failed_checks[@]} == 0)) || die "lint: ${failed_checks[*]}"
  say "nothing to complain about"
}
