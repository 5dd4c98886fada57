# SPDX-License-Identifier: BSD-2-Clause
"""A lab in which the edge has something to measure: three web servers, each at the end of a wide-area link of its own.

                                                    +-- near 198.51.100.80, 2001:db8:1::80     5 ms
    client 192.0.2.1 ---- edge 192.0.2.53 ---- wan -+-- mid  203.0.113.80,  2001:db8:2::80    40 ms, jitter 8 ms
                          XDP on edge0              +-- far  203.0.113.180, 2001:db8:3::80   120 ms
                                                    +-- VOID 203.0.113.250, 2001:db8:4::80   nobody

The client reaches the servers through the edge.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import dns.rcode

from lab import EDGE4, EDGE6, ZONE, Lab
from namespaces import Namespace
from peers import start_nginx
from process import Process
from wait import wait_until
from wan import DEVICE, End, Link, Wan

ADDRESSES = {"near": ("198.51.100.80", "2001:db8:1::80"), "mid": ("203.0.113.80", "2001:db8:2::80"),
             "far": ("203.0.113.180", "2001:db8:3::80")}
# Packets to it are lost, and nobody is told.
VOID = ("203.0.113.250", "2001:db8:4::80")
LINKS = {"near": Link(5), "mid": Link(40, jitter_ms=8), "far": Link(120)}
NAMES = {address: name for name, pair in ADDRESSES.items() for address in pair}


class WebServer:
    """One of the servers: an nginx that can be killed, started again, and made to answer 503."""

    def __init__(self, lab: Lab, space: Namespace, name: str) -> None:
        self.name = name
        self.space = space
        self._lab = lab
        self._broken = lab.directory / f"{name}.503"
        self._process: Process | None = None

    def start(self) -> None:
        """Returns when it accepts connections; does nothing where it runs."""
        if self._process is None or not self._process.running:
            self._process = start_nginx(self._lab, self.space, self.name)

    def kill(self) -> None:
        """Ends nginx by its pid: connections are refused from now on."""
        assert self._process is not None
        self._process.stop()

    def fail(self) -> None:
        """Every answer is 503 from now on."""
        self._broken.touch()

    def heal(self) -> None:
        """The answers are 200 again."""
        self._broken.unlink(missing_ok=True)


@dataclass(frozen=True)
class Answer:
    """What a client was told: servers by their names in the lab (else addresses), in the order of the reply."""

    status: str
    servers: tuple[str, ...]  # empty: NODATA, or an error
    ttl: int | None
    scope: int | None  # of the client subnet option; None: there was none in the reply


class MeasuredLab(Lab):
    """The network above. `servers` and `wan` are what a test changes; `restore` undoes it."""

    def _make_network(self) -> None:
        self._make_client_and_edge()
        self.client.run("ip", "route", "add", "default", "via", EDGE4)
        self.client.run("ip", "route", "add", "default", "via", EDGE6)
        self.edge.set_option("net/ipv4/ip_forward", "1")
        self.edge.set_option("net/ipv6/conf/all/forwarding", "1")
        spaces = {name: self._make_namespace(name) for name in ADDRESSES}
        self.wan = Wan(self, self.edge, (EDGE4, EDGE6),
                       {name: End(spaces[name], ADDRESSES[name], LINKS[name]) for name in ADDRESSES})
        for address in VOID:
            self.edge.run("ip", "route", "add", address, "dev", DEVICE)
        self.servers = {name: WebServer(self, space, name) for name, space in spaces.items()}

    def start_servers(self) -> None:
        """An nginx on each server."""
        for server in self.servers.values():
            server.start()

    def restore(self) -> None:
        """All servers serve, over links as they were at first."""
        self.wan.restore()
        for server in self.servers.values():
            server.heal()
            server.start()

    def write_config(self, zones: str, lease: str = "10s", serial: int = 1, edge: str = "") -> Path:
        """As in every lab, but that only the servers are elsewhere: every client is reached by edge0."""
        return super().write_config(zones, lease, serial, 'replies = "swap"\n' + edge)

    def reload(self) -> dict:
        """Puts the configuration written last in force; what the agent says of it: {"reloaded"} or {"error"}."""
        return self.control({"verb": "reload"})

    def control(self, request: dict) -> dict:
        """One request to the agent's control socket, and its reply."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(f"{self.directory}/control.sock")
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile() as lines:
                return json.loads(lines.readline())

    def rows(self, server: str | None = None) -> list[dict]:
        """What `nearside servers` tells, one row for each address and set of checks; of one server, or of all."""
        rows = self.control({"verb": "servers"})["servers"]
        return [row for row in rows if server in (None, row["server"])]

    def standing(self, server: str, check: str = "web") -> set[str]:
        """What the agent holds of a server by that check, over both families: up, down, unknown."""
        return {one["state"] for row in self.rows(server) for one in row["checks"] if one["check"] == check}

    def explained(self, name: str, rrtype: str = "A") -> dict:
        """By `nearside explain`: the trace of one family, its candidates by server."""
        told = json.loads(self.nearside("explain", f"{name}.{ZONE}", "--type", rrtype, "--json",
                                         "--socket", f"{self.directory}/control.sock"))
        trace = told["pool"]["families"]["ipv6" if rrtype == "AAAA" else "ipv4"]
        return trace | {"candidates": {candidate["server"]: candidate for candidate in trace["candidates"]}}

    # Asking

    def answer(self, name: str, rrtype: str = "A", subnet: str | None = None, tcp: bool = False) -> Answer:
        """Asks for a name of the zone, by UDP or TCP; dns.exception.Timeout where no reply comes."""
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else None
        query = dns.message.make_query(f"{name}.{ZONE}", rrtype, use_edns=0, want_dnssec=True, options=options)
        if tcp:
            with self.client.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                sock.settimeout(2)
                sock.connect((EDGE4, 53))
                sock.setblocking(False)
                reply = dns.query.tcp(query, EDGE4, timeout=2, sock=sock)
        else:
            reply = self.ask(query)
        records = [(rdata.address, rrset.ttl) for rrset in reply.answer for rdata in rrset]
        scopes = [option.scopelen for option in reply.options if isinstance(option, dns.edns.ECSOption)]
        return Answer(dns.rcode.to_text(reply.rcode()), tuple(NAMES.get(address, address) for address, _ in records),
                      records[0][1] if records else None, scopes[0] if scopes else None)

    def served_by(self, name: str, rrtype: str = "A") -> set[str]:
        """The servers in one answer, by UDP."""
        return set(self.answer(name, rrtype).servers)

    def wait_for(self, name: str, *servers: str, rrtype: str = "A", timeout: float = 10.0) -> float:
        """Returns when the answer has exactly these servers, by UDP as well as by TCP; how many seconds it took."""
        began = time.monotonic()
        wanted = set(servers)
        wait_until(f"{name} {rrtype} is answered with {', '.join(servers) or 'nothing'}",
                   lambda: self.served_by(name, rrtype) == wanted, timeout)
        took = time.monotonic() - began
        assert set(self.answer(name, rrtype, tcp=True).servers) == wanted, "the agent answers otherwise than the kernel"
        return took


@contextlib.contextmanager
def running_lab(config: str) -> Iterator[MeasuredLab]:
    """The edge measures three servers by this configuration, and answers from the kernel."""
    with MeasuredLab() as lab:
        lab.start_servers()
        lab.write_config(config)
        lab.start_agent()
        lab.attach()
        yield lab
