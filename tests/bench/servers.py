# SPDX-License-Identifier: BSD-2-Clause
"""Knot, NSD and gdnsd as Debian ships them, each with one worker, the benchmark's zone and no rate limit."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from lab import SERVER, Lab

ZONE = "lb.example.com"


def write_zone(file: Path, names: int) -> None:
    """The zone that tables.cpp publishes, as a master file."""
    lines = [
        f"$ORIGIN {ZONE}.",
        "$TTL 20",
        "@ SOA ns hostmaster 1 3600 600 604800 30",
        "@ NS ns",
        f"ns A {SERVER}",
    ]
    for number in range(names):
        server = number % 1000
        lines.append(f"n{number:06} A 198.18.{server >> 8}.{server & 255}")
    file.write_text("\n".join(lines) + "\n")


def knot(directory: Path) -> list[str]:
    """Configures Knot; returns the command."""
    (directory / "knot.conf").write_text(f"""
server:
    listen: {SERVER}@53
    rundir: {directory}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {directory}/db
log:
  - target: {directory}/log
    any: info
zone:
  - domain: {ZONE}
    storage: {directory}
    file: zone
    zonefile-load: whole
    journal-content: none
""")
    return ["knotd", "-c", str(directory / "knot.conf")]


def nsd(directory: Path) -> list[str]:
    """Configures NSD; returns the command."""
    (directory / "nsd.conf").write_text(f"""
server:
    ip-address: {SERVER}
    server-count: 1
    username: ""
    zonesdir: {directory}
    database: ""
    pidfile: {directory}/pid
    xfrdfile: {directory}/xfrd
    zonelistfile: {directory}/zones
    xfrdir: {directory}
    rrl-ratelimit: 0
    minimal-responses: yes
remote-control:
    control-enable: no
zone:
    name: {ZONE}
    zonefile: zone
""")
    return ["nsd", "-d", "-c", str(directory / "nsd.conf")]


def gdnsd(directory: Path) -> list[str]:
    """Configures gdnsd; returns the command."""
    (directory / "zones").mkdir()
    (directory / "zones" / ZONE).write_text((directory / "zone").read_text())
    (directory / "config").write_text(f"""
options => {{
    listen => {SERVER},
    udp_threads => 1,
    tcp_threads => 1,
    run_dir => {directory}/run,
    state_dir => {directory}/state,
}}
""")
    return ["gdnsd", "-c", str(directory), "start"]


SERVERS = {"Knot": knot, "NSD": nsd, "gdnsd": gdnsd}


class Server:
    """One of them, running on a core of its own for the length of a `with` block."""

    def __init__(self, lab: Lab, which: str, core: int, names: int, directory: Path) -> None:
        directory.mkdir(parents=True)
        for below in ("db", "run", "state"):
            (directory / below).mkdir()
        write_zone(directory / "zone", names)
        self._lab = lab
        self._which = which
        self._core = core
        self._command = [*lab.enter(lab.receiving), "taskset", "-c", str(core), *SERVERS[which](directory)]
        self._output = directory / "output"

    def __enter__(self) -> Server:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self._which} does not answer:\n{self._output.read_text(errors='replace')}")
            time.sleep(0.05)
        self._keep_to_its_core()
        return self

    def _keep_to_its_core(self) -> None:
        """Knot pins its workers itself, to the first cores: on the sending core a worker would get no time at all."""
        children = subprocess.run(["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True, check=False)
        for process in (self._process.pid, *map(int, children.stdout.split())):
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {self._core})

    def _answers(self) -> bool:
        """Asks from beside the server: the query does not cross the veth."""
        asked = subprocess.run(
            [*self._lab.enter(self._lab.receiving), "kdig", "+short", "+timeout=1", "+retry=0", f"@{SERVER}",
             f"n000000.{ZONE}", "A"], capture_output=True, text=True, check=False)
        return asked.stdout.strip() == "198.18.0.0"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
