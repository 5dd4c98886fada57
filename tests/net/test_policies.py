# SPDX-License-Identifier: BSD-2-Clause
"""One set of measurements, many names: what each policy and criterion makes of it, what operators say, and why."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from balanced import CHECKS, FALLBACK, SERVERS, ZONE_HEAD, balance, check, server
from conftest import need
from environment import missing_for_lab
from lab import EDGE4, ZONE
from load import Load
from measured_lab import ADDRESSES, NAMES, VOID, MeasuredLab, running_lab
from wait import wait_until
from zones import TTL

# A server that refuses from the start, and one of which no result ever comes (it may fail a thousand times).
NEAR4, NEAR6 = ADDRESSES["near"]
DEAD, SILENT = ("203.0.113.66", "2001:db8:6::66"), ("203.0.113.67", "2001:db8:7::67")
ODD_SERVERS = (server("dead", DEAD, check_ipv4=NEAR4, check_ipv6=NEAR6, check_port=81)
               + server("silent", SILENT, check_ipv4=VOID[0], check_ipv6=VOID[1], checks=["patient"]))

ALL = "near mid far"
CONFIG = (CHECKS + check("patient", fall=1000) + check("tolerant", type="tcp", port=80, fall=1000)
          + SERVERS + ODD_SERVERS + ZONE_HEAD
          + balance("latency", ALL) + balance("two", ALL, addresses=2) + balance("all", ALL, policy="all")
          + balance("failover", "far near mid", policy="failover")
          + balance("ranked", ALL, policy="failover", priorities={"near": 3, "mid": 2})
          + balance("weighted", "near mid", policy="weighted", weights={"near": 3})
          + balance("hash", ALL, policy="hash")
          + balance("close", ALL, policy="spread", within="5ms")
          + balance("wide", ALL, policy="spread", within="120ms")
          + balance("max-rtt", ALL, policy="all", max_rtt="80ms")
          + balance("max-loss", ALL, policy="all", max_loss=0.02, checks=["tolerant"])
          + balance("sites", ALL, sites=["west", "east"])
          + balance("cost", ALL, costs={"near": 500})
          + balance("max-cost", ALL, policy="all", costs={"near": 11}, max_cost=10)
          + balance("priority", ALL, policy="all", priorities={"near": 2})
          + balance("weight", ALL, policy="all", weights={"near": 0})
          + balance("enough", "near dead", policy="all", minimum_healthy=1)
          + balance("too-few", "near dead", policy="all", minimum_healthy=2)
          + balance("unknown-last", "near silent", policy="all")
          + balance("unknown-alone", "silent", policy="all", all_down="servfail")
          + balance("unknown-up", "near silent", policy="all", unknown="up")
          + balance("unknown-down", "silent", policy="all", unknown="down", all_down="fallback", fallback=FALLBACK))
NAMES |= {address: name for name, pair in (("dead", DEAD), ("silent", SILENT)) for address in pair}


@pytest.fixture(scope="module")
def measured() -> Iterator[MeasuredLab]:
    """The edge has measured its servers, and answers from the kernel."""
    need(missing_for_lab())
    with running_lab(CONFIG) as lab:
        yield lab


@pytest.fixture
def lab(measured: MeasuredLab) -> MeasuredLab:
    """Links and servers are as at first, and no operator has said anything."""
    measured.restore()
    measured.nearside("release", "*", *socket_of(measured))
    for server_name in ("near", "mid", "far"):
        wait_until(f"{server_name} is up", lambda name=server_name: measured.standing(name) == {"up"}, 15)
    measured.wait_for("latency", "near")
    return measured


def socket_of(lab: MeasuredLab) -> tuple[str, str]:
    return "--socket", f"{lab.directory}/control.sock"


def operator(lab: MeasuredLab, verb: str, pattern: str, *more: str) -> str:
    """`nearside drain`, `down`, `up` or `release`, as a person would type it."""
    said = () if verb == "release" else ("--owner", "ops", "--reason", "disk")
    return lab.nearside(verb, pattern, *said, *more, *socket_of(lab))


def said_of(row: dict) -> tuple[str, str, str]:
    """State, owner and reason of what an operator said, in a row of `nearside servers`."""
    said = row["administrative"]
    return said["state"], said["owner"], said["reason"]


def shares(lab: MeasuredLab, name: str, queries: int) -> dict[str, float]:
    """The share of answers in which each server stands alone, over that many queries, all answered by the kernel."""
    with lab.counting() as grown, Load(lab, EDGE4, f"{name}.{ZONE}", rate=3000) as load:
        load.wait_for(queries)
    assert load.lost() == 0 and grown.kernel >= load.sent and grown.agent == 0, grown
    seen = Counter(NAMES[address] for (address,) in load.answers())
    return {server_name: count / load.sent for server_name, count in seen.items()}


# Policies


@pytest.mark.parametrize(("name", "servers"), [
    ("latency", "near"), ("failover", "far"), ("ranked", "far"), ("all", "near mid far"), ("close", "near"),
    ("wide", "near mid")])
def test_each_policy_makes_its_own_answer_of_the_same_measurements(lab: MeasuredLab, name: str, servers: str) -> None:
    """Fastest; first in the list; lowest priority number; all; those within so many ms of the best."""
    for rrtype in ("A", "AAAA"):
        lab.wait_for(name, *servers.split(), rrtype=rrtype)


def test_failover_follows_the_order_down_and_up_again(lab: MeasuredLab) -> None:
    """far, near, mid as listed; by priority far, mid, near."""
    for name, order in (("failover", ["far", "near", "mid"]), ("ranked", ["far", "mid", "near"])):
        for out in order[:-1]:
            lab.wait_for(name, out)
            operator(lab, "down", out)
        lab.wait_for(name, order[-1])
        operator(lab, "release", "*")
        lab.wait_for(name, order[0])


def test_weights_are_the_shares_of_the_kernels_answers(lab: MeasuredLab) -> None:
    """3 : 1 over 6,000 answers, within four deviations."""
    seen = shares(lab, "weighted", 6000)
    print(seen)
    assert set(seen) == {"near", "mid"} and abs(seen["near"] - 0.75) < 0.023


@pytest.mark.parametrize(("name", "expected"), [("wide", {"near", "mid"}), ("all", {"near", "mid", "far"})])
def test_rotation_gives_each_server_the_first_place_equally_often(lab: MeasuredLab, name: str,
                                                                  expected: set[str]) -> None:
    """Over 600 answers each stands first within five deviations of its share."""
    first = Counter(lab.answer(name).servers[0] for _ in range(600))
    assert set(first) == expected
    for count in first.values():
        assert abs(count - 600 / len(expected)) < 60


def test_with_two_addresses_the_next_best_follows(lab: MeasuredLab) -> None:
    """addresses = 2: near first, then mid; where near is out, mid and far."""
    wait_until("near and mid are the answer", lambda: lab.answer("two").servers == ("near", "mid"))
    operator(lab, "down", "near")
    wait_until("mid and far are the answer", lambda: lab.answer("two").servers == ("mid", "far"))


# Hash

NETWORKS = [f"198.18.{number}.0/24" for number in range(60)]


def by_network(lab: MeasuredLab) -> dict[str, str]:
    """Who answers which client network."""
    return {network: lab.answer("hash", subnet=network).servers[0] for network in NETWORKS}


def test_hash_gives_a_client_network_one_server_for_good(lab: MeasuredLab) -> None:
    """All servers have clients; each of these gets the same answer again, and over TCP too."""
    before = by_network(lab)
    assert set(before.values()) == {"near", "mid", "far"}
    assert by_network(lab) == before
    for network in NETWORKS[:10]:
        assert lab.answer("hash", subnet=network, tcp=True).servers == (before[network],)
    without = {lab.answer("hash").servers for _ in range(20)} | {lab.answer("hash", tcp=True).servers}
    assert len(without) == 1


def test_hash_moves_only_the_clients_of_the_server_that_leaves(lab: MeasuredLab) -> None:
    """And they come back with it."""
    before = by_network(lab)
    operator(lab, "down", "mid")
    after = by_network(lab)
    assert "mid" not in after.values()
    assert all(after[network] == before[network] for network in NETWORKS if before[network] != "mid")
    assert {after[network] for network in NETWORKS if before[network] == "mid"} == {"near", "far"}
    operator(lab, "release", "mid")
    assert by_network(lab) == before


@pytest.mark.parametrize(("subnet", "scope"), [
    ("198.18.7.0/24", 24), ("198.18.7.77/32", 24), ("2001:db8:77:100::/56", 56), ("2001:db8:77:123::/64", 56)])
def test_the_scope_of_a_hash_answer_is_the_network_that_was_hashed(lab: MeasuredLab, subnet: str, scope: int) -> None:
    """RFC 7871 7.2.1 and 11.1: 24 and 56; from the kernel, and the same by TCP. Other policies: 0."""
    for tcp in (False, True):
        assert lab.answer("hash", subnet=subnet, tcp=tcp).scope == scope
        assert lab.answer("latency", subnet=subnet, tcp=tcp).scope == 0


# Criteria


def without_figures(text: str) -> str:
    """The same sentence, whatever was measured."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


