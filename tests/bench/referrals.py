#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Referrals from the kernel beside answers of an edge, and the look-up of a client's site; prints tables in Markdown.

The same queries from the same clients go to all; runs take turns, and ratios are taken within a round. docs/performance.md
tells the method. Needs root, and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from lab import Hands, Lab
from packets import machine, say
from report import BUSY, met, spread

ROOT = Path(__file__).resolve().parents[2]
NAMES, CLIENTS = 1_000, 1_000_000
RATE_GOAL, LOOK_UP_GOAL_NS, LOAD_GOAL_S = 0.80, 100, 10


@dataclass(frozen=True)
class Case:
    """A program on the receiving veth, and who asks it."""

    title: str
    program: str = ""  # of kernel/reflect.bpf.c; empty: ours
    rows: int = 0
    sites: int = 0
    drawn: str = "uniform"
    form: str = "plain"

    @property
    def clients(self) -> int:
        """Who has no row at an edge asks all the same: the generator's part must be the same."""
        return self.rows or CLIENTS


EDGE = {form: Case("an edge's answer", form=form) for form in ("plain", "real")}
CASES = [Case("reflector growing by 16 octets", "reflect_growing"), EDGE["plain"],
         Case("referral", rows=1_000, sites=1_000),
         *[Case("referral", rows=CLIENTS, sites=sites, drawn=drawn) for sites in (1_000, 100_000) for drawn in ("zipf", "uniform")],
         EDGE["real"], *[Case("referral", rows=CLIENTS, sites=100_000, drawn=drawn, form="real") for drawn in ("zipf", "uniform")]]
GOALS = [case for case in CASES if case.rows == CLIENTS]
LOOK_UPS = (1_000, 10_000, 100_000, 1_000_000)


