# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Part of ./dev: running the tests and the fuzzers. Each run leaves a report in build/test-results for scripts/tally.py.

readonly results=build/test-results
# Up to this second of a whole run, the builds beside dev are begun. A first build on two cores, without what ccache
# keeps, has used that up when the tests are done.
readonly builds_until=${NEARSIDE_BUILDS_UNTIL:-420}

# run_ctest PRESET LABELS [ARGUMENT...]: the labels are a regular expression.
run_ctest() {
  local preset=$1 labels=$2
  shift 2
  say "ctest: $labels ($preset)"
  rm -f "build/$preset/test-results/"*.count
  # Failures are counted by scripts/tally.py, from the report; the other tests still run.
  ctest --test-dir "build/$preset" --label-regex "^($labels)\$" --parallel "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$PWD/$results/$preset-${labels//|/-}.ctest.xml" "$@" || true
}

# run_pytest NAME PATH [ARGUMENT...]
run_pytest() {
  local name=$1 path=$2
  shift 2
  say "pytest: $path"
  "$python" -B -m pytest -p no:cacheprovider -ra --durations=5 --junitxml="$results/$name.pytest.xml" "$path" "$@" || true
}

run_vm() {
  say "virtual machines with other kernels"
  local status=0
  NEARSIDE_BUILD=$PWD/build/dev "$python" tests/vm/run.py "$@" || status=$?
  ((status == 0)) || die "tests/vm/run.py failed (exit status $status)"
}

# build_meanwhile PRESET: the rest of it, in the time that nobody else wants, since the labs mostly wait. In a session of
# its own, since the kernel shares the time among sessions first. Sets `meanwhile`, to be waited for.
build_meanwhile() {
  local preset=$1
  say "building the rest of $preset beside the labs"
  setsid --wait bash -c '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 "$@"' build \
    cmake --build --preset "$preset" --parallel "$jobs" >"$results/build-meanwhile.log" 2>&1 &
  meanwhile=$!
}

run_all() {
  local meanwhile
  build_preset dev nearsided nearside respond_stdio backbone_node fill_store
  build_meanwhile dev
  run_pytest net tests/net
  wait "$meanwhile" || { tail -n 100 "$results/build-meanwhile.log"; die "the tests do not build"; }
  build_preset dev
  run_ctest dev 'unit|bpf|fuzz'
  run_pytest docs tests/docs
  # Demo and bench run the release build, where the compiler sees more: it must not break unseen.
  if ((SECONDS < builds_until)); then
    build_preset release nearsided nearside nearside_bench nearside_bench_tables
  else
    say "no time left for the release build: ./dev build release"
  fi
  if ((SECONDS < builds_until)); then
    build_preset asan sanitized_tests
    run_ctest asan 'unit|fuzz'
  else
    say "no time left for the sanitizers: ./dev build asan && ctest --test-dir build/asan -L 'unit|fuzz'"
  fi
}

do_test() {
  local kind=${1:-all}
  shift || true
  case $kind in
    all | unit | bpf | net | fuzz | docs | vm) ;;
    *) die "there is no kind of test '$kind'; ./dev test --help lists them" ;;
  esac
  # In CI what cannot run is a failure: the labs are told, and the tally is.
  if [[ ${CI:-} == true ]]; then
    export NEARSIDE_NO_SKIP=1
  fi
  do_setup
  rm -rf "$results"
  mkdir -p "$results"
  export NEARSIDE_BUILD=$PWD/build/dev
  # A leak report at exit would hide behind the test's own status; the frames of g++'s inlined code are worth having.
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  case $kind in
    all) run_all ;;
    unit | bpf | fuzz) build_preset dev; run_ctest dev "$kind" "$@" ;;
    net | docs) build_preset dev nearsided nearside respond_stdio backbone_node fill_store; run_pytest "$kind" "tests/$kind" "$@" ;;
    vm) build_preset dev; run_vm "$@"; return ;;
  esac
  say "done; the reports are in $results"
  "$python" scripts/tally.py "$results" build
}

do_fuzz() {
  local total=600 target name each targets=()
  if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    total=$1
    shift
  fi
  build_preset fuzz fuzz_targets
  if (($# > 0)); then
    targets=("${@/#/build/fuzz/tests/fuzz/}")
  else
    for target in build/fuzz/tests/fuzz/fuzz_*; do
      if [[ -f $target && -x $target ]]; then targets+=("$target"); fi
    done
  fi
  ((${#targets[@]} > 0)) || die "there are no fuzz targets in build/fuzz/tests/fuzz"
  each=$((total / ${#targets[@]}))
  ((each > 0)) || each=1
  mkdir -p build/fuzz/findings
  for target in "${targets[@]}"; do
    name=${target##*/}
    [[ -x $target ]] || die "there is no fuzz target '$name'"
    mkdir -p "build/fuzz/corpus/$name"
    say "$name for $each s"
    "$target" -max_total_time="$each" -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$name-" \
      "build/fuzz/corpus/$name" "tests/fuzz/seeds/${name#fuzz_}"
  done
  say "nothing found in $total s"
}
