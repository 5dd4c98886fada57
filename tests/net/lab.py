# SPDX-License-Identifier: BSD-2-Clause
"""A small network of namespaces with a Nearside edge node in it: a client, the edge, and two web servers.

    server1 198.51.100.80 --+
                            +-- client 192.0.2.1 ---- edge 192.0.2.53, XDP on edge0
    server2 203.0.113.80 ---+

The client is the router between the links; it stands for all that lies outside the edge node. The IPv6 addresses are
2001:db8::1, ::53, 2001:db8:1::80 and 2001:db8:2::80.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query

import questions
from counting import Growth
from environment import build_directory
from namespaces import add_address, connect
from peers import start_nginx
from process import Process
from stage import Stage
from wait import wait_until

EDGE4, EDGE6 = "192.0.2.53", "2001:db8::53"
CLIENT4, CLIENT6 = "192.0.2.1", "2001:db8::1"
SERVER1 = ("198.51.100.80", "2001:db8:1::80")
SERVER2 = ("203.0.113.80", "2001:db8:2::80")
ZONE = "lb.example.com"


class Lab(Stage):
    """Everything that one lab consists of. Leaving the `with` block removes it, whatever happened inside."""

    agent: Process | None = None

    def _make_network(self) -> None:
        self._make_client_and_edge()
        self.server1, self.server2 = (self._make_namespace(role) for role in ("server1", "server2"))
        connect(self.client, "to-server1", self.server1, "server0")
        connect(self.client, "to-server2", self.server2, "server0")
        for end, space, (ipv4, ipv6) in (("to-server1", self.server1, SERVER1), ("to-server2", self.server2, SERVER2)):
            add_address(self.client, end, f"{ipv4.rsplit('.', 1)[0]}.1/24", f"{ipv6.removesuffix('80')}1/64")
            add_address(space, "server0", f"{ipv4}/24", f"{ipv6}/64")
            space.run("ip", "route", "add", "default", "via", f"{ipv4.rsplit('.', 1)[0]}.1")
            space.run("ip", "route", "add", "default", "via", f"{ipv6.removesuffix('80')}1")
        self.edge.run("ip", "route", "add", "default", "via", CLIENT4)
        self.edge.run("ip", "route", "add", "default", "via", CLIENT6)
        self.client.set_option("net/ipv4/ip_forward", "1")
        self.client.set_option("net/ipv6/conf/all/forwarding", "1")

    def _make_client_and_edge(self) -> None:
        """The two, the veth between them, and at the client's end the program that XDP_TX on a veth asks for."""
        self.client, self.edge = (self._make_namespace(role) for role in ("client", "edge"))
        self._undo.callback(self._stop_processes)
        connect(self.client, "client0", self.edge, "edge0")
        add_address(self.client, "client0", f"{CLIENT4}/24", f"{CLIENT6}/64")
        add_address(self.edge, "edge0", f"{EDGE4}/24", f"{EDGE6}/64")
        self.let_pass((self.client, "client0"))

    def start_servers(self) -> None:
        """An nginx in each server's namespace that tells its own name."""
        for space, name in ((self.server1, "server1"), (self.server2, "server2")):
            start_nginx(self, space, name)

    # The two programs

    def write_config(self, zones: str, lease: str = "10s", serial: int = 1, edge: str = "") -> Path:
        """Writes the agent's configuration: `zones` is TOML with `{serial}` in it, `edge` more keys of [edge]."""
        path = self.directory / "nearsided.toml"
        path.write_text(f'''[node]
name = "e17.ns.{ZONE}"
id = "e17"
version = "nearside lab"

[edge]
interfaces = ["edge0"]
listen = ["{EDGE4}", "{EDGE6}"]
lease = "{lease}"
{edge}

[control]
socket = "{self.directory}/control.sock"

[state]
directory = "{self.directory}/state"
''' + zones.replace("{serial}", str(serial)))
        return path

    def start_agent(self) -> Process:
        """Starts nearsided with the configuration written last; returns when it answers over TCP."""
        self.agent = self.start(self.edge, "nearsided", str(build_directory() / "agent" / "nearsided"),
                                "--config", str(self.directory / "nearsided.toml"), "--pins", str(self.pins))
        wait_until("nearsided answers over TCP", self._agent_answers, timeout=15)
        return self.agent

    def _agent_answers(self) -> bool:
        assert self.agent is not None
        self.agent.must_run()
        return self.dig(ZONE, "SOA", "+tcp").status == "NOERROR"

    def nearside(self, *arguments: str) -> str:
        """Runs the command line in the edge's namespace and returns what it printed."""
        return self.edge.run(*self.nearside_command(*arguments))

    def nearside_command(self, *arguments: str) -> list[str]:
        """The words of that command."""
        return [str(build_directory() / "cli" / "nearside"), "--pins", str(self.pins), *arguments]

    def pinned(self, name: str) -> Path:
        """Where a map is pinned."""
        return next((path for path in self.pins.rglob(name)), self.pins / name)

    def attach(self) -> str:
        """Puts the program on edge0, natively, and waits until a query is answered by the kernel."""
        printed = self.nearside("attach", "edge0", "--mode", "native")

        def kernel_answers() -> bool:
            with self.counting() as grown:
                self.dig(ZONE, "SOA")
            return grown.kernel == 1
        wait_until("the kernel answers the zone's SOA", kernel_answers, timeout=5)
        return printed

    # Asking and counting

    def dig(self, *arguments: str, server: str = EDGE4) -> questions.Reply:
        """dig from the client."""
        return questions.dig(self.client, f"@{server}", *arguments)

    def kdig(self, *arguments: str, server: str = EDGE4) -> questions.Reply:
        """kdig from the client."""
        return questions.kdig(self.client, f"@{server}", *arguments)

    def ask(self, query: dns.message.Message, server: str = EDGE4, source: int = 0) -> dns.message.Message:
        """Sends a query by UDP from the client's namespace; raises dns.exception.Timeout where no reply comes."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with self.client.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            return dns.query.udp(query, server, timeout=2, sock=sock)

    def counters(self) -> dict[str, int]:
        """All counters of the kernel by name. The one place that knows how `nearside counters --json` looks."""
        told = json.loads(self.nearside("counters", "--json"))
        equation = told["equation"]
        assert equation["received"] == sum(equation[group] for group in ("answered", "referred", "passed", "dropped"))
        named = {counter["name"]: counter["packets"] for counter in told["counters"]}
        return named | {"received": equation["received"]}

    @contextlib.contextmanager
    def counting(self) -> Iterator[Growth]:
        """Counts what happens in the block. The program counts before a reply leaves: no need to wait."""
        grown, before = Growth(), self.counters()
        yield grown
        grown.by_name.update({name: value - before.get(name, 0) for name, value in self.counters().items()})
