#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long a backbone node that is started again takes until it refers as before; prints a table in Markdown.

nearsided itself, with a store of many rows: from the start of its process to the first referral to the edge of the row that
covers who asks, over UDP. Once with maps made anew, as after a reboot, and once with those of the agent before.
docs/performance.md tells the method. Needs root.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from report import BUSY, met, spread

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "net"))

GOAL_S, GOAL_ROWS, PATIENCE_S = 1.0, 100_000, 60
CASES = ((10_000, 10), (100_000, 1), (100_000, 10))  # edges, and rows of each


def start(node: Any, source: str, edge: str) -> tuple[float, float, float]:
    """Seconds to the right referral; for reading the store, by the log; and until the kernel has all rows."""
    began = time.monotonic()
    process = node.begin()
    while node.referred_to(source) != edge:
        if not process.running or time.monotonic() - began > PATIENCE_S:
            raise RuntimeError(f"no referral to {edge}: {process.text()}")
        time.sleep(0.002)
    right = time.monotonic() - began
    process.wait_for_text("mapping loaded", timeout=PATIENCE_S)
    loaded = time.monotonic() - began
    found = re.search(r"edges of before .* took=(\d+)ms", process.text())
    assert found, process.text()
    process.stop()
    return right, int(found[1]) / 1000, loaded


def measure(rounds: int, edges: int, rows: int) -> dict[str, list[tuple[float, float, float]]]:
    """By whose maps they find, the figures of each start."""
    from backbone_alone import BackboneAlone, edge_name  # pylint: disable=import-outside-toplevel
    found: dict[str, list[tuple[float, float, float]]] = {"made anew": [], "of the agent before": []}
    with BackboneAlone() as node:
        source = node.resolver_of(edges // 2, rows)
        for _ in range(rounds):
            node.fill_store(edges, rows)
            for starts in found.values():
                starts.append(start(node, source, edge_name(edges // 2)))
            shutil.rmtree(node.pins)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one round: to see a change, not to publish")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    given = parser.parse_args()
    os.environ["NEARSIDE_BUILD"] = str(given.build.resolve())
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"  # as docs/operations.md has it for the service
    load = os.getloadavg()[0]
    print("| edges | rows | maps | right referral after, s | of it reading the store | the kernel refers after, s | goal |\n|---|---|---|---|---|---|---|")
    for edges, rows in CASES:
        for maps, starts in measure(given.rounds or (1 if given.quick else 5), edges, rows).items():
            right, read, loaded = (list(values) for values in zip(*starts))
            goal = f"under {GOAL_S:g} s: {met(median(right) < GOAL_S)}" if edges * rows == GOAL_ROWS else "-"
            print(f"| {edges:,} | {edges * rows:,} | {maps} | {spread(right)} | {spread(read)} | {spread(loaded)} | {goal} |", flush=True)
    print(f"\n`./dev bench restart`; {os.cpu_count()} cores.")
    if load > BUSY:
        print(f"**The machine was in use** (load {load:.1f} at the start): only for comparison.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
