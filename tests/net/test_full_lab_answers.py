# SPDX-License-Identifier: BSD-2-Clause
"""The full lab in good order: who is told what through four makes of resolvers, and what a backbone node says to each."""

from __future__ import annotations

import itertools

import pytest

from full_config import REFERRAL_TTL
from full_lab import FullLab
from full_plan import BACKBONES, ISPS, OWNER, RTT, SERVER_AT, ZONE, Isp, ranked
from wait import wait_until

CUT = f"www.{ZONE}"
BOTH = pytest.mark.parametrize("backbone", sorted(BACKBONES))
EACH_ISP = pytest.mark.parametrize("isp", sorted(ISPS))


@pytest.fixture
def lab(full: FullLab) -> FullLab:
    """All is well, and clients are told the best server of their ISP."""
    full.restore()
    return full


def test_the_round_trips_that_edges_measure_are_those_of_the_plan(full: FullLab) -> None:
    """Each edge sees another server as the nearest, and another as the second. A busy machine adds some ms, for a while."""
    def as_planned(isp: Isp) -> bool:
        measured = full.measured(isp.edge_id)
        return measured.keys() == RTT[isp.name].keys() and all(
            measured[server] is not None and rtt - 0.5 <= measured[server] < rtt + 15
            for server, rtt in RTT[isp.name].items())
    for isp in ISPS.values():
        wait_until(f"{isp.edge_id} measures what the plan says", lambda: as_planned(isp), timeout=20, pause=0.2)
    assert len({tuple(ranked(isp)[:2]) for isp in ISPS}) == len(ISPS)


@EACH_ISP
def test_clients_of_an_isp_are_told_the_server_that_is_best_from_there(lab: FullLab, isp: str) -> None:
    """A and AAAA, asked over IPv4 and IPv6, through the owner's CNAME; and the page comes from it."""
    for rrtype, family in itertools.product(("A", "AAAA"), (4, 6)):
        told = lab.ask(isp, rrtype=rrtype, family=family)
        assert [SERVER_AT.get(address) for address in told.addresses] == [ISPS[isp].best], told
    assert lab.fetch(isp).startswith(f"{ISPS[isp].best} served")


@BOTH
@EACH_ISP
def test_a_resolver_is_referred_to_the_edge_beside_it(lab: FullLab, isp: str, backbone: str) -> None:
    """AA=0, the edge first and a backbone node's direct address last, glue of both families; from every egress, over
    UDP and TCP, and over IPv6."""
    plan = ISPS[isp]
    for egress in (*plan.egresses[0], *plan.egresses[1]):
        told = lab.referral(backbone, isp, egress=egress)
        assert told.refers and told.cut == CUT and told.ttl == REFERRAL_TTL, told
        assert told.ns[0] == plan.edge_name and len(told.ns) >= 2, told
        assert told.ns[-1] in {node.direct_ns for node in BACKBONES.values()}, told
        glue = {(plan.edge_name, address) for address in plan.edge}
        glue |= {(node.direct_ns, address) for node in BACKBONES.values() if node.direct_ns in told.ns
                 for address in node.direct}
        assert told.glue == glue, told
    assert lab.referral(backbone, isp, tcp=True).ns == lab.referral(backbone, isp).ns


@BOTH
def test_a_referral_comes_from_the_kernel_and_ecs_does_not_change_it(lab: FullLab, backbone: str) -> None:
    """RFC 7871 7.4: by the source address alone, scope 0."""
    plain = lab.referral(backbone, "isp1")

    def from_kernel(subnet: str) -> bool:
        """A frame of a stack of this machine has room for a referral now and then only; a NIC's always has."""
        before = lab.nodes[backbone].counters()["referred"]
        told = lab.referral(backbone, "isp1", subnet=subnet)
        assert (told.ns, told.glue) == (plain.ns, plain.glue) and told.scope == (0 if subnet else None), told
        return lab.nodes[backbone].counters()["referred"] > before
    # Resolvers ask too: what counts is that it is answered the same, whoever does.
    for subnet in ("", ISPS["isp2"].prefixes[0], ISPS["isp2"].prefixes[1]):
        wait_until(f"the kernel refers, asked with {subnet or 'no ECS'}", lambda: from_kernel(subnet), timeout=20)


