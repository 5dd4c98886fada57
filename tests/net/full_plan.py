# SPDX-License-Identifier: BSD-2-Clause
"""Who is where in the full lab, and how far from each other: names, addresses, and the round trips from each ISP.

                                     core 192.0.2.254, the Internet's router
        +--------------+-----------------+-------------------+----------------- ... one link each
    root, com      owner's DNS    b1 192.0.2.1        isp1: router and clients 198.18.1.1
    192.0.2.11     192.0.2.12     d1 192.0.2.101        +-- e1 198.18.1.53, the edge node
                                  b2, d2: .2, .102      +-- r1 198.18.1.10, the resolver
                                  etcd 192.0.2.30       +-- wan0 ... the six servers, 203.0.113.1 to .6

ISP n has 198.18.n.0/24 (RFC 2544: networks for tests) and 2001:db8:n::/48. IPv6 addresses end like those of IPv4.
"""

from __future__ import annotations

from dataclasses import dataclass

OWNER_ZONE = "example.com"
ZONE = f"lb.{OWNER_ZONE}"
WWW = f"www.{OWNER_ZONE}"  # CNAME www.lb.example.com, at the owner's DNS

Pair = tuple[str, str]  # addresses of IPv4 and IPv6

CORE = ("192.0.2.254", "2001:db8::254")
ROOT = ("192.0.2.11", "2001:db8::11")
OWNER = ("192.0.2.12", "2001:db8::12")
ETCD = ("192.0.2.30", "2001:db8::30")


@dataclass(frozen=True)
class Isp:
    """An Internet service provider: clients, a resolver of one make, an edge node."""

    number: int
    make: str  # of its resolver
    best: str  # the server that is nearest to it

    @property
    def name(self) -> str:
        return f"isp{self.number}"

    @property
    def prefixes(self) -> Pair:
        return f"198.18.{self.number}.0/24", f"2001:db8:{self.number}::/48"

    @property
    def client(self) -> Pair:
        return self._address(1)

    @property
    def resolver(self) -> Pair:
        """What its users ask, and what resolv.conf has."""
        return self._address(10)

    @property
    def other_resolver(self) -> Pair:
        """A second resolver in the same namespace, where there is one."""
        return self._address(20)

    @property
    def egresses(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the resolver sends from: IPv4 and IPv6. The farm has eight of IPv4, none of which its users know."""
        if self.make == FARM:
            return tuple(f"198.18.{self.number}.{host}" for host in range(11, 19)), (self.resolver[1],)
        return (self.resolver[0],), (self.resolver[1],)

    @property
    def rows(self) -> tuple[str, ...]:
        """The prefixes of the mapping that its egresses have: /32 and /64."""
        return (*(f"{address}/32" for address in self.egresses[0]), f"2001:db8:{self.number}:10::/64")

    @property
    def other_rows(self) -> tuple[str, ...]:
        return f"{self.other_resolver[0]}/32", f"2001:db8:{self.number}:20::/64"

    @property
    def edge(self) -> Pair:
        return self._address(53)

    @property
    def edge_id(self) -> str:
        return f"e{self.number}"

    @property
    def edge_name(self) -> str:
        return f"{self.edge_id}.ns.{ZONE}"

    def _address(self, host: int) -> Pair:
        return f"198.18.{self.number}.{host}", f"2001:db8:{self.number}:{host}::{host}"


# A farm: its eight egresses are taken in turn at random.
FARM = "unbound"
ISPS = {isp.name: isp for isp in (Isp(1, "unbound", "fra1"), Isp(2, "bind", "nyc1"),
                                  Isp(3, "kresd", "sfo1"), Isp(4, "pdns", "sin1"))}
EDGES = {isp.edge_id: isp for isp in ISPS.values()}


@dataclass(frozen=True)
class Backbone:
    """A backbone node: its address as a name server of the zone, and the one that it answers directly on."""

    number: int

    @property
    def name(self) -> str:
        return f"b{self.number}"

    @property
    def ns(self) -> str:
        return f"b{self.number}.ns.{ZONE}"

    @property
    def direct_ns(self) -> str:
        return f"d{self.number}.ns.{ZONE}"

    @property
    def address(self) -> Pair:
        return f"192.0.2.{self.number}", f"2001:db8::{self.number}"

    @property
    def direct(self) -> Pair:
        return f"192.0.2.{100 + self.number}", f"2001:db8::{100 + self.number}"

    @property
    def nonce_zone(self) -> str:
        return f"b{self.number}.who.{ZONE}"


BACKBONES = {backbone.name: backbone for backbone in (Backbone(1), Backbone(2))}

SERVERS: dict[str, Pair] = {name: (f"203.0.113.{number}", f"2001:db8:80:{number}::80")
                            for number, name in enumerate(("fra1", "lon1", "nyc1", "sfo1", "sin1", "syd1"), 1)}
SERVER_AT = {address: name for name, pair in SERVERS.items() for address in pair}

# Round trips in ms, from ISP to server: each ISP has another best, and another second.
RTT = {
    "isp1": {"fra1": 8, "lon1": 24, "nyc1": 85, "sfo1": 120, "sin1": 130, "syd1": 140},
    "isp2": {"fra1": 88, "lon1": 75, "nyc1": 10, "sfo1": 40, "sin1": 135, "syd1": 125},
    "isp3": {"fra1": 120, "lon1": 115, "nyc1": 66, "sfo1": 9, "sin1": 100, "syd1": 45},
    "isp4": {"fra1": 90, "lon1": 100, "nyc1": 140, "sfo1": 115, "sin1": 7, "syd1": 50},
}


def ranked(isp: str) -> list[str]:
    """The servers as that ISP sees them at first, the nearest first."""
    return sorted(SERVERS, key=RTT[isp].__getitem__)
