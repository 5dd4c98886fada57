#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares the edge's XDP program with bare reflectors and with other servers; prints a table in Markdown.

All runs take turns: each round measures every scenario once, and ratios are taken within a round. docs/performance.md
tells the method. Needs root, and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from lab import Hands, Lab
from report import Figures, markdown
from scenarios import SCENARIOS, TABLE_SIZES, Scenario
from servers import SERVERS, Server

ROOT = Path(__file__).resolve().parents[2]
SERVER_NAMES = 1_000


def say(text: str) -> None:
    """Progress, beside the report."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Tables:
    """Our program and maps, once for each table size, in pin directories of their own."""

    def __init__(self, program: Path) -> None:
        self._base = Path(f"/sys/fs/bpf/nearside-bench-{os.getpid()}")
        self._program = program

    def __enter__(self) -> Tables:
        return self

    def pin(self, names: int) -> Path:
        """Where the tables with so many names are."""
        return self._base.with_name(f"{self._base.name}-{names}")

    def fill(self, names: int) -> None:
        """Publishes the names."""
        command = [str(self._program), "--pin", str(self.pin(names)), "--names", str(names)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or json.loads(done.stdout)["names"] < names:
            raise RuntimeError(f"{shlex.join(command)}: {done.stdout}{done.stderr}")

    def __exit__(self, *_: object) -> None:
        for names in TABLE_SIZES:
            shutil.rmtree(self.pin(names), ignore_errors=True)


def program_of(scenario: Scenario, tables: Tables) -> str:
    """What the hands attach or time."""
    return str(tables.pin(scenario.names) / "prog") if scenario.ours else scenario.program


def check(answer: dict, scenario: Scenario) -> None:
    """A rate counts only when every query came back, and ours only when it was answered rightly."""
    if scenario.answers and answer["returned"] < 0.999 * answer["sent"]:
        raise RuntimeError(f"{scenario}: {answer['sent'] - answer['returned']} of {answer['sent']} queries were lost")
    if not scenario.ours:
        return
    if answer["answered"] < 0.999 * answer["sent"] or answer["samples"] == 0:
        raise RuntimeError(f"{scenario}: only {answer['answered']} of {answer['sent']} queries were answered")
    if answer["complaint"]:
        raise RuntimeError(f"{scenario}: a wrong answer: {answer['complaint']}")


def measure_round(hands: Hands, tables: Tables, options: argparse.Namespace, figures: Figures) -> None:
    """Every scenario once."""
    for scenario in SCENARIOS:
        program = program_of(scenario, tables)
        hands.do("ask", scenario.names, scenario.drawn, scenario.form)
        hands.do("attach", program)
        hands.do("rate", options.seconds / 4)
        answer = hands.do("rate", options.seconds)
        check(answer, scenario)
        count = answer["answered"] if scenario.ours else answer["returned"] if scenario.answers else answer["sent"]
        figures.rate.setdefault(scenario, []).append(count / answer["seconds"])
        if scenario.answers:
            bare, whole = (min(hands.do("time", timed, options.repeat)["ns"] for _ in range(3)) for timed in ("send_back", program))
            figures.ns.setdefault(scenario, []).append(whole - bare)


def measure_servers(hands: Hands, lab: Lab, options: argparse.Namespace, figures: Figures, directory: Path) -> None:
    """Each server once, on the other core."""
    hands.do("attach", "pass")
    hands.do("ask", SERVER_NAMES, "uniform", "plain")
    for which in SERVERS:
        with Server(lab, which, options.server_core, SERVER_NAMES, directory / which):
            hands.do("rate", 0.3)
            answer = hands.do("rate", max(1.0, options.seconds))
        if answer["complaint"] or answer["samples"] == 0:
            raise RuntimeError(f"{which}: a wrong answer: {answer['complaint'] or answer}")
        figures.servers.setdefault(which, []).append(answer["answered"] / answer["seconds"])


def machine() -> str:
    """What it ran on."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 short rounds, under two minutes: to see a change, not to publish")
    parser.add_argument("--rounds", type=int, help="default 11; quick 3")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    parser.add_argument("--core", type=int, default=0, help="sends, receives and counts (default: %(default)s)")
    parser.add_argument("--server-core", type=int, default=1, help="runs the other servers (default: %(default)s)")
    parser.add_argument("--no-servers", action="store_true", help="leave the other servers out")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (3 if options.quick else 11)
    options.seconds = 0.4 if options.quick else 1.0
    options.repeat = 300_000 if options.quick else 1_000_000
    return options


def main() -> int:
    """Runs the rounds and prints the report."""
    options = parse(sys.argv[1:])
    if os.geteuid() != 0:
        print("packets.py: needs root, for namespaces and BPF", file=sys.stderr)
        return 1
    programs = options.build / "bench"
    if not (programs / "nearside_bench").exists() or not (programs / "nearside_bench_tables").exists():
        print(f"packets.py: {programs} holds no benchmark; build the preset `release` first (./dev bench does)", file=sys.stderr)
        return 1
    figures = Figures(load=os.getloadavg()[0])
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nearside-bench-")))
        tables = stack.enter_context(Tables(programs / "nearside_bench_tables"))
        for names in TABLE_SIZES:
            say(f"publishing {names:,} names")
            tables.fill(names)
        lab = stack.enter_context(Lab())
        hands = Hands(lab, programs / "nearside_bench", options.core)
        stack.callback(hands.close)
        for number in range(1, options.rounds + 1):
            say(f"round {number} of {options.rounds}")
            measure_round(hands, tables, options, figures)
            if not options.no_servers and number <= (1 if options.quick else 5):
                measure_servers(hands, lab, options, figures, directory / str(number))
    command = shlex.join(["./dev", "bench", *sys.argv[1:]])
    print(markdown(figures, command, machine(), SERVER_NAMES), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
