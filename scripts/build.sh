# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Part of ./dev: what must be there, and compiling.

missing_packages() {
  local package
  while read -r package; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i' || echo "$package"
  done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' packages.txt)
}

# Services that come with a package (BIND, Knot, nginx) must not start: a policy that forbids it, for this installation.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  saved=
  if [[ -e $policy ]]; then
    saved=$(mktemp -d)
    mv "$policy" "$saved/"
  fi
  trap 'rm -f "$policy"; if [[ -n $saved ]]; then mv "$saved/policy-rc.d" "$policy"; rmdir "$saved"; fi' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends "$@"
)

do_setup() {
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} > 0)); then
    ((EUID == 0)) || die "these packages are missing, and only root can install them: ${missing[*]}"
    say "installing ${#missing[@]} packages: ${missing[*]}"
    logged setup install_packages "${missing[@]}"
  fi
  if ((EUID == 0)) && [[ $(stat -f -c %T /sys/fs/bpf 2>/dev/null) != bpf_fs ]]; then
    say "mounting bpffs at /sys/fs/bpf"
    mkdir -p /sys/fs/bpf 2>/dev/null || true
    mount -t bpf bpf /sys/fs/bpf || say "bpffs cannot be mounted here: what needs it will say so"
  fi
  say "everything is installed"
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  say "building $preset into build/$preset"
  logged "configure-$preset" cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
}

do_build() {
  local preset=${1:-dev}
  case $preset in
    dev | release | asan | tsan | coverage | fuzz) ;;
    *) die "there is no preset '$preset'; ./dev build --help lists them" ;;
  esac
  build_preset "$preset"
  say "built: build/$preset"
}

do_demo() {
  local demo=demo
  if [[ ${1:-} == full ]]; then
    demo=demo_full
    shift
  fi
  do_setup
  build_preset release nearsided nearside
  NEARSIDE_BUILD=$PWD/build/release exec "$python" "tests/net/$demo.py" "$@"
}

do_bench() {
  local kinds=(packets referrals choosing probing registrations restart) kind
  case ${1:-} in
    packets | referrals | choosing | probing | registrations | restart) kinds=("$1"); shift ;;
  esac
  do_setup
  build_preset release
  export NEARSIDE_BUILD=$PWD/build/release
  for kind in "${kinds[@]}"; do
    say "bench: $kind"
    "$python" "tests/bench/$kind.py" "$@"
  done
}
