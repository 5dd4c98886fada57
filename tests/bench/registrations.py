#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What registering costs a backbone node: one process on one core, edges on another.

Prints tables in Markdown: messages over kept connections, connections made anew, memory of connections, and port checks.
docs/performance.md tells the method.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "net"))

GOAL_MESSAGES = 5000
HANDSHAKES = 32  # that a node lets one address have under way
CASES = (
    ("register, 2 egresses, kept connections", ["--message", "register"]),
    ("renew, kept connections", ["--message", "renew"]),
    ("renew, each by a whole handshake", ["--message", "renew", "--connect"]),
    ("renew, each by a resumed session", ["--message", "renew", "--connect", "--resume"]),
)


def met(good: bool) -> str:
    return "met" if good else "**fell short**"


def resident_kib(pid: int) -> int:
    """Memory that a process has in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def load(program: Path, node: Any, directory: Path, edges: int, seconds: int, more: list[str], core: int) -> dict:
    """Runs the edges of one case against the node."""
    words = ["taskset", "-c", str(core), str(program), "--directory", str(directory), "--port", str(node.port),
             "--edges", str(edges), "--seconds", str(seconds), *more]
    client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdin and client.stdout
    before = 0.0
    for line in client.stdout:
        line = line.strip()
        if line.startswith("sight "):
            node.ask(line)
        elif line in ("ready", "begin"):
            before = node.ask("counters")["cpu_seconds"]
            client.stdin.write("\n")
            client.stdin.flush()
        else:
            found = json.loads(line)
            found["cpu_us"] = 1e6 * (node.ask("counters")["cpu_seconds"] - before) / max(1, found["answered"])
            client.stdin.close()
            client.wait(timeout=10)
            return found
    raise RuntimeError(f"the edges ended with {client.wait()}")


def messages(given: argparse.Namespace, program: Path, ca: Any, start: Any, work: Path) -> None:
    """Accepted messages a second, by case."""
    for i in range(given.edges):
        ca.issue(f"e{i}", f"DNS:e{i}.ns.lb.example.com")
    print("| message | accepted a second | node's CPU a message | so one core takes | median, p99 | goal |\n|---|---|---|---|---|---|")
    for name, more in CASES:
        node = start("--store", str(work / "bench.mdb"), name="b1")
        edges = min(given.edges, HANDSHAKES) if "--connect" in more else given.edges
        found = load(program, node, ca.directory, edges, given.seconds, more, given.edge_core)
        node.stop()
        rate = found["answered"] / found["seconds"]
        possible = 1e6 / found["cpu_us"]
        goal = met(rate >= GOAL_MESSAGES) + f" ({GOAL_MESSAGES:,})" if name.startswith("register") else "-"
        note = f", {found['resumed']} resumed" if "--resume" in more else ""
        if found["refused"] or found["failed"]:
            note += f", {found['refused']} refused, {found['failed']} failed"
        print(f"| {name} | {rate:,.0f}{note} | {found['cpu_us']:.0f} us | {possible:,.0f}/s | "
              f"{found['median_ms']:.2f} ms, {found['p99_ms']:.2f} ms | {goal} |", flush=True)


def connections(given: argparse.Namespace, ca: Any, start: Any) -> None:
    """Memory of connections that are open and quiet."""
    from backbone_io import Edge  # pylint: disable=import-outside-toplevel
    node = start("--connections", "16384", name="b1")
    edge = Edge(ca, "e0", ca.issue("quiet", "DNS:e0.ns.lb.example.com"))
    context = edge.context()
    kept: list[Any] = []

    def one_more() -> None:
        raw = socket.create_connection(("127.0.0.1", node.port))
        kept.append(context.wrap_socket(raw, server_hostname="127.0.0.1"))
    for _ in range(50):
        one_more()
    before = resident_kib(node.pid)
    for _ in range(given.connections):
        one_more()
    assert node.counter("https", "connections") >= given.connections
    each = (resident_kib(node.pid) - before) / given.connections
    print(f"\nA connection that is open and quiet: {each:.0f} KiB of the node's memory "
          f"({given.connections} connections; the default's 4,096 are {each * 4:.0f} MiB).", flush=True)
    node.stop()


def checks(given: argparse.Namespace) -> None:
    """What a port check costs."""
    program = given.build / "bench/nearside_bench_port_check"
    print("\n| port checks | a second | of one core | CPU a check | late ticks |\n|---|---|---|---|---|")
    for edges, interval in ((10_000, 5000), (100_000, 5000)):
        done = subprocess.run(["taskset", "-c", str(given.node_core), str(program), "--edges", str(edges), "--interval-ms",
                               str(interval), "--seconds", str(given.seconds), "--responder-core", str(given.edge_core)],
                              check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        print(f"| {edges:,} addresses every {interval / 1000:g} s | {found['checks_per_second']:,.0f} | "
              f"{100 * found['cpu_share']:.1f} % | {found['cpu_us_per_check']:.1f} us | {found['late']} |", flush=True)
        if found["failed"]:
            print(f"({found['failed']} failed: the responder shares this machine)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each case (default: %(default)s)")
    parser.add_argument("--edges", type=int, default=64, help="connections that register (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=1000, help="quiet ones, for their memory (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="to see a change, not to publish")
    parser.add_argument("--only", choices=("messages", "connections", "checks"))
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    given = parser.parse_args()
    if given.quick:
        given.seconds, given.edges, given.connections = 2, 32, 200
    given.build = given.build.resolve()
    os.environ["NEARSIDE_BUILD"] = str(given.build)
    program = given.build / "bench/nearside_bench_registrations"
    cores = sorted(os.sched_getaffinity(0))
    if not program.exists() or len(cores) < 2:
        print(f"registrations.py: needs two cores, and {program} (./dev bench builds it)", file=sys.stderr)
        return 1
    given.node_core, given.edge_core = cores[0], cores[1]
    from authority import Authority  # pylint: disable=import-outside-toplevel
    from backbone_io import Node  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory(prefix="nearside-registrations-") as directory:
        work = Path(directory)
        ca = Authority(work / "ca")

        def start(*options: str, name: str) -> Node:
            """The node, on its core and on no other."""
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {given.node_core})
            try:
                return Node(ca, work / f"{name}.log", *options, name=name)
            finally:
                os.sched_setaffinity(0, before)
        if given.only in (None, "messages"):
            messages(given, program, ca, start, work)
        if given.only in (None, "connections"):
            connections(given, ca, start)
        if given.only in (None, "checks"):
            checks(given)
    print(f"\n`tests/bench/registrations.py`; {given.seconds} s a case; {os.cpu_count()} cores; load "
          f"{os.getloadavg()[0]:.1f} at the end.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
