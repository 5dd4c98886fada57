# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel passes up, asked by dig over a veth: the agent gives the right answers, the kernel none of them."""

from __future__ import annotations

import pytest

from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab

WWW = f"www.{ZONE}"
both_families = pytest.mark.parametrize("server", [EDGE4, EDGE6], ids=["ipv4", "ipv6"])


def test_an_alias_is_followed_within_the_zone(edge: Lab) -> None:
    """RFC 1034 4.3.2: the CNAME, then the addresses of its target."""
    reply = edge.dig(f"alias.{ZONE}", "A")
    assert reply.rdatas("CNAME") == [f"{WWW}."], reply.text
    assert set(reply.rdatas("A")) == {SERVER1[0], SERVER2[0]}, reply.text


def test_a_wildcard_an_empty_non_terminal_and_a_delegation_are_answered(edge: Lab) -> None:
    """RFC 4592, RFC 8020 and a referral with its glue, by the agent."""
    wild = edge.dig(f"x.y.any.{ZONE}", "A")
    empty = edge.dig(f"er.ent.{ZONE}", "A")
    referral = edge.dig(f"host.child.{ZONE}", "A")
    assert wild.rdatas("A") == [SERVER1[0]] and wild.answer[0].owner == f"x.y.any.{ZONE}.", wild.text
    assert (empty.status, empty.answer, len(empty.authority)) == ("NOERROR", [], 1), empty.text
    assert "aa" not in referral.flags and referral.answer == [], referral.text
    assert [record.rdata for record in referral.authority] == [f"ns.child.{ZONE}."], referral.text
    assert [record.rdata for record in referral.additional] == ["203.0.113.53"], referral.text


@both_families
@pytest.mark.parametrize(("name", "status", "authority"), [
    (f"nothing.{ZONE}", "NXDOMAIN", ["SOA"]), ("example.net", "REFUSED", [])])
def test_a_name_that_is_not_there_is_answered_by_the_agent(edge: Lab, server: str, name: str, status: str,
                                                          authority: list[str]) -> None:
    """NXDOMAIN inside the zone, REFUSED outside of all zones."""
    with edge.counting() as grown:
        reply = edge.dig(name, "A", server=server)
    assert (reply.status, [record.type for record in reply.authority]) == (status, authority), reply.text
    assert ("aa" in reply.flags) == (status == "NXDOMAIN")
    assert (grown["pass_name"], grown.kernel) == (1, 0), grown


@pytest.mark.parametrize(("name", "text"), [
    ("version.bind", '"nearside lab"'), ("id.server", '"e17"'), ("hostname.bind", '"e17"')])
def test_chaos_tells_what_is_configured(edge: Lab, name: str, text: str) -> None:
    """RFC 4892, from the agent."""
    with edge.counting() as grown:
        reply = edge.dig("CH", "TXT", name)
    assert reply.rdatas("TXT") == [text], reply.text
    assert (grown["pass_qclass"], grown.kernel) == (1, 0), grown


def test_nsid_tells_the_nodes_identity(edge: Lab) -> None:
    """RFC 5001: asked for explicitly, so the agent answers; the addresses are the same."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", "+nsid")
    assert '("e17")' in reply.text and set(reply.rdatas("A")) == {SERVER1[0], SERVER2[0]}, reply.text
    assert (grown["pass_nsid"], grown.kernel) == (1, 0), grown


def test_an_unknown_edns_version_is_badvers(edge: Lab) -> None:
    """RFC 6891 6.1.3."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", "+edns=1", "+noednsnegotiation")
    assert (reply.status, reply.answer) == ("BADVERS", []), reply.text
    assert (grown["pass_edns_version"], grown.kernel) == (1, 0), grown


def test_any_is_answered_by_the_agent_with_one_rrset(edge: Lab) -> None:
    """RFC 8482 4.1: a small answer for those who ask for everything."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "ANY", "+notcp")
    assert reply.status == "NOERROR" and {record.type for record in reply.answer} == {"A"}, reply.text
    assert (grown["pass_qtype"], grown.kernel) == (1, 0), grown


def test_another_opcode_is_not_implemented(edge: Lab) -> None:
    """RFC 8906 3.1.4: NOTIFY to a server that takes none."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "SOA", "+opcode=notify")
    assert (reply.status, reply.answer) == ("NOTIMP", []), reply.text
    assert (grown["pass_opcode"], grown.kernel) == (1, 0), grown
