# SPDX-License-Identifier: BSD-2-Clause
"""A wide-area network between networks and servers: round trip time, jitter and loss of each, changed at any time.

The kernel of a test machine need not have netem. wan_forwarder.py holds a TUN device in the namespace of each
network's router and one in each server's and passes packets on when they are due; this is the test's side of it.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from namespaces import Namespace

if TYPE_CHECKING:
    from stage import Stage

# What the TUN device is called, at each end.
DEVICE = "wan0"


@dataclass(frozen=True)
class Link:
    """The way between a network and one server in one family; each direction has half of it."""

    rtt_ms: float
    jitter_ms: float = 0.0  # round trips differ from rtt_ms by up to this; uniform in each direction
    loss: float = 0.0       # share of the round trips that are lost; 1: a black hole


@dataclass(frozen=True)
class End:
    """A server at its end of a link."""

    space: Namespace
    addresses: tuple[str, str]  # IPv4, IPv6
    link: Link = Link(0)


@dataclass(frozen=True)
class Network:
    """A network that reaches servers: the namespace of its router, and its prefixes of IPv4 and IPv6."""

    space: Namespace
    prefixes: tuple[str, str]
    source: tuple[str, str]  # what the router itself sends from


class Forwarder:
    """The process, its devices and the routes to them. It ends with the lab; no packet passes before `apply`."""

    def __init__(self, lab: Stage, networks: dict[str, Network], servers: dict[str, End]) -> None:
        """Both by their names."""
        self._socket = lab.directory / "wan.sock"
        ends = [f"--network={name},{network.space.path},{','.join(network.prefixes)}"
                for name, network in networks.items()]
        ends += [f"--server={name},{end.space.path},{','.join(end.addresses)}" for name, end in servers.items()]
        # It starts in the first network's namespace: each process of a lab belongs to one of them.
        self.process = lab.start(next(iter(networks.values())).space, "wan", sys.executable,
                                 str(Path(__file__).with_name("wan_forwarder.py")), DEVICE, str(self._socket), *ends)
        self.process.wait_for_text("ready")
        for end in servers.values():
            end.space.ip(f"link set dev {DEVICE} up",
                         f"address add {end.addresses[0]}/32 dev {DEVICE}",
                         f"address add {end.addresses[1]}/128 dev {DEVICE} nodad",
                         f"route add 0.0.0.0/0 dev {DEVICE}", f"route add ::/0 dev {DEVICE}")
        for network in networks.values():
            network.space.ip(f"link set dev {DEVICE} up",
                             *(f"route add {address} dev {DEVICE} src {own}"
                               for end in servers.values() for address, own in zip(end.addresses, network.source)))

    def apply(self, links: dict[tuple[str, str, int], Link]) -> None:
        """Sets links by network, server and family (4 or 6). In force on return."""
        self.process.must_run()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(5)
            sock.connect(str(self._socket))
            sock.send(json.dumps([{"network": network, "server": server, "family": family, "link": asdict(link)}
                                  for (network, server, family), link in links.items()]).encode())
            assert sock.recv(16) == b"done"


class Wan:
    """One network, the edge's; what each link is like now."""

    def __init__(self, lab: Stage, edge: Namespace, source: tuple[str, str], ends: dict[str, End]) -> None:
        """`source`: the edge's addresses that servers see; `ends`: by the server's name."""
        self._first = {(server, family): end.link for server, end in ends.items() for family in (4, 6)}
        self._now = dict(self._first)
        self._forwarder = Forwarder(lab, {"edge": Network(edge, ("0.0.0.0/0", "::/0"), source)}, ends)
        self.process = self._forwarder.process
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
        self._forwarder.apply({("edge", server, family): link})
        self._now[server, family] = link
