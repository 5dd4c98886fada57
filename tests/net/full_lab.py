# SPDX-License-Identifier: BSD-2-Clause
"""The full lab in the words of its tests: what clients of an ISP are told, what a backbone node says to a resolver, and
what can happen to servers, edges, backbone nodes and resolvers."""

from __future__ import annotations

import time
from collections.abc import Callable

from asking import Told, ask
from full_config import MODES
from full_network import routes_to_edge
from full_plan import BACKBONES, EDGES, ISPS, SERVER_AT, WWW, ZONE
from full_stage import FullStage
from peers import start_nginx
from process import stop_all
from registration_client import Response, post
from wait import wait_until

ALL_ISPS = tuple(ISPS)


class FullLab(FullStage):
    """Verbs. Names of ISPs are isp1 to isp4, of nodes e1 to e4 and b1, b2; servers are in full_plan.SERVERS."""

    # Whether resolvers may have been told of an edge or a backbone node that was away
    _lived_through_it = False

    # What clients are told

    def ask(self, isp: str, name: str = WWW, rrtype: str = "A", family: int = 4) -> Told:
        """A client of that ISP asks its resolver, over IPv4 or IPv6; twice where no reply comes within four seconds, as
        stub resolvers do."""
        address = ISPS[isp].resolver[family == 6]
        for _ in range(2):
            told = ask(self.spaces[isp], address, name, rrtype, recurse=True, timeout=4)
            if told.status != "timeout":
                break
        return told

    def served_by(self, isp: str, name: str = WWW, rrtype: str = "A") -> tuple[str, ...]:
        """The servers in the answer, by name."""
        return tuple(SERVER_AT.get(address, address) for address in self.ask(isp, name, rrtype).addresses)

    def wait_for_server(self, isp: str, server: str, rrtype: str = "A", name: str = WWW, timeout: float = 20) -> float:
        """Returns when clients of that ISP are told that server; how many seconds it took."""
        return timed(f"clients of {isp} are told {server} for {name} {rrtype}",
                     lambda: self.served_by(isp, name, rrtype) == (server,), timeout)

    def fetch(self, isp: str) -> str:
        """What a client of that ISP sees of the page: it asks its resolver, and the server that it is told."""
        address = self.ask(isp).addresses[0]
        return self.spaces[isp].run("curl", "--silent", "--max-time", "5", "--resolve", f"{WWW}:80:{address}",
                                    f"http://{WWW}/").strip()

    # What nodes say

    def referral(self, backbone: str, isp: str, name: str = f"www.{ZONE}", rrtype: str = "A", *, egress: str = "",
                 subnet: str = "", tcp: bool = False, direct: bool = False) -> Told:
        """What a backbone node says to the resolver of an ISP: asked from its first egress of IPv4, or from `egress`.

        `direct`: on the node's other address, where it answers in the edges' stead.
        """
        source = egress or ISPS[isp].egresses[0][0]
        node = BACKBONES[backbone]
        server = (node.direct if direct else node.address)[":" in source]
        return ask(self.spaces[f"r{isp.removeprefix('isp')}"], server, name, rrtype, source=source, subnet=subnet, tcp=tcp)

    def as_stranger(self, backbone: str, name: str = f"www.{ZONE}", *, subnet: str = "", tcp: bool = False) -> Told:
        """The same asked by someone whom no row covers: the owner's DNS server."""
        return ask(self.spaces["owner"], BACKBONES[backbone].address[0], name, subnet=subnet, tcp=tcp)

    def at_edge(self, edge: str, name: str = f"www.{ZONE}", rrtype: str = "A", family: int = 4) -> Told:
        """What an edge says to the resolver of its ISP, asked from the first egress of that family."""
        isp = EDGES[edge]
        return ask(self.spaces[f"r{isp.number}"], isp.edge[family == 6], name, rrtype,
                   source=isp.egresses[family == 6][0])

    def mappings(self, backbone: str) -> dict[str, list[dict]]:
        """The claims in each row by its prefix, by `nearside mappings --json`: edge, rtt_ms, source, seen_s, lease_s,
        state, why."""
        return {row["prefix"]: row["claims"] for row in self.nodes[backbone].told("mappings")["rows"]}

    def edges_in_row(self, backbone: str, prefix: str) -> list[str]:
        """The edges of a row, nearest first, as e1 to e4; none: there is no such row."""
        return edges_of(self.mappings(backbone).get(prefix, []))

    def edges(self, backbone: str) -> dict[str, dict]:
        """By `nearside edges --json`, by name as e1 to e4: state, addresses, rows, lease_s, report_age_s, ..."""
        return {edge["edge"].split(".")[0]: edge for edge in self.nodes[backbone].told("edges")["edges"]}

    def refusals(self, backbone: str) -> dict[str, int]:
        """How many messages the node has refused, by the word for it; `handshake`: connections; `egress`: claims."""
        told = self.nodes[backbone].control({"verb": "status"})["backbone"]
        words = told["messages"]["refused"]
        return words | {
            "too_large": words["too_large"] + told["https"]["too_large"], "egress": told["messages"]["egresses_refused"],
            "handshake": sum(told["https"][why] for why in ("no_certificate", "bad_certificate", "failed_handshake"))}

    def measured(self, edge: str) -> dict[str, float | None]:
        """The smoothed response time to each server in ms, IPv4, as that edge has it."""
        rows = self.nodes[edge].control({"verb": "servers"})["servers"]
        return {row["server"]: row["checks"][0]["srtt_ms"] for row in rows if row["family"] == "ipv4"}

    # What happens to them

    def slow(self, server: str, isp: str, rtt_ms: float = 150) -> None:
        """A server becomes slow, seen from one ISP only."""
        self.distances.set(isp, server, rtt_ms)

    def kill_server(self, server: str) -> None:
        """Its nginx is gone: connections are refused."""
        self.servers[server].stop()

    def register_at(self, edge: str, *backbones: str) -> None:
        """The edge registers at these backbone nodes only, from its next start on."""
        self.write_edge_config(EDGES[edge], *backbones)

    def rewrite_resolv_conf(self, edge: str, resolver: tuple[str, str]) -> None:
        """The edge's resolver is another one from now on, as DHCP would tell it."""
        self.write_resolv_conf(EDGES[edge], resolver)

    def kill(self, node: str) -> None:
        """A crash of the agent. The kernel answers on until its lease is over."""
        self._lived_through_it = True
        self.nodes[node].kill()

    def withdraw(self, edge: str) -> None:
        """The edge says good-bye; its agent goes on."""
        self.nodes[edge].told("withdraw")

    def stop_agent(self, node: str) -> None:
        """A stop in good order."""
        self._lived_through_it = True
        self.nodes[node].stop()

    def start_agent(self, node: str) -> None:
        """Starts the agent of a node that was stopped or killed."""
        self.nodes[node].start()

    def cut_off(self, edge: str) -> None:
        """Nothing reaches the edge any more, and nobody is told: as when its power fails."""
        self._lived_through_it = True
        isp = EDGES[edge]
        self.spaces[isp.name].ip(*(f"route replace blackhole {address}" for address in isp.edge))

    def reconnect(self, edge: str) -> None:
        isp = EDGES[edge]
        self.spaces[isp.name].ip(*routes_to_edge(isp))

    def post(self, backbone: str, path: str, body: dict | str, identity: str, space: str = "core") -> Response:
        """A message to a backbone node, with the certificate of that name ("": none), from a namespace."""
        node = BACKBONES[backbone]
        return post(self.spaces[space], node.address[0], node.ns, path, body, self.ca, self.identities.get(identity))

    # All well

    def wait_settled(self, timeout: float = 60, through_resolvers: bool = True) -> float:
        """Returns when every row is there at both backbone nodes, every edge is used, its reports are, and every client is
        told his best server; how many seconds it took. Without `through_resolvers` clients do not matter."""
        def settled() -> bool:
            for node in self.nodes.values():
                assert node.agent
                node.agent.must_run()
            return all(edges_of(rows.get(row, [])) == [isp.edge_id] for rows in map(self.mappings, BACKBONES)
                       for isp in ISPS.values() for row in isp.rows)
        took = timed("every egress is in a row of its edge at both backbone nodes", settled, timeout)
        took += timed("backbone nodes answer and refer by these rows and reports", lambda: all(
            SERVER_AT.get((self.referral(backbone, isp.name, f"direct.{ZONE}", rrtype).addresses or ("",))[0]) == isp.best
            and self.referral(backbone, isp.name).ns[:1] == (isp.edge_name,)
            for backbone in BACKBONES for isp in ISPS.values() for rrtype in ("A", "AAAA")), timeout)
        if through_resolvers:
            for isp in ISPS.values():
                took += self.wait_for_server(isp.name, isp.best, "AAAA", timeout=timeout)
                for name in MODES:
                    took += self.wait_for_server(isp.name, isp.best, name=f"{name}.{ZONE}", timeout=timeout)
        return took

    def restore(self) -> None:
        """Undoes what a test did, whatever that was, and waits until all is well."""
        self.distances.restore()
        for server, process in self.servers.items():
            if not process.running:
                self.servers[server] = start_nginx(self, self.spaces[server], server)
        for isp in ISPS.values():
            self.reconnect(isp.edge_id)
            self.write_resolv_conf(isp, isp.resolver)
            if self.write_edge_config(isp, *BACKBONES):
                self.stop_agent(isp.edge_id)
        if self.etcd.process and not self.etcd.process.running:
            self.etcd.start()
        gone = [node for node in self.nodes.values() if node.agent and not node.agent.running]
        began = time.time_ns() // 1000
        for node in gone:
            node.begin()
        for node in gone:
            node.wait_ready()
        timed("edges that were away have registered anew and are used", lambda: all(
            told.get(node.name, {}).get("sequence", 0) > began and told[node.name]["state"] == "alive"
            for told in map(self.edges, BACKBONES) for node in gone if node.name in EDGES), timeout=20)
        self.wait_settled(through_resolvers=not self._lived_through_it)
        if self._lived_through_it:
            # Resolvers keep a referral that somebody else's edge was given in for as long as its TTL.
            self._restart_resolvers()
            self._lived_through_it = False
            self.wait_settled()

    def _restart_resolvers(self) -> None:
        stop_all(list(self.resolvers.values()))
        for isp in ISPS.values():
            self.start_resolver(isp)
        for isp in ISPS.values():
            self.wait_for_resolver(isp)


def edges_of(claims: list[dict]) -> list[str]:
    """The edges of a row's claims, as e1 to e4."""
    return [claim["edge"].split(".")[0] for claim in claims]


def timed(what: str, condition: Callable[[], object], timeout: float) -> float:
    """Waits for the condition; how many seconds it took."""
    began = time.monotonic()
    wait_until(what, condition, timeout, pause=0.05)
    return time.monotonic() - began
