# SPDX-License-Identifier: BSD-2-Clause
"""Running `nearside` in tests: a host of its own, its exit statuses, and what it prints."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess

from environment import BPFFS, build_directory
from lab import Lab
from namespaces import Namespace

OK, SYSTEM, INVALID, NOT_FOUND, DENIED, BUSY, UNSUPPORTED = range(7)
# What an operator says of servers, each with what it cannot do without.
SAYINGS = {"up": ["--reason", "why"], "down": ["--reason", "why"], "drain": ["--reason", "why"], "release": []}

_numbers = itertools.count(1)


class Host:
    """A namespace with a veth `up0`, and a pin directory of its own; no agent."""

    def __init__(self) -> None:
        self.id = f"nscli-{os.getpid()}x{next(_numbers)}"
        self.pins = BPFFS / self.id
        self.space = Namespace(self.id)

    def add_veth(self, name: str = "up0") -> None:
        """A veth whose VLAN offload is off, as native XDP wants it."""
        self.space.run("ip", "link", "add", name, "numrxqueues", "2", "numtxqueues", "2", "type", "veth",
                       "peer", "name", f"{name}p", "numrxqueues", "2", "numtxqueues", "2")
        self.space.run("ethtool", "-K", name, "rxvlan", "off", "txvlan", "off")
        self.space.run("ip", "link", "set", "dev", name, "up")

    def command(self, *arguments: str) -> list[str]:
        """The words of a command of nearside on this host's pins."""
        return [str(build_directory() / "cli" / "nearside"), *arguments, "--pins", str(self.pins)]

    def nearside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs nearside here; exit status and both outputs."""
        return self.space.attempt(*self.command(*arguments))

    def xdp(self, interface: str) -> dict[str, object]:
        """What the kernel says is attached, from `ip -json`; empty: nothing."""
        return json.loads(self.space.run("ip", "-json", "link", "show", "dev", interface))[0].get("xdp", {})

    def remove(self) -> None:
        """Pins go first: the links hold the programs."""
        shutil.rmtree(self.pins, ignore_errors=True)
        self.space.remove()


def told(done: subprocess.CompletedProcess[str], status: int) -> dict[str, object]:
    """The JSON on stdout of a command that must end with this status."""
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def refused(done: subprocess.CompletedProcess[str], status: int, sentence: str) -> None:
    """The command ended with this status, printed nothing on stdout and one line on stderr that matches."""
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout == ""
    assert re.fullmatch(sentence, done.stderr.rstrip("\n")), done.stderr


def lab_nearside(lab: Lab, *arguments: str) -> dict[str, object]:
    """The JSON of a verb, run in the lab's edge node."""
    return json.loads(lab.nearside(*arguments, "--json"))
