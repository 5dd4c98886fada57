# SPDX-License-Identifier: BSD-2-Clause
"""One edge node asked by dig and kdig over a veth: the right answers, and by whom they were given."""

from __future__ import annotations

import json
import string

import dns.flags
import dns.message
import pytest

from counting import ANSWERED
from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab
from namespaces import add_address, run
from wait import wait_until
from zones import LONGEST_NAME, MANY, NEGATIVE_TTL, SOME, TOO_MANY, TTL

WWW = f"www.{ZONE}"
both_families = pytest.mark.parametrize("server", [EDGE4, EDGE6], ids=["ipv4", "ipv6"])


@both_families
@pytest.mark.parametrize(("rrtype", "addresses"), [("A", {SERVER1[0], SERVER2[0]}), ("AAAA", {SERVER1[1], SERVER2[1]})])
def test_a_balanced_name_is_answered_by_the_kernel(edge: Lab, server: str, rrtype: str, addresses: set[str]) -> None:
    """The main job: all servers of the family, authoritative, no recursion offered."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, rrtype, server=server)
    assert (reply.status, set(reply.rdatas(rrtype))) == ("NOERROR", addresses), reply.text
    assert {record.ttl for record in reply.answer} == {TTL}
    assert "aa" in reply.flags and "ra" not in reply.flags and "tc" not in reply.flags
    assert (grown["answered"], grown.kernel, grown.agent) == (1, 1, 0), grown


@both_families
@pytest.mark.parametrize("options", [
    ["+noedns"], ["+dnssec"], ["+cookie"], ["+nocookie", "+bufsize=512"], ["+ednsopt=65001:0102"], ["+cdflag"],
    ["+norecurse"], ["+padding=128"]], ids=" ".join)
def test_what_resolvers_add_does_not_cost_the_kernels_answer(edge: Lab, server: str, options: list[str]) -> None:
    """EDNS in its usual forms, from frames of the client's own stack with little room to grow."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", *options, server=server)
    assert (reply.status, set(reply.rdatas("A"))) == ("NOERROR", {SERVER1[0], SERVER2[0]}), reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown
    assert ("; EDNS: version: 0" in reply.text) == (options != ["+noedns"])
    assert ("flags: do;" in reply.text) == (options == ["+dnssec"])


@both_families
@pytest.mark.parametrize("options", [["+edns", "+bufsize=1232"], ["+dnssec", "+bufsize=4096"], ["+noedns"], ["+cookie"],
                                     ["+padding=64", "+dnssec"]], ids=" ".join)
def test_kdig_gets_its_answer_from_the_kernel(edge: Lab, server: str, options: list[str]) -> None:
    """Another client, another way to write EDNS."""
    with edge.counting() as grown:
        reply = edge.kdig(*options, WWW, "AAAA", server=server)
    assert (reply.status, set(reply.rdatas("AAAA"))) == ("NOERROR", {SERVER1[1], SERVER2[1]}), reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown


@both_families
@pytest.mark.parametrize(("name", "rrtype"), [("v4only", "AAAA"), ("www", "HTTPS"), ("www", "MX"), ("www", "TYPE4711")])
def test_a_type_that_a_name_has_not_is_nodata_from_the_kernel(edge: Lab, server: str, name: str, rrtype: str) -> None:
    """RFC 2308 2.2: NOERROR, no answer, the SOA with the negative TTL."""
    with edge.counting() as grown:
        reply = edge.dig(f"{name}.{ZONE}", rrtype, server=server)
    assert (reply.status, reply.answer) == ("NOERROR", []), reply.text
    authority = [(record.owner, record.type, record.ttl) for record in reply.authority]
    assert authority == [(f"{ZONE}.", "SOA", NEGATIVE_TTL)], reply.text
    assert (grown["answered_nodata"], grown.agent) == (1, 0), grown


@both_families
def test_the_apex_gives_its_soa_and_ns_from_the_kernel(edge: Lab, server: str) -> None:
    """Resolvers ask for these; the NS come with their addresses."""
    with edge.counting() as grown:
        soa = edge.dig(ZONE, "SOA", server=server)
        ns = edge.dig(ZONE, "NS", server=server)
    assert soa.rdatas("SOA") == [f"e17.ns.{ZONE}. hostmaster.example.com. 1 3600 900 604800 {NEGATIVE_TTL}"], soa.text
    assert ns.rdatas("NS") == [f"e17.ns.{ZONE}."], ns.text
    assert [(record.type, record.rdata) for record in ns.additional] == [("A", EDGE4), ("AAAA", EDGE6)], ns.text
    assert (grown["answered"], grown.agent) == (2, 0), grown


