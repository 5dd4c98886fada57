#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What measuring costs: 2,000 http targets every 5 s, served by one nginx in a namespace that holds all their addresses.

Prints one JSON object for each case: share of one core, late checks, resident memory before and after. Needs root and
build/release/bench/nearside_bench_probe (cmake --build --preset release --target nearside_bench_probe).
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--targets", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/bench/nearside_bench_probe")
    given = parser.parse_args()
    if not given.program.exists():
        sys.exit(f"{given.program} is not there: cmake --build --preset release --target nearside_bench_probe")

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
                time.sleep(1)
                run = [str(given.program), "--targets", str(given.targets), "--seconds", str(given.seconds)]
                for name, more in (("answering", []), ("black-holed", ["--settle"])):
                    if name == "black-holed":
                        for words in LOSE_ALL:
                            subprocess.run(enter(space, *words.split()), check=True)
                    done = subprocess.run(enter(space, *run, *more), check=True, capture_output=True, text=True)
                    print(json.dumps({"case": name, **json.loads(done.stdout)}), flush=True)
            finally:
                server.terminate()
                server.wait()
    finally:
        subprocess.run(["ip", "netns", "delete", space], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
