# SPDX-License-Identifier: BSD-2-Clause
"""A wide-area network between the edge and its servers: round trip time, jitter and loss of each, changed at any time.

The kernel of a test machine need not have netem. wan_forwarder.py holds a TUN device in the edge's namespace and one
in each server's and passes packets on when they are due; this is the test's side of it.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from namespaces import Namespace, add_address

if TYPE_CHECKING:
    from lab import Lab

# What the TUN device is called, at each end.
DEVICE = "wan0"


@dataclass(frozen=True)
class Link:
    """The way between the edge and one server in one family; each direction has half of it."""

    rtt_ms: float
    jitter_ms: float = 0.0  # round trips differ from rtt_ms by up to this; uniform in each direction
    loss: float = 0.0       # share of the round trips that are lost; 1: a black hole


@dataclass(frozen=True)
class End:
    """A server at its end of a link."""

    space: Namespace
    addresses: tuple[str, str]  # IPv4, IPv6
    link: Link


class Wan:
    """Devices, routes and the process; what each link is like now. It ends with the lab."""

    def __init__(self, lab: Lab, edge: Namespace, source: tuple[str, str], ends: dict[str, End]) -> None:
        """`source`: the edge's addresses that servers see; `ends`: by the server's name."""
        self._socket = lab.directory / "wan.sock"
        self._first = {(server, family): end.link for server, end in ends.items() for family in (4, 6)}
        self._now = dict(self._first)
        # It starts in the edge's namespace: each process of a lab belongs to one of them.
        self.process = lab.start(edge, "wan", sys.executable, str(Path(__file__).with_name("wan_forwarder.py")),
                                 DEVICE, str(self._socket), str(edge.path),
                                 *(f"{server},{end.space.path},{','.join(end.addresses)}"
                                   for server, end in ends.items()))
        self.process.wait_for_text("ready")
        edge.run("ip", "link", "set", "dev", DEVICE, "up")
        for end in ends.values():
            end.space.run("ip", "link", "set", "dev", DEVICE, "up")
            add_address(end.space, DEVICE, f"{end.addresses[0]}/32", f"{end.addresses[1]}/128")
            for address, own in zip(end.addresses, source):
                edge.run("ip", "route", "add", address, "dev", DEVICE, "src", own)
            for family in ("-4", "-6"):
                end.space.run("ip", family, "route", "add", "default", "dev", DEVICE)
        for (server, family), link in self._first.items():
            self._apply(server, family, link)

    def link(self, server: str, family: int) -> Link:
        """What a link is like now."""
        return self._now[server, family]

    def set(self, server: str, *, rtt_ms: float | None = None, jitter_ms: float | None = None,
            loss: float | None = None, family: int | None = None) -> None:
        """Changes a link in one family (4 or 6) or both; what is None stays as it is. In force on return."""
        given = {"rtt_ms": rtt_ms, "jitter_ms": jitter_ms, "loss": loss}
        changes = {key: value for key, value in given.items() if value is not None}
        for which in (4, 6) if family is None else (family,):
            self._apply(server, which, replace(self._now[server, which], **changes))

    def cut(self, server: str, family: int | None = None) -> None:
        """A black hole: nothing passes, in either direction, and nobody is told."""
        self.set(server, loss=1.0, family=family)

    def restore(self) -> None:
        """Every link as it was at first."""
        for (server, family), link in self._first.items():
            if self._now[server, family] != link:
                self._apply(server, family, link)

    def _apply(self, server: str, family: int, link: Link) -> None:
        self.process.must_run()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(5)
            sock.connect(str(self._socket))
            sock.send(json.dumps({"server": server, "family": family, "link": asdict(link)}).encode())
            assert sock.recv(16) == b"done"
        self._now[server, family] = link