@pytest.mark.parametrize(("name", "servers", "removed", "rule"), [
    ("max-rtt", "near mid", "far", "max_rtt"), ("sites", "mid", "near", "sites"), ("cost", "mid", "near", "policy"),
    ("max-cost", "mid far", "near", "max_cost"), ("priority", "mid far", "near", "priority"),
    ("weight", "mid far", "near", "weight"), ("enough", "near", "dead", "down"),
    ("too-few", "near dead", "near", "minimum_healthy"), ("unknown-last", "near", "silent", "unknown")])
def test_a_criterion_changes_the_answer_and_explain_names_it(lab: MeasuredLab, name: str, servers: str, removed: str,
                                                             rule: str) -> None:
    """The answer in both families; the trace has the rule, a sentence, and the figures with their age."""
    for rrtype in ("A", "AAAA"):
        lab.wait_for(name, *servers.split(), rrtype=rrtype)
        candidate = lab.explained(name, rrtype)["candidates"][removed]
        assert candidate["rule"] == rule and candidate["reason"], candidate
        if removed not in ("dead", "silent"):
            assert candidate["srtt_ms"] > 0 and candidate["age_s"] < 5, candidate
    told = lab.nearside("explain", f"{name}.{ZONE}", *socket_of(lab))
    rows = [line for line in told.splitlines() if line.split()[:1] == [removed]]
    # The figures are those of a moment later.
    assert len(rows) == 2 and all(without_figures(candidate["reason"]) in without_figures(row) for row in rows), told
    assert all(f" {candidate['rule']} " in row for row in rows), told


