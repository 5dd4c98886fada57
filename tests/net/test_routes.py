# SPDX-License-Identifier: BSD-2-Clause
"""Where the kernel's replies go: back to the MAC address they came from, or where the routing table says."""

from __future__ import annotations

import pytest

from counting import Growth
from lab import EDGE4, EDGE6, ZONE, Lab
from namespaces import connect
from questions import dig
from wait import wait_until
from zones import plain_zone

WWW = f"www.{ZONE}"
SERVERS = ("198.51.100.80", "203.0.113.80")
# Addresses of the client to which the edge gets a route of its own by another interface.
ELSEWHERE = {EDGE4: ("203.0.113.1", "203.0.113.0/24"), EDGE6: ("2001:db8:2::1", "2001:db8:2::/64")}
both_families = pytest.mark.parametrize("server", [EDGE4, EDGE6], ids=["ipv4", "ipv6"])


def start(lab: Lab, replies: str) -> None:
    """The edge with one name, and `replies` in its configuration; the kernel looks up routes only where it forwards."""
    for family in ("ipv4", "ipv6"):
        lab.edge.set_option(f"net/{family}/conf/edge0/forwarding", "1")
    lab.write_config(plain_zone(*SERVERS), edge=f'replies = "{replies}"')
    lab.start_agent()
    lab.attach()


def second_interface(lab: Lab, server: str) -> str:
    """Another link of the edge; the network that replies to ELSEWHERE are routed into by it."""
    connect(lab.server1, "aside", lab.edge, "edge1")
    network = ELSEWHERE[server][1]
    lab.edge.run("ip", "route", "add", network, "dev", "edge1")
    return network


def ask_from_elsewhere(lab: Lab, server: str) -> Growth:
    """One query from an address to which the edge may have another way."""
    with lab.counting() as grown:
        dig(lab.client, "-b", ELSEWHERE[server][0], "+time=1", f"@{server}", WWW, "A")
    return grown


@both_families
def test_with_lookup_the_kernel_asks_the_routing_table_for_each_reply(own_lab: Lab, server: str) -> None:
    """The neighbour is known and the way back is the way in: answered, and counted as asked for."""
    start(own_lab, "lookup")
    with own_lab.counting() as grown:
        reply = own_lab.dig(WWW, "A", server=server)
    assert sorted(reply.rdatas("A")) == sorted(SERVERS), reply.text
    assert (grown["answered"], grown["fib"], grown.agent) == (1, 1, 0), grown


@both_families
def test_with_lookup_a_reply_by_another_interface_is_left_to_the_agent(own_lab: Lab, server: str) -> None:
    """XDP_TX leaves where the query came in; the stack knows better."""
    start(own_lab, "lookup")
    second_interface(own_lab, server)
    grown = ask_from_elsewhere(own_lab, server)
    assert grown["pass_no_route"] == 1 and grown.kernel == 0, grown


@both_families
def test_with_lookup_and_no_forwarding_the_agent_answers(own_lab: Lab, server: str) -> None:
    """bpf_fib_lookup() tells nothing for an interface that does not forward: slower, counted, and right."""
    start(own_lab, "lookup")
    for family in ("ipv4", "ipv6"):
        own_lab.edge.set_option(f"net/{family}/conf/edge0/forwarding", "0")
    with own_lab.counting() as grown:
        reply = own_lab.dig(WWW, "A", server=server)
    assert sorted(reply.rdatas("A")) == sorted(SERVERS), reply.text
    assert (grown["pass_no_route"], grown.kernel) == (1, 0), grown


@both_families
def test_the_agent_follows_the_routing_table(own_lab: Lab, server: str) -> None:
    """auto: swap while every route leaves by edge0, look-ups while one does not, swap again when it is gone."""
    start(own_lab, "auto")
    before = ask_from_elsewhere(own_lab, server)
    assert (before["answered"], before["fib"]) == (1, 0), before
    network = second_interface(own_lab, server)
    wait_until("a route by another interface is respected",
               lambda: ask_from_elsewhere(own_lab, server)["pass_no_route"] == 1, timeout=10)
    own_lab.edge.run("ip", "route", "delete", network, "dev", "edge1")
    own_lab.edge.run("ip", "link", "delete", "dev", "edge1")

    def swaps_again() -> bool:
        grown = ask_from_elsewhere(own_lab, server)
        return (grown["answered"], grown["fib"]) == (1, 0)
    wait_until("replies go straight back once the route is gone", swaps_again, timeout=10)