@pytest.mark.parametrize(("name", "rrtype", "rdata"), [
    ("text", "TXT", '"one" "two words"'), ("secure", "HTTPS", '1 . alpn="h2"'), ("mail", "MX", "10 mx1.example.net.")])
def test_static_records_are_answered_by_the_kernel(edge: Lab, name: str, rrtype: str, rdata: str) -> None:
    """A zone may hold more than balanced names."""
    with edge.counting() as grown:
        reply = edge.dig(f"{name}.{ZONE}", rrtype)
    assert (reply.status, reply.rdatas(rrtype)) == ("NOERROR", [rdata]), reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown


@both_families
def test_a_negative_answer_echoes_the_client_subnet_with_scope_0(edge: Lab, server: str) -> None:
    """RFC 7871 7.4: no address of ours depends on the client, least of all one that is not there."""
    with edge.counting() as grown:
        reply = edge.dig(f"v4only.{ZONE}", "AAAA", "+subnet=203.0.113.0/24", server=server)
    assert (reply.status, reply.answer) == ("NOERROR", []), reply.text
    assert "; CLIENT-SUBNET: 203.0.113.0/24/0" in reply.text, reply.text
    assert (grown["answered_nodata"], grown.agent) == (1, 0), grown


@both_families
@pytest.mark.parametrize(("name", "options", "addresses"), [
    ("many", ["+noedns"], MANY), ("many", ["+bufsize=600"], MANY), ("toomany", ["+bufsize=4096"], TOO_MANY)])
def test_too_large_an_answer_is_truncated_by_the_kernel_and_whole_over_tcp(
        edge: Lab, server: str, name: str, options: list[str], addresses: list[str]) -> None:
    """TC=1 with empty sections, never more than the client allows nor than 1232 octets; then TCP."""
    with edge.counting() as grown:
        short = edge.dig(f"{name}.{ZONE}", "A", *options, server=server)
    assert "tc" in short.flags and (short.status, short.answer) == ("NOERROR", []), short.text
    assert (grown["answered_truncated"], grown.agent) == (1, 0), grown
    with edge.counting() as grown:
        whole = edge.dig(f"{name}.{ZONE}", "A", "+tcp", server=server)
    assert "tc" not in whole.flags and sorted(whole.rdatas("A")) == sorted(addresses), whole.text
    assert grown.kernel == 0, grown


@both_families
def test_an_answer_that_fits_the_clients_size_is_whole_from_the_kernel(edge: Lab, server: str) -> None:
    """Ten addresses: the frame grows by 160 octets, more than one of the client's own stack has room for."""
    with edge.counting() as grown:
        reply = edge.dig(f"some.{ZONE}", "A", "+bufsize=1232", server=server)
    assert sorted(reply.rdatas("A")) == sorted(SOME), reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown
    assert grown["grew_tail"] + grown["grew_head"] == 1, grown


@both_families
def test_an_answer_for_which_the_frame_has_no_room_comes_from_the_agent(edge: Lab, server: str) -> None:
    """Forty addresses fit the client but not the buffer that a veth gives to a small frame: whole all the same."""
    with edge.counting() as grown:
        reply = edge.dig(f"many.{ZONE}", "A", "+bufsize=1232", server=server)
    assert sorted(reply.rdatas("A")) == sorted(MANY) and "tc" not in reply.flags, reply.text
    assert grown["answered"] + grown["pass_no_room"] == 1 and grown.agent == grown["pass_no_room"], grown


@both_families
@pytest.mark.parametrize("subnet", [
    "203.0.113.0/24", "198.51.100.77/32", "203.0.112.0/20", "0.0.0.0/0", "2001:db8:77::/48"])
