#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What measuring costs: 2,000 http targets every 5 s, served by one nginx in a namespace that holds all their addresses.

Then against a network that loses everything. A table in Markdown: share of one core, late checks, resident memory before
and after. Needs root. docs/performance.md tells the method.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "198.18.0.0/19"
FIRST = "198.18.0.1"
# Of one core; resident memory may grow by a page or two of what is touched late.
GOAL_SHARE, FLAT_KIB = 0.25, 512

NGINX = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
worker_processes 1;
user root;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{ listen 80 backlog=4096; location / {{ return 200 "ok\\n"; }} }}
}}
"""

# What is sent into a veth that asks nobody for MAC addresses is lost: the other end has no address.
LOSE_ALL = (f"ip route delete local {PREFIX} dev lo", "ip link add hole type veth peer name bottom",
            "ip link set hole arp off up", "ip link set bottom up", "ip address add 192.0.2.1/24 dev hole",
            f"ip route add {PREFIX} dev hole")


def enter(space: str, *command: str) -> list[str]:
    """The command, to be run in the namespace."""
    return ["ip", "netns", "exec", space, *command]


def serves(space: str) -> bool:
    """Whether nginx accepts connections."""
    return subprocess.run(enter(space, "curl", "--silent", "--output", "/dev/null", "--max-time", "1", f"http://{FIRST}/"),
                          check=False).returncode == 0


def met(good: bool) -> str:
    return "met" if good else "**fell short**"


def row(name: str, found: dict) -> str:
    """One line of the table, with the goals' verdicts."""
    grown = found["rss_kib_end"] - found["rss_kib_start"]
    return (f"| {name} | {found['probes_per_second']:.0f} | {100 * found['cpu_share']:.1f} % ({found['cpu_us_per_probe']:.0f} us a probe) "
            f"{met(found['cpu_share'] <= GOAL_SHARE)} | {found['late']} {met(found['late'] == 0)} | "
            f"{found['rss_kib_start'] / 1024:.1f} MB, {grown:+d} KiB in {found['seconds']:.0f} s {met(grown <= FLAT_KIB)} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--targets", type=int, default=2000)
    parser.add_argument("--seconds", type=int, help="of each case (default 30; quick 5)")
    parser.add_argument("--quick", action="store_true", help="to see a change, not to publish")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="the build directory (default: %(default)s)")
    given = parser.parse_args()
    given.seconds = given.seconds or (5 if given.quick else 30)
    program = given.build / "bench/nearside_bench_probe"
    if os.geteuid() != 0 or not program.exists():
        print(f"probing.py: needs root, and {program} (./dev bench builds it)", file=sys.stderr)
        return 1

    space = f"nearside-probing-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", space], check=True)
    try:
        with tempfile.TemporaryDirectory(prefix="nearside-probing-") as directory:
            subprocess.run(enter(space, "ip", "link", "set", "lo", "up"), check=True)
            # Every address of the prefix is one of this host's.
            subprocess.run(enter(space, "ip", "route", "add", "local", PREFIX, "dev", "lo"), check=True)
            config = Path(directory, "nginx.conf")
            config.write_text(NGINX.format(directory=directory))
            server = subprocess.Popen(enter(space, "nginx", "-e", "stderr", "-p", directory, "-c", str(config)))
            try:
                deadline = time.monotonic() + 10
                while not serves(space):
                    if time.monotonic() > deadline or server.poll() is not None:
                        raise RuntimeError("nginx does not serve")
                run = [str(program), "--targets", str(given.targets), "--seconds", str(given.seconds)]
                print("| case | probes/s | of one core | late | resident memory |\n|---|---|---|---|---|", flush=True)
                for name, more in (("all answer", []), ("none answers", ["--settle"])):
                    if more:
                        for words in LOSE_ALL:
                            subprocess.run(enter(space, *words.split()), check=True)
                    done = subprocess.run(enter(space, *run, *more), check=True, capture_output=True, text=True)
                    print(row(name, json.loads(done.stdout)), flush=True)
            finally:
                server.terminate()
                server.wait()
    finally:
        subprocess.run(["ip", "netns", "delete", space], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
