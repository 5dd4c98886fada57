# SPDX-License-Identifier: BSD-2-Clause
"""The agent is stopped, killed, restarted, told nonsense while servers come and go; what it recorded is replayed."""

from __future__ import annotations

import itertools
import json
import re
import signal
import time
from collections.abc import Iterator

import dns.exception
import pytest

from balanced import SMALL
from conftest import need
from environment import missing_for_lab
from lab import EDGE4, ZONE
from load import Load
from measured_lab import ADDRESSES, MeasuredLab
from wait import wait_until

WWW = f"www.{ZONE}"
NEAR, MID, FAR = ((ADDRESSES[name][0],) for name in ("near", "mid", "far"))


@pytest.fixture(scope="module")
def network() -> Iterator[MeasuredLab]:
    """The network with its servers; each test starts an agent of its own."""
    need(missing_for_lab())
    with MeasuredLab() as lab:
        lab.start_servers()
        yield lab


@pytest.fixture
def lab(network: MeasuredLab) -> Iterator[MeasuredLab]:
    """All servers serve; the agent of the test is ended after it."""
    network.restore()
    yield network
    if network.agent is not None:
        network.agent.kill()


def start(lab: MeasuredLab, lease: str = "10s", edge: str = "", zones: str = SMALL) -> None:
    """An agent that answers `www` with the near server, from the kernel."""
    lab.write_config(zones, lease=lease, edge=edge)
    lab.start_agent()
    lab.attach()
    lab.wait_for("www", "near")


# Gone


def end_of_lease(lab: MeasuredLab) -> float:
    """Seconds until the kernel no longer answers with the near server alone."""
    began = time.monotonic()

    def over() -> bool:
        with lab.counting() as grown:
            lab.dig(WWW, "A", "+time=1")
        return grown["pass_lease"] + grown["stale"] > 0
    wait_until("the lease runs out", over, timeout=8)
    return time.monotonic() - began


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
def test_past_the_lease_the_kernel_passes_everything_up(lab: MeasuredLab, how: int) -> None:
    """stale = "pass", the default: until then it answers what was decided last, though the server has died since."""
    start(lab, lease="2s")
    assert lab.agent is not None
    lab.agent.signal(how)
    lab.servers["near"].kill()
    with lab.counting() as grown:
        assert lab.served_by("www") == {"near"}
    assert grown["answered"] == 1, grown
    print(f"the kernel answered for {end_of_lease(lab):.1f} s more")
    with lab.counting() as grown, pytest.raises(dns.exception.Timeout):
        lab.answer("www")
    assert grown["pass_lease"] == 1 and grown.kernel == 0, grown
    if how == signal.SIGSTOP:
        lab.agent.signal(signal.SIGCONT)
        lab.wait_for("www", "mid")


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
def test_past_the_lease_the_kernel_answers_with_all_servers_where_that_is_wanted(lab: MeasuredLab, how: int) -> None:
    """stale = "all": in both families, counted; a new agent, or the old one, measures again at once."""
    start(lab, lease="2s", edge='stale = "all"')
    assert lab.agent is not None
    with Load(lab, EDGE4, WWW) as load:
        load.wait_for_answer(NEAR)
        lab.agent.signal(how)
        load.wait_for(500)
        end_of_lease(lab)
        load.wait_for(300)
        with lab.counting() as grown:
            for rrtype in ("A", "AAAA"):
                assert lab.served_by("www", rrtype) == {"near", "mid", "far"}
        assert grown["stale"] >= 2 and grown["pass_lease"] == 0, grown
        if how == signal.SIGSTOP:
            lab.agent.signal(signal.SIGCONT)
        else:
            lab.start_agent()
        load.wait_for_answer(NEAR)
    assert load.lost() == 0
    assert set(load.answers()) == {NEAR, tuple(sorted(NEAR + MID + FAR))}


