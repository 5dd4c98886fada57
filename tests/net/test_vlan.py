# SPDX-License-Identifier: BSD-2-Clause
"""Queries inside no, one or two VLAN tags are answered by the kernel inside the same tags; three are left to the stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab
from namespaces import add_address
from questions import dig

# The interfaces are stacked one on the other; each step adds a tag outside of which the former ones lie.
STACK = [("client0", "outer", "802.1ad", 100), ("outer", "inner", "802.1Q", 200), ("inner", "innermost", "802.1Q", 300)]
INTERFACES = ["client0", *(interface for _, interface, _, _ in STACK)]


@dataclass
class Source:
    """Where a client with so many tags sends from."""

    ipv4: str
    ipv6: str

    def towards(self, server: str) -> str:
        return self.ipv6 if ":" in server else self.ipv4


@pytest.fixture(scope="module")
def sources(edge: Lab) -> Iterator[list[Source]]:
    """One address by number of tags; a routing table for each leads to the edge through that interface."""
    edge_mac = _mac_of(edge)
    made = [Source("192.0.2.1", "2001:db8::1")]
    for tags, (below, interface, protocol, number) in enumerate(STACK, start=1):
        source = Source(f"192.0.2.{100 + tags}", f"2001:db8::{100 + tags}")
        edge.client.run("ip", "link", "add", "link", below, "name", interface, "type", "vlan",
                        "protocol", protocol, "id", str(number))
        edge.client.run("ip", "link", "set", "dev", interface, "up")
        add_address(edge.client, interface, f"{source.ipv4}/32", f"{source.ipv6}/128")
        table = str(1000 + tags)
        for server in (EDGE4, EDGE6):
            edge.client.run("ip", "neigh", "replace", server, "lladdr", edge_mac, "dev", interface)
            edge.client.run("ip", "route", "replace", server, "dev", interface, "table", table)
            edge.client.run("ip", *(["-6"] if ":" in server else []), "rule", "add", "from", source.towards(server), "table", table)
        made.append(source)
    yield made
    for tags, source in list(enumerate(made))[1:]:
        for server in (EDGE4, EDGE6):
            edge.client.run("ip", *(["-6"] if ":" in server else []), "rule", "delete", "from", source.towards(server),
                            "table", str(1000 + tags))
    edge.client.run("ip", "link", "delete", STACK[0][1])


def _mac_of(lab: Lab) -> str:
    """The MAC address of edge0; /sys shows the host's interfaces, so `ip` is asked."""
    words = lab.edge.run("ip", "-br", "link", "show", "dev", "edge0").split()
    return words[2]


@pytest.mark.parametrize("server", [EDGE4, EDGE6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("tags", [0, 1, 2])
def test_a_tagged_query_is_answered_inside_its_tags(edge: Lab, sources: list[Source], tags: int, server: str) -> None:
    """dig gets the answer through the same VLAN interface, so the tags came back as they went."""
    with edge.counting() as grown:
        reply = dig(edge.client, "-b", sources[tags].towards(server), f"@{server}", f"www.{ZONE}", "A", "+dnssec")
    assert (reply.status, set(reply.rdatas("A"))) == ("NOERROR", {SERVER1[0], SERVER2[0]}), reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown


@pytest.mark.parametrize("tags", [1, 2])
def test_a_large_answer_grows_a_tagged_frame(edge: Lab, sources: list[Source], tags: int) -> None:
    """The tags stay where they are while 600 octets are added."""
    with edge.counting() as grown:
        reply = dig(edge.client, "-b", sources[tags].ipv4, f"@{EDGE4}", f"many.{ZONE}", "A", "+bufsize=1232")
    assert len(reply.rdatas("A")) == 40, reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown


def test_a_third_tag_is_left_to_the_stack(edge: Lab, sources: list[Source]) -> None:
    """Nobody on the edge listens in that VLAN: no reply, and the packet counts as not IP."""
    with edge.counting() as grown:
        reply = dig(edge.client, "-b", sources[3].ipv4, f"@{EDGE4}", f"www.{ZONE}", "A")
    assert reply.status == "" and grown["pass_not_ip"] >= 1 and grown.kernel == 0, grown
