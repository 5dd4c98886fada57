# SPDX-License-Identifier: BSD-2-Clause
"""Backbone nodes of the full lab that answer in the edges' stead, by their reports (claim 9), and that choose by
themselves when to (mode auto)."""

from __future__ import annotations

import ipaddress

import pytest

from full_config import REPORT_MAX_AGE_S
from full_lab import FullLab, timed
from full_plan import BACKBONES, ISPS, SERVER_AT, SERVERS, ZONE, ranked
from wait import wait_until

DIRECT, AUTO, WWW = f"direct.{ZONE}", f"auto.{ZONE}", f"www.{ZONE}"
BOTH = pytest.mark.parametrize("backbone", sorted(BACKBONES))


@pytest.fixture
def lab(full: FullLab) -> FullLab:
    """All is well."""
    full.restore()
    return full


def servers(told: object) -> list[str]:
    return [SERVER_AT.get(address, address) for address in told.addresses]  # type: ignore[attr-defined]


@BOTH
def test_two_resolvers_with_opposite_measurements_get_two_answers_from_one_backbone(lab: FullLab, backbone: str) -> None:
    """Claim 9: AA=1, A and AAAA, each by the report of its own edge; other types are NODATA with the zone's SOA."""
    lab.slow("nyc1", "isp1", 120)
    lab.slow("fra1", "isp2", 120)
    for isp, best in (("isp1", "fra1"), ("isp2", "nyc1")):
        for rrtype in ("A", "AAAA"):
            told = lab.referral(backbone, isp, DIRECT, rrtype)
            assert told.aa and servers(told)[0] == best and not told.ns, told
        nodata = lab.referral(backbone, isp, DIRECT, "HTTPS")
        assert (nodata.status, nodata.aa, nodata.addresses, nodata.soa) == ("NOERROR", True, (), ZONE), nodata


def test_what_an_edge_measures_moves_the_direct_answer(lab: FullLab) -> None:
    """Reports are sent on change: both backbone nodes follow, for that ISP only."""
    best, second = ranked("isp2")[:2]
    lab.slow(best, "isp2")

    def moved() -> bool:
        return all(servers(lab.referral(backbone, "isp2", DIRECT))[:1] == [second] for backbone in BACKBONES)
    print(f"moved after {timed('both answer isp2 with its second best', moved, timeout=10):.1f} s")
    for isp in set(ISPS) - {"isp2"}:
        assert servers(lab.referral("b1", isp, DIRECT))[0] == ISPS[isp].best


def test_a_report_that_is_too_old_is_not_used(lab: FullLab) -> None:
    """Its edge is dead: while the report is fresh it counts, later the edges that live are referred to."""
    isp = ISPS["isp4"]
    lab.kill(isp.edge_id)
    assert servers(lab.referral("b1", "isp4", DIRECT))[0] == isp.best

    def referred() -> bool:
        told = lab.referral("b1", "isp4", DIRECT)
        return told.refers and isp.edge_name not in told.ns
    took = timed("b1 refers isp4 to other edges", referred, timeout=REPORT_MAX_AGE_S + 5)
    assert took > REPORT_MAX_AGE_S - 2, took
    wait_until("clients of isp4 have an answer", lambda: lab.served_by("isp4", DIRECT), timeout=10)


def test_ecs_decides_a_direct_answer_where_it_has_a_row(lab: FullLab) -> None:
    """The operator's table has isp3's clients: scope 24. Without a row of its own the query is answered by its source, and
    the scope covers nobody who has one."""
    told = lab.as_stranger("b1", DIRECT, subnet=ISPS["isp3"].prefixes[0])
    assert told.aa and servers(told)[0] == ISPS["isp3"].best and told.scope == 24, told
    nowhere = lab.referral("b1", "isp2", DIRECT, subnet="203.0.113.0/24")
    assert nowhere.aa and servers(nowhere)[0] == ISPS["isp2"].best, nowhere
    reach = ipaddress.ip_network(f"203.0.113.0/{nowhere.scope}", strict=False)
    assert not any(reach.overlaps(ipaddress.ip_network(isp.prefixes[0])) for isp in ISPS.values()), nowhere


def test_auto_refers_where_the_edge_lives_and_ecs_tells_no_more(lab: FullLab) -> None:
    """No ECS; SOURCE 0; ECS of the same site: the referral. ECS of another site: the answer, by that site's edge."""
    for subnet in ("", "0.0.0.0/0", ISPS["isp3"].prefixes[0]):
        told = lab.referral("b1", "isp3", AUTO, subnet=subnet)
        assert told.refers and told.ns[0] == ISPS["isp3"].edge_name and told.scope in (None, 0), (subnet, told)
    told = lab.referral("b1", "isp2", AUTO, subnet=ISPS["isp3"].prefixes[0])
    assert told.aa and servers(told)[0] == ISPS["isp3"].best and told.scope == 24, told


def test_auto_answers_itself_where_the_edge_is_dead(lab: FullLab) -> None:
    """As long as the report is fresh; and clients go on being told the best."""
    isp = ISPS["isp2"]
    lab.kill(isp.edge_id)
    wait_until("b1 answers isp2 itself", lambda: servers(lab.referral("b1", "isp2", AUTO))[:1] == [isp.best],
               timeout=REPORT_MAX_AGE_S, pause=0.01)
    wait_until("the report is too old", lambda: lab.referral("b1", "isp2", AUTO).refers, timeout=REPORT_MAX_AGE_S + 5)
    assert lab.served_by("isp2", AUTO) != ()


@BOTH
def test_on_its_direct_address_a_backbone_answers_as_a_name_server_of_the_cut(lab: FullLab, backbone: str) -> None:
    """AA=1 for every mapped name, whatever its mode, best server first; over UDP and TCP."""
    for isp, plan in ISPS.items():
        for name in (WWW, DIRECT, AUTO):
            for tcp in (False, True):
                told = lab.referral(backbone, isp, name, direct=True, tcp=tcp)
                assert told.aa and servers(told)[0] == plan.best and not told.refers, told


def test_nobody_is_ever_left_without_an_answer(lab: FullLab) -> None:
    """All edges dead: the servers of the pool, AA=1; and clients of every ISP get one."""
    for isp in ISPS.values():
        lab.kill(isp.edge_id)

    def own_choice() -> bool:
        told = lab.referral("b1", "isp1", DIRECT)
        return told.aa and set(servers(told)) <= set(SERVERS) and bool(told.addresses)
    wait_until("b1 answers by its own choice", own_choice, timeout=REPORT_MAX_AGE_S + 10)
    for isp in ISPS:
        for name in (WWW, DIRECT, AUTO):
            wait_until(f"clients of {isp} are told servers for {name}", lambda: lab.served_by(isp, name), timeout=15)