def test_loss_takes_a_server_out_of_names_that_limit_it_and_only_of_these(lab: MeasuredLab) -> None:
    """Three in ten round trips to the far server are lost: too many for max_loss = 0.02, not for its being up."""
    lab.wait_for("max-loss", "near", "mid", "far")
    lab.wan.set("far", loss=0.3)
    print(f"removed after {lab.wait_for('max-loss', 'near', 'mid', timeout=20):.2f} s")
    assert lab.explained("max-loss")["candidates"]["far"]["rule"] == "max_loss"
    assert lab.standing("far", "tolerant") == {"up"}


def test_unknown_servers_stand_in_only_where_the_name_lets_them(lab: MeasuredLab) -> None:
    """last: when nothing is up; up: beside those that are; down: never, so the rule for all down is followed."""
    for family, rrtype in enumerate(("A", "AAAA")):
        lab.wait_for("unknown-last", "near", rrtype=rrtype)
        lab.wait_for("unknown-alone", "silent", rrtype=rrtype)
        lab.wait_for("unknown-up", "near", "silent", rrtype=rrtype)
        lab.wait_for("unknown-down", FALLBACK[family], rrtype=rrtype)


def test_explain_tells_the_figures_and_what_set_the_ttl(lab: MeasuredLab) -> None:
    """Each candidate with smoothed RTT, variation, loss and evidence; who serves, with what share."""
    told = lab.explained("latency")
    near, mid = told["candidates"]["near"], told["candidates"]["mid"]
    assert (near["answered"], near["share"], mid["answered"], mid["share"]) == (True, 1, False, 0), told
    assert 5 <= near["srtt_ms"] < 15 and 32 <= mid["srtt_ms"] < 60 and 80 <= near["penalty_ms"] + mid["expected_ms"]
    assert (told["ttl"], told["ttl_reason"]) == (TTL, "ttl: nothing is pending")
    assert {"rttvar_ms", "loss", "evidence_ms_s", "failing", "state", "administrative"} <= set(near)