def test_a_client_subnet_is_echoed_with_scope_0_by_the_kernel(edge: Lab, server: str, subnet: str) -> None:
    """RFC 7871 7.2.1: FAMILY, SOURCE and ADDRESS as they came; one site, so the answer holds for everyone."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", f"+subnet={subnet}", server=server)
    assert f"; CLIENT-SUBNET: {subnet}/0" in reply.text, reply.text
    assert set(reply.rdatas("A")) == {SERVER1[0], SERVER2[0]}
    assert (grown["answered"], grown["ecs"], grown.agent) == (1, 1, 0), grown


@both_families
def test_rotation_gives_every_server_the_first_place(edge: Lab, server: str) -> None:
    """Each answer is whole; over many of them each server stands first, also where a master file gave the set."""
    first: dict[str, set[str]] = {WWW: set(), f"shared.{ZONE}": set()}
    for name, seen in first.items():
        def ask() -> bool:
            reply = edge.ask(dns.message.make_query(name, "A"), server)
            order = [rdata.address for rdata in reply.answer[0]]
            assert sorted(order) == sorted([SERVER1[0], SERVER2[0]])
            # dnspython keeps the order of the message.
            seen.add(order[0])
            return seen == {SERVER1[0], SERVER2[0]}
        wait_until(f"each server stands first in an answer for {name}", ask, pause=0)


@both_families
def test_a_name_of_255_octets_is_answered_by_the_kernel(edge: Lab, server: str) -> None:
    """The longest name that DNS allows."""
    with edge.counting() as grown:
        reply = edge.dig(LONGEST_NAME, "A", server=server)
    assert reply.rdatas("A") == [SERVER1[0]], reply.text
    assert (grown["answered"], grown.agent) == (1, 0), grown


@both_families
@pytest.mark.parametrize("name", [f"www.{ZONE}", LONGEST_NAME], ids=["short", "longest"])
def test_the_question_is_echoed_in_the_case_in_which_it_came(edge: Lab, server: str, name: str) -> None:
    """Knot Resolver and Unbound mix the case and drop replies that do not repeat it."""
    mixed = "".join(letter.upper() if index % 2 else letter for index, letter in enumerate(name))
    query = dns.message.make_query(mixed, "A", use_edns=0, want_dnssec=True)
    with edge.counting() as grown:
        reply = edge.ask(query, server)
    assert reply.question[0].name.to_text() == mixed + "."
    assert any(letter in string.ascii_uppercase for letter in reply.question[0].name.to_text())
    assert reply.answer and reply.flags & dns.flags.AA
    assert (grown["answered"], grown.agent) == (1, 0), grown


@pytest.mark.parametrize("address", ["192.0.2.99/24", "2001:db8::99/64"], ids=["ipv4", "ipv6"])
def test_another_address_of_the_edge_is_never_answered_by_the_kernel(edge: Lab, address: str) -> None:
    """Only what stands in `listen` is ours; nobody serves DNS on the other address, so no reply may come."""
    add_address(edge.edge, "edge0", address)
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", server=address.split("/")[0])
    assert reply.status == "", reply.text
    assert grown["pass_not_listened"] >= 1 and grown.kernel == 0, grown


def test_another_port_of_our_address_is_passed(edge: Lab) -> None:
    """UDP to port 5353 is not DNS of ours."""
    with edge.counting() as grown:
        reply = edge.dig(WWW, "A", "-p", "5353")
    assert reply.status == "" and grown["pass_not_listened"] >= 1 and grown.kernel == 0, grown


def test_every_packet_counts_once_under_one_reason(edge: Lab) -> None:
    """A mix of everything: each query under its own verdict, and the packets received are the sum of all verdicts."""
    with edge.counting() as grown:
        edge.dig(WWW, "A")
        edge.dig(f"v4only.{ZONE}", "AAAA")
        edge.dig(f"many.{ZONE}", "A", "+noedns")
        edge.dig(f"nothing.{ZONE}", "A")
    assert [grown[name] for name in (*ANSWERED, "pass_name")] == [1, 1, 1, 1], grown
    assert (grown.kernel, grown.agent) == (3, 1), grown
    verdicts = [name for name in grown.by_name if name.startswith(("answered", "referred", "pass_", "drop_"))]
    assert grown["received"] == sum(grown[name] for name in verdicts) >= 4, grown


def test_a_response_is_dropped_and_never_answered(edge: Lab) -> None:
    """QR=1: answering it would start a loop between two servers."""
    response = dns.message.make_response(dns.message.make_query(WWW, "A"))
    with edge.counting() as grown, pytest.raises(Exception, match="(?i)timed out|timeout"):
        edge.ask(response)
    assert (grown["drop_response"], grown.kernel, grown.agent) == (1, 0, 0), grown


def test_the_pinned_maps_show_named_fields(edge: Lab) -> None:
    """`bpftool map dump pinned`: what an operator looks at when all else is doubted."""
    config = json.loads(run("bpftool", "-j", "map", "dump", "pinned", str(edge.pinned("config"))))
    fields = config[0]["formatted"]["value"]
    assert {"layout_version", "lease_deadline", "generation", "agent_pid", "sites"} <= set(fields), fields
    assert edge.agent is not None and fields["agent_pid"] == edge.agent.pid
    names = json.loads(run("bpftool", "-j", "map", "dump", "pinned", str(edge.pinned("names_short"))))
    assert all("binding" in element["formatted"]["value"] for element in names) and len(names) >= 5
    listen = run("bpftool", "map", "dump", "pinned", str(edge.pinned("listen")))
    assert '"address4"' in listen and '"count6"' in listen
