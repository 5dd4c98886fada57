#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The policy `latency` in a seeded simulation beside other rules, how fast a decision is in the kernel, and a replay; a
report in Markdown. docs/performance.md tells the method. The simulation needs nothing, the second part root."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from statistics import mean, median

ROOT = Path(__file__).resolve().parents[2]

# Excess in ms at TTL 20; seconds until 99 % have left, at p95, by TTL; changes an hour on a calm day; ms in the kernel; s of a replay.
GOAL_EXCESS, GOAL_LEFT, GOAL_CALM, GOAL_MEDIAN, GOAL_P99, GOAL_REPLAY = 2.1, {20: 21.0, 5: 6.0}, 0.2, 1.0, 10.0, 5.0

RULES = {"round-robin": "round robin", "thresholds": "nearest at first, counts of 10 and 20", "nearest": "least SRTT, at once",
         "ours": "**latency**", "perfect": "the truth at every instant"}


def run(*command: str) -> dict:
    """Runs one program to its end; its JSON."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def met(good: bool) -> str:
    return "met" if good else "**fell short**"


def simulate(program: Path, options: argparse.Namespace, *arguments: str) -> list[dict]:
    """The same simulation in several worlds."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda seed: run(str(program), "--seed", str(seed), "--days", str(options.days), *arguments),
                             range(1, options.seeds + 1)))


def spread(found: list[dict], key: str, digits: int = 2) -> str:
    """Mean over the worlds, the least and the greatest."""
    values = [world[key] for world in found]
    return f"{mean(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def simulation(program: Path, options: argparse.Namespace) -> None:
    """The table of rules, and the goals."""
    print("| rule | ms a request above an oracle | changes an hour | of them needless | s until 99 % have left a dead server: "
          "median | p95 |\n|---|---|---|---|---|---|")
    for rule, title in RULES.items():
        found = simulate(program, options, "--rule", rule)
        changes = ("-", "-") if rule == "round-robin" else (spread(found, "changes_an_hour"), spread(found, "needless_an_hour"))
        left = ("-", "-") if rule == "round-robin" else (spread(found, "leave_median_s", 1), spread(found, "leave_p95_s", 1))
        print("|", " | ".join((title, spread(found, "excess_ms"), *changes, *left)), "|", flush=True)
        if rule == "ours":
            ours = found
    short = simulate(program, options, "--ttl", "5")
    calm = simulate(program, options, "--calm")
    excess = mean(world["excess_ms"] for world in ours)
    print(f"\n- Excess at TTL 20: {excess:.2f} ms; goal: at most {GOAL_EXCESS}: {met(excess <= GOAL_EXCESS)}.")
    for ttl, found in ((20, ours), (5, short)):
        left = median(world["leave_p95_s"] for world in found)
        print(f"- TTL {ttl}: 99 % have left a dead server after {left:.1f} s at p95 (the median world); goal: at most "
              f"{GOAL_LEFT[ttl]:.0f}: {met(left <= GOAL_LEFT[ttl])}.")
    changes = mean(world["changes_an_hour"] for world in calm)
    print(f"- On a calm day {changes:.3f} changes an hour; goal: at most {GOAL_CALM}: {met(changes <= GOAL_CALM)}.")


def decision(program: Path, options: argparse.Namespace) -> None:
    """From the deciding sample to the words in the maps."""
    print("\n| names on the server | pools | ms from the deciding sample to the kernel: median | p99 | greatest |\n|---|---|---|---|---|")
    for pools in (1, 100, 1000, 10_000):
        pin = Path(f"/sys/fs/bpf/nearside-bench-decision-{os.getpid()}-{pools}")
        rounds = options.rounds if pools <= 1000 else max(20, options.rounds // 10)
        try:
            found = run(str(program), "--pin", str(pin), "--pools", str(pools), "--rounds", str(rounds))
        finally:
            shutil.rmtree(pin, ignore_errors=True)
        goal = "" if pools > 1 else f" {met(found['median_ms'] <= GOAL_MEDIAN)}, goal {GOAL_MEDIAN:.0f}"
        goal99 = "" if pools > 1 else f" {met(found['p99_ms'] <= GOAL_P99)}, goal {GOAL_P99:.0f}"
        print(f"| {found['names']:,} | {found['pools']:,} | {found['median_ms']:.3f}{goal} | {found['p99_ms']:.3f}{goal99} | "
              f"{found['max_ms']:.3f} |", flush=True)


def recording(samples: int) -> str:
    """As many samples as are asked for, of 12 ISPs and 8 servers, one in five hundred lost; always the same."""
    random = Random(1)
    isps, servers = [f"isp{i}" for i in range(12)], [f"s{i}" for i in range(8)]
    lines = [json.dumps({"type": "start", "isps": isps, "servers": servers, "interval_s": 5.0, "timeout_s": 1.0, "rechecks": 2,
                         "ttl_s": 20.0})]
    usual = {pair: random.lognormvariate(3.8, 0.7) for pair in itertools.product(isps, servers)}
    for number, (isp, server) in zip(range(samples), itertools.cycle(usual)):
        lost = random.random() < 0.002
        took = "null" if lost else f"{usual[isp, server] + random.expovariate(1):.3f}"
        lines.append(f'{{"type":"sample","t":{number * 5 / 96:.3f},"isp":"{isp}","server":"{server}","ok":{json.dumps(not lost)},'
                     f'"first_byte_ms":{took},"reason":"{"timeout" if lost else ""}"}}')
    return "\n".join([*lines, '{"type":"end"}', ""])


def replay(program: Path, options: argparse.Namespace) -> None:
    """How long a million samples take."""
    text = recording(options.samples)
    took = []
    for _ in range(5):
        began = time.monotonic()
        done = subprocess.run([str(program), "replay", "-"], input=text, capture_output=True, text=True, check=True)
        took.append(time.monotonic() - began)
    if not done.stdout.startswith('{"t":'):
        raise RuntimeError("the replay tells nothing")
    goal = f"; goal: under {GOAL_REPLAY:.0f}: {met(median(took) < GOAL_REPLAY)}" if options.samples == 1_000_000 else ""
    print(f"\n- `nearside replay` takes {median(took):.2f} ({min(took):.2f}-{max(took):.2f}) s for {options.samples:,} samples, "
          f"{len(done.stdout.splitlines()):,} changes{goal}.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two worlds of half a day")
    parser.add_argument("--seeds", type=int, help="worlds (default 8; quick 2)")
    parser.add_argument("--days", type=float, help="of each world (default 2; quick 0.5)")
    parser.add_argument("--rounds", type=int, default=300, help="of the second part (default: %(default)s)")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=1_000_000, help="of the recording that is replayed (default: %(default)s)")
    options = parser.parse_args()
    options.seeds = options.seeds or (2 if options.quick else 8)
    options.days = options.days or (0.5 if options.quick else 2)
    if os.geteuid() != 0:
        print("choosing.py: the second part needs root, for BPF maps", file=sys.stderr)
        return 1
    simulation(options.build / "bench/nearside_bench_latency", options)
    decision(options.build / "bench/nearside_bench_decision", options)
    replay(options.build / "cli/nearside", options)
    print(f"\n`{shlex.join(['./dev', 'bench', 'choosing', *sys.argv[1:]])}`; {options.seeds} worlds of {options.days:g} days, 8 servers, "
          "12 ISPs; means over the worlds, the least and the greatest.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
