# SPDX-License-Identifier: BSD-2-Clause
"""A backbone node alone in a network namespace with only a loopback: no program attached, and what its store has are its
edges, which are nowhere. The first resolver of the store is 11.0.0.0, the others follow, edge by edge."""

from __future__ import annotations

import ipaddress
import itertools
import socket
import subprocess

import dns.message
import dns.rdatatype

from agent_alone import ZONE, AgentAlone, missing_for_agent
from authority import Authority
from environment import build_directory
from process import Process

WWW = f"www.{ZONE}"
FIRST_RESOLVER = ipaddress.IPv4Address("11.0.0.0")


def missing_for_backbone_alone() -> str:
    """Why it cannot run here, as one sentence; empty: it can."""
    program = build_directory() / "bin" / "fill_store"
    return missing_for_agent() or ("" if program.exists() else f"{program} is not there: build first (./dev build)")


class BackboneAlone(AgentAlone):
    """Its configuration, and its store in the state directory."""

    _logs = itertools.count(1)

    def __enter__(self) -> BackboneAlone:
        super().__enter__()
        ca = Authority(self.directory / "ca")
        own = ca.issue("b1", f"DNS:b1.ns.{ZONE},IP:127.0.0.1")
        self.state = self.directory / "state"
        self.state.mkdir(mode=0o700)
        self.config.write_text(f'''
[node]
name = "b1.ns.{ZONE}"
[backbone]
interfaces = ["lo"]
listen = ["127.0.0.1"]
nonce_zone = "b1.who.{ZONE}"
registration_listen = ["127.0.0.1:8443"]
certificate = "{own.certificate}"
key = "{own.key}"
client_ca = "{ca.ca}"
[maps]
mapping4 = 1048576
sites = 131072
large_images = 131072
[control]
socket = "{self.socket_path}"
[state]
directory = "{self.state}"
[[zone]]
name = "{ZONE}"
ttl = "20s"
ns = ["b1.ns.{ZONE}"]
records = "b1.ns IN A 127.0.0.1\\nb1.who IN NS b1.ns\\n"
[[zone.balance]]
name = "www"
mode = "referral"
servers = ["192.0.2.80"]
''')
        return self

    def fill_store(self, edges: int, rows: int) -> None:
        """So many edges with so many resolvers each, as if they had registered a moment ago."""
        subprocess.run([str(build_directory() / "bin" / "fill_store"), "--file", str(self.state / "edges.mdb"),
                        "--edges", str(edges), "--rows", str(rows)], check=True)

    def resolver_of(self, edge: int, rows: int) -> str:
        """The address of the edge's first resolver, from which this namespace can ask from now on."""
        address = str(FIRST_RESOLVER + edge * rows)
        self.space.ip(f"address replace {address}/32 dev lo")
        return address

    def begin(self) -> Process:
        """Starts the agent and returns at once."""
        self.process = self.space.start("nearsided", self.command(), self.directory / f"begun{next(self._logs)}")
        return self.process

    def referred_to(self, source: str, patience: float = 60) -> str:
        """The first name server that this client is referred to; empty: nobody listens yet."""
        with self.space.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((source, 0))
            asking.settimeout(patience)
            try:
                asking.connect(("127.0.0.1", 53))
                asking.send(dns.message.make_query(WWW, "A").to_wire())
                reply = dns.message.from_wire(asking.recv(4096))
            except ConnectionRefusedError:
                return ""
        cuts = [rrset for rrset in reply.authority if rrset.rdtype == dns.rdatatype.NS]
        return str(cuts[0][0].target) if cuts else ""


def edge_name(edge: int) -> str:
    """As the store has it."""
    return f"e{edge}.ns.{ZONE}."