class Tables:
    """Pin directories, one for each number of rows and sites; 0: an edge's."""

    def __init__(self, program: Path) -> None:
        self._base = f"/sys/fs/bpf/nearside-bench-{os.getpid()}-rows"
        self._program = program
        self._made: list[Path] = []

    def __enter__(self) -> Tables:
        return self

    def pin(self, rows: int, sites: int) -> Path:
        """Where the tables with so many rows are."""
        return Path(f"{self._base}-{rows}-{sites}")

    def fill(self, rows: int, sites: int) -> None:
        """Publishes the names, and the mapping if there are rows."""
        self._made.append(self.pin(rows, sites))
        command = [str(self._program), "--pin", str(self.pin(rows, sites)), "--names", str(NAMES), "--rows", str(rows),
                   "--sites", str(max(sites, 1))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or json.loads(done.stdout)["names"] < NAMES:
            raise RuntimeError(f"{shlex.join(command)}: {done.stdout}{done.stderr}")

    def __exit__(self, *_: object) -> None:
        for pin in self._made:
            shutil.rmtree(pin, ignore_errors=True)


def measure(hands: Hands, tables: Tables, case: Case, options: argparse.Namespace) -> tuple[float, float]:
    """Answers a second over the veth, and ns a query by test run without what the wrapper takes."""
    program = case.program or str(tables.pin(case.rows, case.sites) / "prog")
    hands.do("ask", NAMES, case.drawn, case.form, case.clients, case.sites)
    hands.do("attach", program)
    hands.do("rate", options.seconds / 4)
    answer = hands.do("rate", options.seconds)
    counted = answer["returned"] if case.program else answer["answered"]
    if counted < 0.999 * answer["sent"] or (not case.program and (answer["complaint"] or answer["samples"] == 0)):
        raise RuntimeError(f"{case}: {counted} of {answer['sent']} answered; {answer['complaint']}")
    bare, whole = (min(hands.do("time", timed, options.repeat)["ns"] for _ in range(3)) for timed in ("send_back", program))
    return counted / answer["seconds"], whole - bare


def look_up(program: Path, rows: int) -> dict:
    """The figures of tables with so many rows of each family."""
    command = [str(program), "--pin", f"/sys/fs/bpf/nearside-bench-{os.getpid()}-clients", "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def rates_table(rates: dict[Case, list[float]], times: dict[Case, list[float]]) -> list[str]:
    """What a referral costs beside an edge's answer."""
    lines = ["| | rows | sites | clients | query | M answers/s: median (min-max) | of an edge's answers | goal | ns a query by test run |",
             "|---|---|---|---|---|---|---|---|---|"]
    for case in CASES:
        ratios = [ours / edge for ours, edge in zip(rates[case], rates[EDGE[case.form]], strict=True)]
        goal = f"{RATE_GOAL:.0%}: {met(median(ratios) >= RATE_GOAL)}".replace("%", " %") if case in GOALS else "-"
        asked = "EDNS, DO, COOKIE, mixed case" if case.form == "real" else "A"
        lines.append(f"| {case.title} | {f'{case.rows:,}' if case.rows else '-'} | "
                     f"{f'{case.sites:,}' if case.sites else '-'} | {f'{case.clients:,}'} {'by Zipf' if case.drawn == 'zipf' else 'uniform'} | {asked} | {spread(rates[case], 1e6)} | "
                     f"{spread([100 * r for r in ratios], digits=0)} % | {goal} | {spread(times[case], digits=0)} |")
    return lines


def look_ups_table(found: dict[int, list[dict]]) -> list[str]:
    """The look-up alone, loading, and memory."""
    lines = ["| rows of each family | IPv4, ns | IPv6, ns | load IPv4, s | load both, s | change 1,000, ms | kernel, MiB | agent, MiB |",
             "|---|---|---|---|---|---|---|---|"]
    maps = ("sites4", "rows4", "rows6", "mapping4", "mapping6")
    for rows, runs in found.items():
        memory = sum(runs[0][f"{name}_mib"] for name in maps)
        lines.append(f"| {rows:,} | {spread([r['ipv4_ns'] for r in runs], digits=0)} | {spread([r['ipv6_ns'] for r in runs], digits=0)} | "
                     f"{spread([r['load4_s'] for r in runs])} | {spread([r['load_both_s'] for r in runs])} | "
                     f"{spread([1000 * r['change_1000_s'] for r in runs], digits=1)} | {memory:.0f} | {runs[0]['agent_both_mib']:.0f} |")
    most = found[LOOK_UPS[-1]]
    four, both = median(r["ipv4_ns"] for r in most), median(r["load_both_s"] for r in most)
    return [*lines, "",
            f"- IPv4 look-up at {LOOK_UPS[-1]:,} rows: {four:.0f} ns; goal: at most {LOOK_UP_GOAL_NS}: {met(four <= LOOK_UP_GOAL_NS)}.",
            f"- Both tables of {LOOK_UPS[-1]:,} rows loaded in {both:.1f} s; goal: under {LOAD_GOAL_S}: {met(both < LOAD_GOAL_S)}."]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 short rounds, a minute and a half: to see a change, not to publish")
    parser.add_argument("--rounds", type=int, help="default 11; quick 3")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    parser.add_argument("--core", type=int, default=0, help="sends, receives and counts (default: %(default)s)")
    parser.add_argument("--no-look-ups", action="store_true", help="leave the look-up alone, loading and memory out")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (3 if options.quick else 11)
    options.seconds = 0.4 if options.quick else 1.0
    options.repeat = 300_000 if options.quick else 1_000_000
    return options


def main() -> int:
    """Runs the rounds and prints the report."""
    options = parse(sys.argv[1:])
    if os.geteuid() != 0:
        print("referrals.py: needs root, for namespaces and BPF", file=sys.stderr)
        return 1
    programs = options.build / "bench"
    if not (programs / "nearside_bench_clients").exists():
        print(f"referrals.py: {programs} holds no benchmark; build the preset `release` first (./dev bench does)", file=sys.stderr)
        return 1
    load = os.getloadavg()[0]
    rates: dict[Case, list[float]] = {case: [] for case in CASES}
    times: dict[Case, list[float]] = {case: [] for case in CASES}
    found: dict[int, list[dict]] = {}
    with ExitStack() as stack:
        tables = stack.enter_context(Tables(programs / "nearside_bench_tables"))
        for rows, sites in sorted({(case.rows, case.sites) for case in CASES}):
            say(f"publishing {NAMES:,} names, {rows:,} rows, {sites:,} sites")
            tables.fill(rows, sites)
        lab = stack.enter_context(Lab())
        hands = Hands(lab, programs / "nearside_bench", options.core)
        stack.callback(hands.close)
        for number in range(1, options.rounds + 1):
            say(f"round {number} of {options.rounds}")
            for case in CASES:
                rate, ns = measure(hands, tables, case, options)
                rates[case].append(rate)
                times[case].append(ns)
    for rows in () if options.no_look_ups else LOOK_UPS:
        say(f"looking up among {rows:,} rows")
        found[rows] = [look_up(programs / "nearside_bench_clients", rows) for _ in range(min(3, options.rounds))]
    command = shlex.join(["./dev", "bench", "referrals", *sys.argv[1:]])
    print("\n".join([*rates_table(rates, times), "", *(look_ups_table(found) if found else []), "",
                     f"`{command}`; {options.rounds} interleaved rounds; {machine()}."]))
    if load > BUSY:
        print(f"**The machine was in use** (load {load:.1f} at the start): only for comparison.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
