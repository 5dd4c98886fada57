# SPDX-License-Identifier: BSD-2-Clause
"""The full lab's making: everything in full_plan.py is brought up, all at once, and taken down. full_lab.py has its verbs.

The order is: network, files, every process, and only then are they waited for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import full_authorities
import full_resolvers
from asking import ask
from authority import Authority, Certificate
from environment import missing_for_lab, missing_programs
from etcd import Etcd
from full_config import ETCD_PREFIX, ETCD_USER, PREFIX_TABLE, backbone_config, edge_config
from full_network import Distances, FullNetwork
from full_nodes import Node
from full_plan import BACKBONES, EDGES, ETCD, ISPS, OWNER, OWNER_ZONE, ROOT, SERVERS, ZONE, Isp
from namespaces import Namespace
from peers import begin_nginx, wait_for_nginx
from process import Process, stop_all
from stage import Stage
from wait import wait_until

# Names of certificates that no node of the lab has.
STOLEN, FOREIGN, EXPIRED = "stolen", "foreign", "expired"
# The edge that the stolen certificate is for. It is nowhere, but for the thief, who sits in the core.
STOLEN_EDGE = f"e9.ns.{ZONE}"


def missing_for_full_lab() -> str:
    """Why the full lab cannot be made here, as one sentence; empty: it can."""
    return missing_for_lab() or missing_programs("knotd", "openssl", "etcd", *full_resolvers.PROGRAMS)


def names_of(dns_name: str, *addresses: str) -> str:
    """The subject alternative names of a node."""
    return ",".join([f"DNS:{dns_name}", *(f"IP:{address}" for address in addresses)])


class FullStage(Stage):
    """`spaces` by name, `nodes` (e1 to e4, b1, b2), `servers` and `resolvers` (processes), `etcd`, `distances`,
    `identities` (by node, and the three above)."""

    def _make_network(self) -> None:
        self.nodes: dict[str, Node] = {}
        network = FullNetwork(self._make_namespace)
        # Undone first: processes end before their namespaces go.
        self._undo.callback(self._stop_processes)
        self.spaces: dict[str, Namespace] = network.spaces
        self.let_pass(*((self.spaces["core"], f"to-{name}") for name in BACKBONES),
                      *((self.spaces[isp.name], f"to-{isp.edge_id}") for isp in ISPS.values()))
        self.distances = Distances(self, self.spaces)

    def _stop_processes(self) -> None:
        stop_all(self.processes)

    def bring_up(self) -> None:
        """Everything runs and answers when it returns; that edges have registered is another matter."""
        self._make_identities()
        self.resolvers: dict[str, Process] = {}
        self.servers: dict[str, Process] = {}
        root = full_authorities.start_root(self, self.spaces["root"])
        owner = full_authorities.start_owner(self, self.spaces["owner"])
        self.etcd = Etcd(self, self.spaces["etcd"], ETCD[0], self.identities["etcd"], self.ca)
        self.etcd.begin()
        for server in SERVERS:
            self.servers[server] = begin_nginx(self, self.spaces[server], server)
        for isp in ISPS.values():
            self.start_resolver(isp)
        self._make_nodes()
        for name in EDGES:
            self.nodes[name].begin()
        self.etcd.wait_ready()
        self.etcd.set_up(ETCD_USER, ETCD_PREFIX)
        for name in BACKBONES:
            self.nodes[name].begin()
        for server, process in self.servers.items():
            wait_for_nginx(process, self.spaces[server])
        self._wait_for_answer(root, "root", ROOT[0], "com")
        self._wait_for_answer(owner, "owner", OWNER[0], OWNER_ZONE)
        for isp in ISPS.values():
            self.wait_for_resolver(isp)
        for node in self.nodes.values():
            node.wait_ready()
        # Loading the program takes a second of a core each.
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Node.attach, self.nodes.values()))

    def _make_identities(self) -> None:
        authority = Authority(self.directory / "tls")
        self.ca: Path = authority.ca
        self.identities: dict[str, Certificate] = {"etcd": authority.issue("etcd", names_of("etcd.example", *ETCD))}
        for isp in ISPS.values():
            self.identities[isp.edge_id] = authority.issue(isp.edge_id, names_of(isp.edge_name, *isp.edge))
        for backbone in BACKBONES.values():
            self.identities[backbone.name] = authority.issue(backbone.name, names_of(backbone.ns, *backbone.address))
        first = ISPS["isp1"]
        self.identities[STOLEN] = authority.issue(STOLEN, names_of(STOLEN_EDGE))
        self.identities[EXPIRED] = authority.issue(EXPIRED, names_of(first.edge_name, *first.edge), days=-1)
        self.identities[FOREIGN] = Authority(self.directory / "foreign-tls", "foreign CA").issue(
            FOREIGN, names_of(first.edge_name, *first.edge))

    def _make_nodes(self) -> None:
        for name, isp in EDGES.items():
            self.nodes[name] = Node(self, name, self.spaces[name])
            self.write_resolv_conf(isp, isp.resolver)
            self.write_edge_config(isp, *BACKBONES)
        for name, backbone in BACKBONES.items():
            node = self.nodes[name] = Node(self, name, self.spaces[name])
            (node.directory / "near.txt").write_text(PREFIX_TABLE)
            node.config.write_text(backbone_config(backbone, node.directory, self.identities[name], self.ca, self.ca,
                                                   self.etcd.password_file, node.directory / "near.txt"))

    def write_edge_config(self, isp: Isp, *backbones: str) -> bool:
        """An edge that registers at these backbone nodes, from its next start on; whether that is another configuration."""
        node = self.nodes[isp.edge_id]
        text = edge_config(isp, node.directory, self.identities[isp.edge_id], self.ca, node.directory / "resolv.conf",
                           backbones)
        if node.config.exists() and node.config.read_text() == text:
            return False
        node.config.write_text(text)
        return True

    def write_resolv_conf(self, isp: Isp, resolver: tuple[str, str]) -> None:
        """What the edge of an ISP finds as its resolver: written beside and renamed, as DHCP clients do."""
        directory = self.nodes[isp.edge_id].directory
        written = directory / "resolv.conf.new"
        written.write_text("".join(f"nameserver {address}\n" for address in resolver))
        written.rename(directory / "resolv.conf")

    def start_resolver(self, isp: Isp) -> None:
        """Starts the resolver of an ISP, with nothing in its cache; returns at once."""
        self.resolvers[isp.name] = full_resolvers.start_resolver(self, self.spaces[f"r{isp.number}"], isp)

    def wait_for_resolver(self, isp: Isp) -> None:
        """Returns when it answers."""
        self._wait_for_answer(self.resolvers[isp.name], isp.name, isp.resolver[0], OWNER_ZONE)

    def _wait_for_answer(self, process: Process, space: str, address: str, name: str) -> None:
        def answers() -> bool:
            process.must_run()
            return ask(self.spaces[space], address, name, "SOA", recurse=True, timeout=0.5).status == "NOERROR"
        wait_until(f"{process.name} answers {name} SOA at {address}", answers, timeout=20)
