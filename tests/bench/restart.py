#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long a backbone node that is started again takes until it refers as before; prints a table in Markdown.

nearsided itself, with a store of many rows: from the start of its process to the first referral to the edge of the row that
covers who asks, over UDP. Once with maps made anew, as after a reboot, and once with those of the agent before.
docs/performance.md tells the method. Needs root.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import dns.message
import dns.rdatatype

from report import BUSY, met, spread

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "net"))

GOAL_S, GOAL_ROWS, PATIENCE_S = 1.0, 100_000, 60
CASES = ((10_000, 10), (100_000, 1), (100_000, 10))  # edges, and rows of each
# The first row that nearside_bench_store writes; the others follow.
FIRST_RESOLVER = 0x0B000000
WWW = "www.lb.example.com"

CONFIG = '''
[node]
name = "b1.ns.lb.example.com"
[backbone]
interfaces = ["lo"]
listen = ["127.0.0.1"]
nonce_zone = "b1.who.lb.example.com"
registration_listen = ["127.0.0.1:8443"]
certificate = "{identity.certificate}"
key = "{identity.key}"
client_ca = "{ca}"
[maps]
mapping4 = 1048576
sites = 131072
large_images = 131072
[control]
socket = "{directory}/control.sock"
[state]
directory = "{directory}/state"
[[zone]]
name = "lb.example.com"
ttl = "20s"
ns = ["b1.ns.lb.example.com"]
records = """
b1.ns IN A 127.0.0.1
b1.who IN NS b1.ns
"""
[[zone.balance]]
name = "www"
mode = "referral"
servers = ["192.0.2.80"]
'''


def referral(agent: Any, source: str) -> str:
    """The first name server that this client is referred to; empty: no answer yet."""
    with agent.space.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((source, 0))
        asking.settimeout(PATIENCE_S)
        try:
            asking.connect(("127.0.0.1", 53))
            asking.send(dns.message.make_query(WWW, "A").to_wire())
            reply = dns.message.from_wire(asking.recv(4096))
        except ConnectionRefusedError:
            return ""
    cuts = [rrset for rrset in reply.authority if rrset.rdtype == dns.rdatatype.NS]
    return str(cuts[0][0].target) if cuts else ""


def start(agent: Any, source: str, edge: str) -> tuple[float, float, float]:
    """Seconds to the right referral; for reading the store, by the log; and until the kernel has all rows."""
    log = agent.directory / f"log-{time.monotonic_ns()}"
    began = time.monotonic()
    process = agent.process = agent.space.start("nearsided", agent.command(), log)
    while referral(agent, source) != edge:
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


def measure(build: Path, rounds: int, edges: int, rows: int) -> dict[str, list[tuple[float, float, float]]]:
    """By whose maps they find, the figures of each start."""
    from agent_alone import AgentAlone  # pylint: disable=import-outside-toplevel
    from authority import Authority  # pylint: disable=import-outside-toplevel
    middle = edges // 2
    source = str(ipaddress.IPv4Address(FIRST_RESOLVER + middle * rows))
    found: dict[str, list[tuple[float, float, float]]] = {"made anew": [], "of the agent before": []}
    with AgentAlone() as agent:
        agent.space.ip(f"address add {source}/32 dev lo")
        ca = Authority(agent.directory / "ca")
        identity = ca.issue("b1", "DNS:b1.ns.lb.example.com,IP:127.0.0.1")
        agent.config.write_text(CONFIG.format(identity=identity, ca=ca.ca, directory=agent.directory))
        state = agent.directory / "state"
        state.mkdir(mode=0o700)
        for _ in range(rounds):
            subprocess.run([str(build / "bench/nearside_bench_store"), "--file", str(state / "edges.mdb"), "--edges", str(edges),
                            "--rows", str(rows)], check=True)
            for starts in found.values():
                starts.append(start(agent, source, f"e{middle}.ns.lb.example.com."))
            shutil.rmtree(agent.pins)
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
        for maps, starts in measure(given.build.resolve(), given.rounds or (1 if given.quick else 5), edges, rows).items():
            right, read, loaded = (list(values) for values in zip(*starts))
            goal = f"under {GOAL_S:g} s: {met(median(right) < GOAL_S)}" if edges * rows == GOAL_ROWS else "-"
            print(f"| {edges:,} | {edges * rows:,} | {maps} | {spread(right)} | {spread(read)} | {spread(loaded)} | {goal} |", flush=True)
    print(f"\n`./dev bench restart`; {os.cpu_count()} cores.")
    if load > BUSY:
        print(f"**The machine was in use** (load {load:.1f} at the start): only for comparison.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
