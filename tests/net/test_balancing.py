# SPDX-License-Identifier: BSD-2-Clause
"""Answers follow the servers, slowed, killed, black-holed, broken and restored: by dig and by the kernel's counters."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from balanced import CHECKS, FALLBACK, SERVERS, TTL_MIN, ZONE_HEAD, balance, check
from conftest import need
from environment import missing_for_lab
from lab import EDGE4, ZONE
from load import Load
from measured_lab import ADDRESSES, MeasuredLab, running_lab
from wait import wait_until
from zones import NEGATIVE_TTL, TTL

WWW = f"www.{ZONE}"

# `slowly` takes a second in each direction: long enough to see the TTL meanwhile.
CONFIG = (CHECKS + check("slowly", fall=6, recheck="200ms", rise=4, rise_most=4)
          + check("damped", rise=2, rise_growth=4, rise_most=8)
          + check("nervous", fall=1, rise=1, rise_most=1, recheck="10ms", interval="100ms", timeout="100ms")
          + SERVERS + ZONE_HEAD
          + balance("www", "near mid far")
          + balance("open", "near", policy="all")
          + balance("mute", "near", policy="all", all_down="servfail")
          + balance("elsewhere", "near", policy="all", all_down="fallback", fallback=FALLBACK)
          + balance("settling", "near mid", policy="failover", checks=["slowly"])
          + balance("damped", "far mid", policy="failover", checks=["damped"])
          + balance("nervous", "near mid", policy="failover", checks=["nervous"]))


@pytest.fixture(scope="module")
def measured() -> Iterator[MeasuredLab]:
    """The edge measures three servers and answers from the kernel."""
    need(missing_for_lab())
    with running_lab(CONFIG) as lab:
        yield lab


@pytest.fixture
def lab(measured: MeasuredLab) -> MeasuredLab:
    """All is well, and the near server is what clients are told."""
    measured.restore()
    for rrtype in ("A", "AAAA"):
        measured.wait_for("www", "near", rrtype=rrtype, timeout=15)
        measured.wait_for("settling", "near", rrtype=rrtype, timeout=15)
    wait_until("every server is up again by every check",
                 lambda: all(row["state"] == "up" for row in measured.rows()), 15)
    return measured


def kill(lab: MeasuredLab) -> None:
    lab.servers["near"].kill()


def black_hole(lab: MeasuredLab) -> None:
    lab.wan.cut("near")


def break_(lab: MeasuredLab) -> None:
    lab.servers["near"].fail()


def slow(lab: MeasuredLab) -> None:
    lab.wan.set("near", rtt_ms=90)


troubles = pytest.mark.parametrize("trouble", [kill, black_hole, break_, slow],
                                   ids=["killed", "black hole", "503", "slowed to 90 ms"])


# Following


def test_the_nearest_server_is_the_answer_from_the_kernel_and_from_the_agent(lab: MeasuredLab) -> None:
    """One address for each family, by UDP from the kernel, by TCP from the agent."""
    for rrtype in ("A", "AAAA"):
        with lab.counting() as grown:
            reply = lab.dig(WWW, rrtype)
        assert reply.rdatas(rrtype) == [ADDRESSES["near"][rrtype == "AAAA"]], reply.text
        assert (grown["answered"], grown.agent) == (1, 0), grown
        assert lab.dig(WWW, rrtype, "+tcp").rdatas(rrtype) == reply.rdatas(rrtype)


@troubles
def test_the_answer_moves_to_the_next_server_and_back(lab: MeasuredLab, trouble: Callable) -> None:
    """In both families, within a few seconds; the kernel answers all the while."""
    with lab.counting() as grown:
        trouble(lab)
        away = lab.wait_for("www", "mid")
        lab.wait_for("www", "mid", rrtype="AAAA")
        lab.restore()
        back = lab.wait_for("www", "near")
        lab.wait_for("www", "near", rrtype="AAAA")
    print(f"from near to mid after {away:.2f} s, back after {back:.2f} s")
    # By UDP only the kernel answers: what it passed up came by TCP.
    assert grown.agent == 0 and grown.kernel > 0, grown


def test_the_families_are_kept_apart(lab: MeasuredLab) -> None:
    """IPv6 to the near server is cut: AAAA moves, A stays."""
    lab.wan.cut("near", family=6)
    print(f"AAAA moved after {lab.wait_for('www', 'mid', rrtype='AAAA'):.2f} s")
    assert lab.served_by("www", "A") == {"near"}


def test_jitter_alone_moves_nothing(lab: MeasuredLab) -> None:
    """Two servers whose round trips differ by less than they vary: the one in use stays."""
    lab.wan.set("near", rtt_ms=36, jitter_ms=8)
    wait_until("the new distance is measured", lambda: lab.rows("near")[0]["checks"][0]["srtt_ms"] > 25)
    before = lab.control({"verb": "status"})["generation"]
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert lab.served_by("www") == {"near"}
        time.sleep(0.05)
    assert lab.control({"verb": "status"})["generation"] == before


def test_a_server_that_falls_again_must_prove_itself_longer(lab: MeasuredLab) -> None:
    """rise_growth 4: two successes after the first fall, eight after the second. No other test fells far."""
    took = []
    for _ in range(2):
        lab.wait_for("damped", "far")
        lab.servers["far"].fail()
        lab.wait_for("damped", "mid")
        lab.servers["far"].heal()
        took.append(lab.wait_for("damped", "far"))
    print(f"back after {took[0]:.2f} s, then after {took[1]:.2f} s")
    assert took[1] > took[0] + 1


# All down


def test_all_down_is_answered_by_each_names_own_rule(lab: MeasuredLab) -> None:
    """Answer with all (the default), SERVFAIL, or the fallback addresses; in both families."""
    for name, rrtype in itertools.product(("open", "mute", "elsewhere"), ("A", "AAAA")):
        assert lab.served_by(name, rrtype) == {"near"}
    kill(lab)
    for family, rrtype in enumerate(("A", "AAAA")):
        lab.wait_for("elsewhere", FALLBACK[family], rrtype=rrtype)
        assert lab.served_by("open", rrtype) == {"near"}
        for tcp in (False, True):
            assert lab.answer("mute", rrtype, tcp=tcp).status == "SERVFAIL"
    lab.restore()
    for name, rrtype in itertools.product(("open", "mute", "elsewhere"), ("A", "AAAA")):
        lab.wait_for(name, "near", rrtype=rrtype)


@pytest.mark.parametrize("name", ["open", "mute", "elsewhere"])
def test_a_family_without_a_server_that_is_up_is_nodata_while_the_other_has_one(lab: MeasuredLab, name: str) -> None:
    """IPv6 is cut, IPv4 is not: NOERROR, no answer, the zone's SOA; nobody's rule for all down is followed."""
    lab.wan.cut("near", family=6)
    lab.wait_for(name, rrtype="AAAA")
    with lab.counting() as grown:
        reply = lab.dig(f"{name}.{ZONE}", "AAAA")
    assert (reply.status, reply.answer) == ("NOERROR", []), reply.text
    assert [(record.type, record.ttl) for record in reply.authority] == [("SOA", NEGATIVE_TTL)], reply.text
    assert (grown["answered_nodata"], grown.agent) == (1, 0), grown
    assert lab.served_by(name, "A") == {"near"}


# TTL


def test_the_ttl_is_short_from_the_first_failure_until_the_matter_is_settled(lab: MeasuredLab) -> None:
    """20 s, then 3 s while the near server fails, 20 s once it is down, 3 s while it comes back, 20 s again."""
    seen: list[tuple[str, int | None]] = []

    def see() -> tuple[str, int | None]:
        answer = lab.answer("settling")
        now = (" ".join(answer.servers), answer.ttl)
        if not seen or seen[-1] != now:
            seen.append(now)
        return now
    see()
    kill(lab)
    wait_until("mid serves with a long TTL", lambda: see() == ("mid", TTL), pause=0.005)
    lab.restore()
    wait_until("near serves with a long TTL", lambda: see() == ("near", TTL), timeout=15, pause=0.005)
    assert seen == [("near", TTL), ("near", TTL_MIN), ("mid", TTL), ("mid", TTL_MIN), ("near", TTL)]
    assert lab.answer("settling", tcp=True).ttl == TTL


# Under load


def test_answers_that_change_all_the_time_are_always_one_of_the_valid_ones(lab: MeasuredLab) -> None:
    """The near server flaps by 503, and an operator takes it out and back as fast as he can: no reply is lost."""
    near, mid = (ADDRESSES[name][0] for name in ("near", "mid"))
    with lab.counting() as grown, Load(lab, EDGE4, f"nervous.{ZONE}", rate=3000) as load:
        load.wait_for_answer((near,))
        for _ in range(6):
            lab.servers["near"].fail()
            load.wait_for_answer((mid,))
            lab.servers["near"].heal()
            load.wait_for_answer((near,))
        deadline = time.monotonic() + 3
        changes = 0
        while time.monotonic() < deadline:
            for state in ("drain", "none"):
                lab.control({"verb": "administer", "pattern": "near", "state": state, "owner": "test", "reason": "load",
                             "seconds": None})
                changes += 1
    answers = load.answers()
    moves = sum(1 for before, after in itertools.pairwise(answers) if before != after)
    print(f"{load.sent} queries, {changes} changes by an operator, {moves} times another answer than the one before")
    assert load.lost() == 0 and set(answers) == {(near,), (mid,)}
    assert changes > 40 and moves > 50
    assert grown["drop_unsettled"] == 0, grown
