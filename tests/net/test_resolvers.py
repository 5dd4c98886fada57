# SPDX-License-Identifier: BSD-2-Clause
"""Real resolvers in front of the edge, in a closed lab: their users get right answers, and the kernel gives them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dns.edns import OptionType
from dns.flags import DO

from capture import captured_queries
from closed_internet import STARTERS, Resolver, start_authorities
from conftest import need
from environment import missing_programs
from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab

ADDRESSES = {"A": {SERVER1[0], SERVER2[0]}, "AAAA": {SERVER1[1], SERVER2[1]}}


@pytest.fixture(scope="module")
def internet(edge: Lab) -> Lab:
    """Root, TLD and the owner's DNS, which delegates to the edge."""
    need(missing_programs("knotd", "named", "unbound", "kresd"))
    start_authorities(edge)
    return edge


@pytest.fixture(scope="module", params=sorted(STARTERS))
def resolver(request: pytest.FixtureRequest, internet: Lab) -> Iterator[Resolver]:
    """Each resolver in turn, alone, so that what reaches the edge is its own."""
    started = STARTERS[request.param](internet)
    yield started
    internet.processes[-1].stop()


def test_users_of_a_resolver_get_right_answers_from_the_kernel(resolver: Resolver) -> None:
    """A and AAAA of a balanced name, twice the name's own and once through the owner's CNAME."""
    with resolver.lab.counting() as grown:
        for rrtype, addresses in ADDRESSES.items():
            direct = resolver.dig(f"www.{ZONE}", rrtype)
            assert (direct.status, set(direct.rdatas(rrtype))) == ("NOERROR", addresses), direct.text
            alias = resolver.dig("www.example.com", rrtype)
            assert (alias.status, set(alias.rdatas(rrtype))) == ("NOERROR", addresses), alias.text
    assert grown["answered"] >= 2, grown
    # Nothing but questions for empty non-terminals (QNAME minimisation) may need the agent.
    assert grown.agent == grown["pass_name"], grown


def test_a_missing_type_is_nodata_to_the_resolvers_users(resolver: Resolver) -> None:
    """A browser asks for HTTPS beside A: the negative answer is the kernel's as well, and the resolver accepts it."""
    with resolver.lab.counting() as grown:
        https = resolver.dig(f"www.{ZONE}", "HTTPS")
        no_ipv6 = resolver.dig(f"v4only.{ZONE}", "AAAA")
    for reply in (https, no_ipv6):
        assert (reply.status, reply.answer) == ("NOERROR", []), reply.text
        assert [record.owner for record in reply.authority] == [f"{ZONE}."], reply.text
    assert grown["answered_nodata"] >= 2 and grown.agent == grown["pass_name"], grown


def test_a_large_answer_reaches_the_resolvers_users(resolver: Resolver) -> None:
    """Forty addresses by UDP, a hundred by the resolver's own TCP retry after TC=1."""
    many = resolver.dig(f"many.{ZONE}", "A")
    assert len(many.rdatas("A")) == 40, many.text
    with resolver.lab.counting() as grown:
        too_many = resolver.dig(f"toomany.{ZONE}", "A")
    assert len(too_many.rdatas("A")) == 100, too_many.text
    assert grown["answered_truncated"] >= 1, grown


def test_a_name_that_does_not_exist_is_nxdomain_through_the_resolver(resolver: Resolver) -> None:
    """The kernel passes, the agent answers, the resolver believes it."""
    reply = resolver.dig(f"nothing.{ZONE}", "A")
    assert reply.status == "NXDOMAIN" and reply.authority[0].owner == f"{ZONE}.", reply.text


def test_what_the_resolver_adds_to_its_queries_is_answered_by_the_kernel(resolver: Resolver) -> None:
    """EDNS with DO, and what each is known for: BIND's COOKIE, Unbound's ECS and IPv6, mixed case. Seen on the wire."""
    with captured_queries(resolver.lab.client, "client0", {EDGE4, EDGE6}) as sent, resolver.lab.counting() as grown:
        reply = resolver.dig(f"shared.{ZONE}", "A")
    assert set(reply.rdatas("A")) == ADDRESSES["A"], reply.text
    hot = [query for query in sent if query.qname.lower() == f"shared.{ZONE}."]
    assert hot and all(query.message.edns == 0 and query.message.ednsflags & DO for query in hot), sent
    if resolver.name == "bind":
        assert all(OptionType.COOKIE in query.options for query in hot), hot
    if resolver.name == "unbound":
        assert all(OptionType.ECS in query.options for query in hot) and grown["ecs"] >= 1, hot
        assert {query.destination for query in hot} == {EDGE6}, hot
    if resolver.name in ("unbound", "kresd"):
        assert any(query.qname != query.qname.lower() for query in hot), hot
    assert grown["answered"] >= len(hot) and grown.agent == grown["pass_name"], grown
