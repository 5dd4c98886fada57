# SPDX-License-Identifier: BSD-2-Clause
"""Edges and backbone nodes of the full lab: nearsided in a namespace with the program attached, and the command line."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from environment import build_directory
from namespaces import Namespace
from process import Process
from stage import Stage


class Node:
    """One node. Its files are in a directory named after it; its maps are pinned below the lab's."""

    def __init__(self, lab: Stage, name: str, space: Namespace) -> None:
        self.name = name
        self.space = space
        self.directory = lab.directory / name
        self.directory.mkdir()
        self.config = self.directory / "nearsided.toml"
        lab.pins.mkdir(exist_ok=True)
        self.pins = lab.pins / name
        self.agent: Process | None = None
        self._lab = lab

    def begin(self) -> None:
        """Starts the agent with the configuration that is there; `wait_ready` waits for it."""
        assert self.agent is None or not self.agent.running
        log = self._lab.directory / f"{self.name}.log"
        if log.exists():
            log.rename(log.with_suffix(f".{len(self._lab.processes)}.log"))  # of the agent before this one
        self.agent = self._lab.start(self.space, self.name, str(build_directory() / "agent" / "nearsided"),
                                     "--config", str(self.config), "--pins", str(self.pins))

    def wait_ready(self) -> None:
        """Returns when the agent answers."""
        assert self.agent is not None
        self.agent.wait_for_text("ready version=", timeout=60)

    def start(self) -> None:
        """Starts the agent; returns when it answers."""
        self.begin()
        self.wait_ready()

    def stop(self) -> None:
        """SIGTERM, as systemd would; returns when the agent has ended."""
        assert self.agent is not None
        self.agent.stop()

    def kill(self) -> None:
        """A crash. The kernel answers until its lease is over."""
        assert self.agent is not None
        self.agent.kill()

    def attach(self) -> None:
        """Puts the program on the node's link, natively."""
        self.nearside("attach", "up0", "--mode", "native")

    # Asking the node itself

    def nearside(self, *arguments: str) -> str:
        """Runs the command line in the node's namespace and returns what it printed."""
        return self.space.run(*self.command(*arguments))

    def command(self, *arguments: str) -> list[str]:
        """The words of that command."""
        return [str(build_directory() / "cli" / "nearside"), "--pins", str(self.pins), *arguments]

    def told(self, verb: str, *arguments: str) -> dict:
        """What a verb that asks the agent prints as JSON."""
        return json.loads(self.nearside(verb, *arguments, "--json", "--socket", str(self.socket)))

    def control(self, request: dict) -> dict:
        """One request to the agent's control socket, and its reply."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(str(self.socket))
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile() as lines:
                return json.loads(lines.readline())

    @property
    def socket(self) -> Path:
        return self.directory / "control.sock"

    def counters(self) -> dict[str, int]:
        """The kernel's counters by name, with `answered`, `referred`, `passed` and `dropped`."""
        told = json.loads(self.nearside("counters", "--json"))
        return {counter["name"]: counter["packets"] for counter in told["counters"]} | told["equation"]

    def log(self) -> str:
        """What the agent that was started last has written."""
        assert self.agent is not None
        return self.agent.text()