def test_after_a_crash_the_measured_answer_goes_on_while_the_first_checks_run(lab: MeasuredLab) -> None:
    """mid is in use since near is a black hole; kill -9, restart: never near, never all, no query lost.

    The first result of near takes its time-out, that of mid a tenth of it: an agent that forgot would show.
    """
    start(lab)
    assert lab.agent is not None
    lab.wan.cut("near")
    lab.wait_for("www", "mid")
    # What was decided, for both families, is written down soon after; a crash in between may lose it.
    state = lab.directory / "state" / "state.json"
    wait_until("what was decided is written down",
               lambda: list(json.loads(state.read_text())["serving"].values()) == ["mid", "mid"])
    with lab.counting() as grown, Load(lab, EDGE4, WWW) as load:
        load.wait_for_answer(MID)
        for _ in range(2):
            lab.agent.kill()
            load.wait_for(200)
            lab.start_agent()
            over_tcp = {lab.answer("www", tcp=True).servers for _ in range(20)}
            assert over_tcp == {("mid",)}
            load.wait_for(1000)
    assert load.lost() == 0 and set(load.answers()) == {MID}
    assert grown.kernel >= load.sent, grown
    lab.wan.restore()
    lab.wait_for("www", "near")


# Nonsense

# What is wrong, the line that it replaces or follows, and a word of what was expected.
BAD = {
    "a negative weight": ("weights = { near = -1 }", "weights"),
    "an unknown policy": ('policy = "fastest"', "latency"),
    "a regular expression that does not compile": ('body_regex = "("', "body_regex"),
    "a check without a port": ('type = "tcp"', "port"),
    "a name without servers": ("servers = []", "servers"),
}


def bad_config(what: str) -> str:
    """The small configuration with one thing wrong in it."""
    line, _ = BAD[what]
    if line.startswith("body_regex"):
        return SMALL.replace('type = "http"\n', f'type = "http"\n{line}\n', 1)
    if line.startswith("type"):
        return SMALL.replace('type = "http"\n', f"{line}\n", 1)
    if line.startswith("weights"):
        return SMALL + f"{line}\n"
    return re.sub(f"(?m)^{line.split()[0]} = .*$", line, SMALL)


@pytest.mark.parametrize("what", BAD)
def test_a_reload_with_nonsense_names_the_place_and_changes_nothing(lab: MeasuredLab, what: str) -> None:
    """File, line, column, what was expected; the running configuration goes on measuring and answering."""
    start(lab)
    path = lab.write_config(bad_config(what))
    line, word = BAD[what]
    numbers = [number for number, text in enumerate(path.read_text().splitlines(), 1) if text == line]
    assert len(numbers) == 1
    told = lab.reload()["error"]
    # A check without a port has no place where the port stands: its head or its type is named.
    assert re.search(rf"{re.escape(str(path))}:(\d+):\d+: .*{word}", told), told
    named = int(re.search(rf"{re.escape(str(path))}:(\d+):\d+: ", told)[1])
    assert abs(named - numbers[0]) <= 2, told
    lab.servers["near"].fail()
    lab.wait_for("www", "mid")


# Recorded


def test_a_replay_of_what_was_recorded_makes_the_same_changes(lab: MeasuredLab) -> None:
    """near, slowed: mid, restored: near, killed: mid; `nearside replay` with the same configuration tells just that."""
    samples = lab.directory / "samples.jsonl"
    recording = SMALL.replace("[latency]", f'[record]\nfile = "{samples}"\n\n[latency]')
    config = lab.write_config(recording)
    # What an earlier agent of this lab knew is not in the recording.
    for kept in (lab.directory / "state").glob("*"):
        kept.unlink()
    start(lab, zones=recording)
    lab.wan.set("near", rtt_ms=90)
    lab.wait_for("www", "mid")
    lab.wan.restore()
    lab.wait_for("www", "near")
    lab.servers["near"].kill()
    lab.wait_for("www", "mid")
    assert lab.agent is not None
    lab.agent.stop()
    recorded = [json.loads(line) for line in samples.read_text().splitlines()]
    assert recorded[0]["type"] == "start" and {line["type"] for line in recorded[1:]} <= {"sample", "end"}
    assert {line["ok"] for line in recorded if line["type"] == "sample"} == {True, False}
    lines = lab.nearside("replay", "--config", str(config), "--name", WWW, "--why", str(samples)).splitlines()
    changes = [line for line in map(json.loads, lines) if line.get("family", "ipv4") == "ipv4" and line.get("server")]
    servers = [server for server, _ in itertools.groupby(line["server"] for line in changes)]
    assert servers == ["near", "mid", "near", "mid"], changes
    assert all(line["why"]["candidates"] for line in changes)
    times = {line["t"] for line in recorded if line["type"] == "sample"}
    assert {line["t"] for line in changes} <= times
