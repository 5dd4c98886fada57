# SPDX-License-Identifier: BSD-2-Clause
"""Queries inside no, one or two VLAN tags are answered by the kernel inside the same tags; three go to the stack."""

from __future__ import annotations

import dns.message
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

from frames import mac_address, wire
from lab import CLIENT4, CLIENT6, EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab
from zones import SOME

# Outermost first.
TAGS = {
    "untagged": [],
    "one-802.1Q": [Dot1Q(vlan=100, prio=5)],
    "one-802.1ad": [Dot1AD(vlan=4094)],
    "two": [Dot1AD(vlan=100), Dot1Q(vlan=200, prio=3)],
    "two-802.1Q": [Dot1Q(vlan=1), Dot1Q(vlan=2)],
}
TRANSPORTS = {"ipv4": IP(src=CLIENT4, dst=EDGE4, ttl=64), "ipv6": IPv6(src=CLIENT6, dst=EDGE6)}
tagged = pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS.keys())
both_families = pytest.mark.parametrize("network", TRANSPORTS.values(), ids=TRANSPORTS.keys())


def framed(lab: Lab, tags: list[Packet], network: Packet, query: dns.message.Message) -> Packet:
    """A query as a frame from the client to the edge."""
    frame: Packet = Ether(src=mac_address(lab.client, "client0"), dst=mac_address(lab.edge, "edge0"))
    for tag in tags:
        frame = frame / tag.copy()
    return frame / network.copy() / UDP(sport=40053, dport=53) / Raw(query.to_wire())


def exchange(lab: Lab, frame: Packet, seconds: float) -> Packet | None:
    """Sends the frame and returns the one that comes back to its port."""
    with wire(lab.client, "client0") as link:
        link.send(frame)
        for reply in link.received(seconds):
            if UDP in reply and reply[UDP].sport == 53 and reply[UDP].dport == 40053:
                return reply
    return None


def tag_values(frame: Packet) -> list[tuple[int, int, int]]:
    """TPID, priority and VLAN of each tag of a frame, outermost first."""
    found = []
    layer, tpid = frame.payload, frame.type
    while isinstance(layer, Dot1Q):
        found.append((tpid, layer.prio, layer.vlan))
        layer, tpid = layer.payload, layer.type
    return found


@both_families
@tagged
@pytest.mark.parametrize(("name", "addresses"), [("www", [SERVER1[0], SERVER2[0]]), ("some", SOME)])
def test_a_tagged_query_is_answered_inside_its_tags(edge: Lab, tags: list[Packet], network: Packet, name: str,
                                                   addresses: list[str]) -> None:
    """The reply has the same tags, the addresses and ports swapped, right checksums, and was counted once."""
    query = dns.message.make_query(f"{name}.{ZONE}", "A", use_edns=0, payload=1232, want_dnssec=True)
    sent = framed(edge, tags, network, query)
    with edge.counting() as grown:
        reply = exchange(edge, sent, seconds=3)
    assert (grown["answered"], grown.agent) == (1, 0), grown
    assert reply is not None, "no reply came back"
    assert tag_values(reply) == tag_values(Ether(bytes(sent)))
    assert (reply.src, reply.dst) == (sent.dst, sent.src)
    message = dns.message.from_wire(bytes(reply[UDP].payload)[:reply[UDP].len - 8])
    assert query.is_response(message)
    assert sorted(rdata.address for rdata in message.answer[0]) == sorted(addresses)
    rebuilt = reply.copy()
    for layer, fields in ((IP, ("chksum", "len")), (IPv6, ("plen",)), (UDP, ("chksum", "len"))):
        if layer in rebuilt:
            for field in fields:
                rebuilt[layer].delfieldval(field)
    assert bytes(rebuilt) == bytes(reply), "lengths or checksums are not those that scapy computes"


@both_families
def test_a_third_tag_is_left_to_the_stack(edge: Lab, network: Packet) -> None:
    """Nobody on the edge listens in that VLAN: the packet counts as not IP, and no reply comes."""
    query = dns.message.make_query(f"www.{ZONE}", "A")
    frame = framed(edge, [Dot1AD(vlan=1), Dot1Q(vlan=2), Dot1Q(vlan=3)], network, query)
    with edge.counting() as grown:
        reply = exchange(edge, frame, seconds=0.3)
    assert reply is None and grown["pass_not_ip"] >= 1 and grown.kernel == 0, grown
