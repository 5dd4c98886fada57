# SPDX-License-Identifier: BSD-2-Clause
"""The namespaces of the full lab and the links between them; full_plan.py says who is where.

Every link is a veth between a router and someone behind it, without a subnet of its own: fe80::1 above, fe80::2 below,
and routes to what lies there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from full_plan import BACKBONES, CORE, ETCD, ISPS, OWNER, ROOT, RTT, SERVERS, Isp, Pair
from namespaces import Namespace, leave_nothing_to_nic, veth
from stage import Stage
from wan import End, Forwarder, Link, Network

UPLINK = "up0"


class FullNetwork:
    """`spaces` has every namespace by its name: core, root, owner, etcd, b1, b2, isp1, e1, r1, ..., fra1, ..."""

    def __init__(self, make: Callable[[str], Namespace]) -> None:
        self.spaces: dict[str, Namespace] = {}
        names = ["core", "root", "owner", "etcd", *BACKBONES, *SERVERS,
                 *(f"{kind}{isp.number}" for isp in ISPS.values() for kind in ("isp", "e", "r"))]
        for name in names:
            self.spaces[name] = make(name)
        # Commands for ip(8), by namespace: one process each, those above first.
        self._commands: dict[str, list[str]] = {name: [] for name in names}
        self._ends: list[tuple[str, str]] = []
        self._make_router("core", CORE)
        for name, pair in (("root", ROOT), ("owner", OWNER), ("etcd", ETCD)):
            self._put_below("core", CORE, name, [pair])
        for backbone in BACKBONES.values():
            self._put_below("core", CORE, backbone.name, [backbone.address, backbone.direct])
        for isp in ISPS.values():
            self._make_isp(isp)
        for name in sorted(names, key=lambda name: (name != "core", name not in ISPS)):
            self.spaces[name].ip(*self._commands[name])
        for name, interface in self._ends:
            leave_nothing_to_nic(self.spaces[name], interface)

    def _make_isp(self, isp: Isp) -> None:
        self._make_router(isp.name, isp.client)
        self._put_below("core", CORE, isp.name, [], isp.prefixes, isp.client)
        self._put_below(isp.name, isp.client, isp.edge_id, [isp.edge])
        own4 = dict.fromkeys((isp.resolver[0], *isp.egresses[0], isp.other_resolver[0]))
        own6 = dict.fromkeys((isp.resolver[1], *isp.egresses[1], isp.other_resolver[1]))
        self._put_below(isp.name, isp.client, f"r{isp.number}", zip_longest(own4, own6))

    def _make_router(self, name: str, own: Pair) -> None:
        space = self.spaces[name]
        space.set_option("net/ipv4/ip_forward", "1")
        space.set_option("net/ipv6/conf/all/forwarding", "1")
        self._commands[name] += [f"address add {own[0]}/32 dev lo", f"address add {own[1]}/128 dev lo nodad"]

    def _put_below(self, upper: str, router: Pair, lower: str, own: Iterable[tuple[str, ...]],
                   prefixes: Pair | None = None, source: Pair | None = None) -> None:
        """A link from `upper`, which has the addresses `router`, to `lower`, which has the addresses `own`.

        The first pair of `own`, or `source` in its place, is what `lower` sends from when a program asks for nothing else.
        """
        pairs = list(own)
        source = source or (pairs[0][0], pairs[0][1])
        addresses = [address for pair in pairs for address in pair]
        down = f"to-{lower}"
        behind = prefixes or [f"{address}/{128 if ':' in address else 32}" for address in addresses]
        self._commands[upper] += [
            veth(down, self.spaces[lower], UPLINK), f"link set dev {down} up", f"address add fe80::1/64 dev {down} nodad",
            *(f"route add {route_down(prefix, down, source[0], router)}" for prefix in behind)]
        self._commands[lower] += [
            f"link set dev {UPLINK} up", f"address add fe80::2/64 dev {UPLINK} nodad",
            *(f"address add {address}/128 dev {UPLINK} nodad" if ":" in address else
              f"address add {address}/32 dev {UPLINK}" for address in addresses),
            f"route add default via {router[0]} dev {UPLINK} onlink src {source[0]}",
            f"route add default via fe80::1 dev {UPLINK} src {source[1]}"]
        self._ends += [(upper, down), (lower, UPLINK)]


def route_down(prefix: str, interface: str, lower4: str, router: Pair) -> str:
    """The route from a router to what is behind a link of its, for ip(8)."""
    if ":" in prefix:
        return f"{prefix} via fe80::2 dev {interface} src {router[1]}"
    return f"{prefix} via {lower4} dev {interface} onlink src {router[0]}"


def routes_to_edge(isp: Isp) -> list[str]:
    """Commands for ip(8) at the router of an ISP that bring back its routes to the edge node."""
    return [f"route replace {route_down(address, f'to-{isp.edge_id}', isp.edge[0], isp.client)}"
            for address in isp.edge]


def zip_longest(own4: Iterable[str], own6: Iterable[str]) -> list[tuple[str, ...]]:
    """Pairs as far as there are both, then what is left, alone."""
    left, right = list(own4), list(own6)
    both = min(len(left), len(right))
    return [*zip(left, right), *((address,) for address in left[both:] + right[both:])]


class Distances:
    """The round trips between ISPs and servers, as full_plan.RTT has them at first."""

    def __init__(self, lab: Stage, spaces: dict[str, Namespace]) -> None:
        self._first = {(isp, server, family): Link(rtt) for isp, row in RTT.items() for server, rtt in row.items()
                       for family in (4, 6)}
        self._now = dict(self._first)
        self._forwarder = Forwarder(
            lab, {isp.name: Network(spaces[isp.name], isp.prefixes, isp.client) for isp in ISPS.values()},
            {name: End(spaces[name], pair) for name, pair in SERVERS.items()})
        self._forwarder.apply(self._now)

    def rtt(self, isp: str, server: str, family: int = 4) -> float:
        """What the round trip takes now, in ms."""
        return self._now[isp, server, family].rtt_ms

    def set(self, isp: str, server: str, rtt_ms: float, loss: float = 0.0) -> None:
        """Changes the way between one ISP and one server, in both families. In force on return."""
        changed = {(isp, server, family): Link(rtt_ms, loss=loss) for family in (4, 6)}
        self._forwarder.apply(changed)
        self._now |= changed

    def ranked(self, isp: str) -> list[str]:
        """The servers as that ISP sees them now, the nearest first."""
        return sorted(SERVERS, key=lambda server: self._now[isp, server, 4].rtt_ms)

    def restore(self) -> None:
        """All as it was at first."""
        if self._now != self._first:
            self._forwarder.apply(self._first)
            self._now = dict(self._first)