def test_what_lies_at_and_below_the_cut_is_referred_but_for_its_ds(lab: FullLab) -> None:
    """DS is the parent's: NODATA with the SOA of lb.example.com."""
    plain = lab.referral("b1", "isp1")
    for name, rrtype in ((CUT, "AAAA"), (CUT, "HTTPS"), (CUT, "NS"), (f"a.b.{CUT}", "A")):
        told = lab.referral("b1", "isp1", name, rrtype)
        assert told.refers and (told.cut, told.ns) == (CUT, plain.ns), (name, rrtype, told)
    ds = lab.referral("b1", "isp1", CUT, "DS")
    assert (ds.status, ds.aa, ds.addresses, ds.soa) == ("NOERROR", True, (), ZONE), ds


@EACH_ISP
def test_the_ns_rrset_at_the_child_is_the_one_that_the_parent_gave(lab: FullLab, isp: str) -> None:
    """At the edge, and at the backbone's direct address, whose SOA is the cut's as well."""
    plan = ISPS[isp]
    given = {lab.referral(backbone, isp).ns for backbone in BACKBONES}
    assert lab.at_edge(plan.edge_id, rrtype="NS").ns in given
    child = lab.referral("b1", isp, rrtype="NS", direct=True)
    assert child.aa and child.ns in given, child
    for told in (lab.at_edge(plan.edge_id, f"nothing.{CUT}"), lab.referral("b1", isp, f"nothing.{CUT}", direct=True)):
        assert (told.status, told.aa, told.soa) == ("NXDOMAIN", True, CUT), told
    for told in (lab.at_edge(plan.edge_id, rrtype="HTTPS"), lab.referral("b1", isp, rrtype="HTTPS", direct=True)):
        assert (told.status, told.addresses, told.soa) == ("NOERROR", (), CUT), told


@BOTH
def test_a_client_that_no_row_covers_gets_a_default(lab: FullLab, backbone: str) -> None:
    """Edges that live, by weight: two of them, with glue; over TCP as well."""
    names = {isp.edge_name for isp in ISPS.values()}
    for tcp in (False, True):
        told = lab.as_stranger(backbone, tcp=tcp)
        assert told.refers and len(told.ns) >= 2 and set(told.ns) <= names, told
        assert {owner for owner, _ in told.glue} == set(told.ns), told


@EACH_ISP
def test_the_nonce_zone_tells_who_asks(lab: FullLab, isp: str) -> None:
    """As whoami services do: the address that a backbone node sees, as A or AAAA and TXT, TTL 0."""
    plan = ISPS[isp]
    for number, backbone in itertools.product(range(3), BACKBONES.values()):
        for family, rrtype in ((4, "A"), (6, "AAAA")):
            name = f"whoami{number}.v{family}.{backbone.nonce_zone}"
            told = lab.ask(isp, name, rrtype)
            assert len(told.addresses) == 1 and told.addresses[0] in plan.egresses[family == 6], told
            assert told.ttl == 0, told
            text = lab.ask(isp, name, "TXT")
            assert len(text.texts) == 1 and text.texts[0] in plan.egresses[family == 6], text
    stranger = lab.as_stranger("b1", f"whoami.{BACKBONES['b1'].nonce_zone}")
    assert stranger.aa and stranger.addresses == (OWNER[0],), stranger


def test_a_server_slowed_at_one_edge_moves_only_that_isp(lab: FullLab) -> None:
    """Its clients get the second best, all others what they had; and back."""
    second = ranked("isp1")[1]
    others = {isp.name: isp.best for isp in ISPS.values() if isp.name != "isp1"}
    lab.slow(ISPS["isp1"].best, "isp1")
    print(f"moved after {lab.wait_for_server('isp1', second):.1f} s, AAAA after "
          f"{lab.wait_for_server('isp1', second, 'AAAA'):.1f} s more")
    assert {isp: lab.served_by(isp) for isp in others} == {isp: (best,) for isp, best in others.items()}
    lab.distances.restore()
    print(f"back after {lab.wait_for_server('isp1', ISPS['isp1'].best):.1f} s")


def test_a_server_that_dies_is_left_by_its_isp(lab: FullLab) -> None:
    """nginx of sin1 is killed: the clients of isp4 are told the next, and none is without an answer."""
    best, second = ranked("isp4")[:2]
    lab.kill_server(best)
    lab.wait_for_server("isp4", second)
    lab.restore()
    assert lab.served_by("isp4") == (best,)