# What operators say


def test_draining_moves_the_answer_and_tells_when_the_old_ones_have_run_out(lab: MeasuredLab) -> None:
    """No longer than the TTL that was given out; the command prints it, and `servers` counts it down."""
    printed = operator(lab, "drain", "near")
    lab.wait_for("latency", "mid")
    found = re.search(r"the last answers given out run out in (\d+) s", printed)
    assert found and TTL - 2 <= int(found[1]) <= TTL and printed.startswith("near\n"), printed
    rows = lab.rows("near")
    assert rows and all(0 < row["answers_end_s"] <= TTL and not row["answered"] for row in rows), rows
    assert all(said_of(row) == ("drain", "ops", "disk") for row in rows), rows
    assert lab.explained("latency")["candidates"]["near"]["rule"] == "drained"
    operator(lab, "release", "near")
    lab.wait_for("latency", "near")


def test_forcing_a_server_up_or_down_overrides_what_was_measured(lab: MeasuredLab) -> None:
    """`up` for one that refuses, `down` for one that serves."""
    operator(lab, "up", "dead")
    lab.wait_for("enough", "near", "dead")
    operator(lab, "down", "near")
    lab.wait_for("enough", "dead")
    operator(lab, "release", "*")
    lab.wait_for("enough", "near")


def test_a_glob_is_for_all_servers_that_match_it(lab: MeasuredLab) -> None:
    """Shell patterns over the servers' names; one that matches nothing is refused."""
    printed = operator(lab, "down", "[mf]*")
    assert "mid" in printed and "far" in printed and "near" not in printed, printed
    lab.wait_for("all", "near")
    refused = lab.edge.attempt(*lab.nearside_command("down", "nobody*", "--owner", "ops", "--reason", "x",
                                                     *socket_of(lab)))
    assert refused.returncode != 0 and "nobody*" in refused.stderr, refused


def test_what_an_operator_said_ends_by_itself(lab: MeasuredLab) -> None:
    """--for: until then the TTL is no longer than what is left."""
    operator(lab, "down", "near", "--for", "3s")
    began = time.monotonic()
    lab.wait_for("latency", "mid")
    assert lab.answer("latency").ttl <= 3
    lab.wait_for("latency", "near")
    assert 2 < time.monotonic() - began < 8


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_what_an_operator_said_outlives_the_agent(lab: MeasuredLab, killed: bool) -> None:
    """From the first query of the next agent on; owner and reason as well."""
    operator(lab, "drain", "near", "--for", "1h")
    lab.wait_for("latency", "mid")
    assert lab.agent is not None
    with Load(lab, EDGE4, f"latency.{ZONE}") as load:
        load.wait_for_answer((ADDRESSES["mid"][0],))
        if killed:
            lab.agent.kill()
        else:
            lab.agent.stop()
        lab.start_agent()
        load.wait_for(500)
    assert load.lost() == 0 and set(load.answers()) == {(ADDRESSES["mid"][0],)}
    rows = lab.rows("near")
    assert rows and all(said_of(row) == ("drain", "ops", "disk") for row in rows), rows
    assert all(3500 < row["administrative"]["ends_in_s"] <= 3600 for row in rows), rows
