# SPDX-License-Identifier: BSD-2-Clause
"""The agent dies, comes back, and reloads while clients ask: within the lease no reply is lost and none is wrong."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator

import pytest

from lab import EDGE4, EDGE6, ZONE, Lab
from load import Load
from wait import wait_until
from zones import plain_zone

WWW = f"www.{ZONE}"
OLD = tuple(f"198.51.100.{number}" for number in range(1, 5))
NEW = tuple(f"203.0.113.{number}" for number in range(1, 4))
both_families = pytest.mark.parametrize("server", [EDGE4, EDGE6], ids=["ipv4", "ipv6"])


@pytest.fixture
def lab(own_lab: Lab) -> Iterator[Lab]:
    """An edge of its own that answers `www` with OLD, from the kernel, under a lease of ten seconds."""
    own_lab.write_config(plain_zone(*OLD))
    own_lab.start_agent()
    own_lab.attach()
    yield own_lab


def serial(lab: Lab) -> int:
    """The serial that the agent has loaded, asked over TCP, which the kernel does not answer."""
    soa = lab.dig(ZONE, "SOA", "+tcp").rdatas("SOA")
    return int(soa[0].split()[2]) if soa else 0


@both_families
def test_killing_and_restarting_the_agent_loses_no_query(lab: Lab, server: str) -> None:
    """kill -9 under load, a while without an agent, then a new one on the pinned maps: no answer is lost or wrong."""
    assert lab.agent is not None
    with lab.counting() as grown:
        with Load(lab, server, WWW) as load:
            load.wait_for(300)
            lab.agent.kill()
            load.wait_for(2000)
            old_pid = lab.agent.pid
            assert lab.start_agent().pid != old_pid
            load.wait_for(1000)
    assert load.lost() == 0 and load.sent > 3000
    assert set(load.answers()) == {OLD}
    assert grown.kernel >= load.sent and grown["pass_lease"] == 0, grown


def test_a_restart_with_another_configuration_changes_old_to_new_with_nothing_between(lab: Lab) -> None:
    """The new agent finds the maps of the old one and publishes the differences."""
    assert lab.agent is not None
    with Load(lab, EDGE4, WWW) as load:
        load.wait_for(300)
        lab.agent.kill()
        lab.write_config(plain_zone(*NEW), serial=2)
        lab.start_agent()
        load.wait_for_answer(NEW)
        load.wait_for(300)
    answers = load.answers()
    assert load.lost() == 0 and set(answers) == {OLD, NEW}
    assert answers[-1] == NEW


def test_stopping_the_agent_leaves_the_kernel_answering_until_the_lease_ends(lab: Lab) -> None:
    """SIGTERM is how an upgrade begins: status 0, and the next agent finds no query lost."""
    assert lab.agent is not None
    with Load(lab, EDGE4, WWW) as load:
        load.wait_for(300)
        assert lab.agent.stop() == 0, lab.agent.text()
        load.wait_for(500)
        lab.start_agent()
        load.wait_for(300)
    assert load.lost() == 0 and set(load.answers()) == {OLD}


@both_families
def test_without_an_agent_the_kernel_falls_silent_when_the_lease_ends(own_lab: Lab, server: str) -> None:
    """A dead agent must not pin a dead server's address for ever: past the lease everything is passed up."""
    own_lab.write_config(plain_zone(*OLD), lease="1s")
    agent = own_lab.start_agent()
    own_lab.attach()
    agent.kill()

    def lease_ran_out() -> bool:
        with own_lab.counting() as grown:
            reply = own_lab.dig(WWW, "A", server=server)
        assert (reply.status == "NOERROR") == (grown.kernel == 1), reply.text
        return grown["pass_lease"] >= 1
    wait_until("the lease runs out", lease_ran_out, timeout=5)
    with own_lab.counting() as grown:
        assert own_lab.dig(WWW, "A", server=server).status == ""
    assert grown.kernel == 0 and grown["pass_lease"] >= 1, grown
    own_lab.start_agent()

    def kernel_answers() -> bool:
        with own_lab.counting() as grown:
            assert own_lab.dig(WWW, "A", server=server).status == "NOERROR"
        return grown.kernel == 1
    wait_until("the kernel answers again", kernel_answers, timeout=5)


@both_families
def test_a_reload_under_load_gives_every_query_the_old_or_the_new_answer(lab: Lab, server: str) -> None:
    """SIGHUP twelve times, between sets of different size: no reply is lost, and none mixes the two."""
    assert lab.agent is not None
    rounds = 12
    with lab.counting() as grown, Load(lab, server, WWW, rate=2000) as load:
        load.wait_for_answer(OLD)
        for number, servers in zip(range(2, 2 + rounds), itertools.cycle([NEW, OLD])):
            lab.write_config(plain_zone(*servers), serial=number)
            lab.agent.signal(signal.SIGHUP)
            load.wait_for_answer(servers)
            load.wait_for(100)
    answers = load.answers()
    assert load.lost() == 0
    assert set(answers) == {OLD, NEW}
    # One word is switched for each change, so the kernel's answers change once a reload, and never back and forth;
    # a query that it passed up may be answered a little later than its successors.
    changes = sum(1 for before, after in itertools.pairwise(answers) if before != after)
    passed = sum(count for name, count in grown.by_name.items() if name.startswith("pass_un"))
    assert rounds <= changes <= rounds + 2 * passed, f"{changes} changes in {rounds} reloads, {passed} queries passed"


def test_a_bad_file_changes_nothing(lab: Lab) -> None:
    """SIGHUP with a configuration that is wrong: the agent says so and goes on with what it has."""
    assert lab.agent is not None
    config = lab.write_config(plain_zone(*NEW), serial=2)
    config.write_text(config.read_text() + "\n[[zone]]\nnam = 'wrong.example'\n")
    before = len(lab.agent.text())
    with Load(lab, EDGE4, WWW) as load:
        lab.agent.signal(signal.SIGHUP)
        wait_until("the agent names the wrong file", lambda: str(config) in lab.agent.text()[before:])
        load.wait_for(300)
    assert load.lost() == 0 and set(load.answers()) == {OLD}
    assert serial(lab) == 1


def test_names_come_and_go_by_reload(lab: Lab) -> None:
    """Differences only: a removed name becomes NXDOMAIN, the other keeps its answer all the while."""
    assert lab.agent is not None
    extra = plain_zone(*OLD) + f'\n[[zone.balance]]\nname = "extra"\nservers = ["{NEW[0]}"]\nttl = "20s"\n'
    with Load(lab, EDGE4, WWW) as load:
        for number, zone, status in ((2, extra, "NOERROR"), (3, plain_zone(*OLD), "NXDOMAIN"), (4, extra, "NOERROR")):
            lab.write_config(zone, serial=number)
            lab.agent.signal(signal.SIGHUP)
            wait_until(f"serial {number} is loaded", lambda wanted=number: serial(lab) == wanted, timeout=10)
            assert lab.dig(f"extra.{ZONE}", "A").status == status
    assert load.lost() == 0 and set(load.answers()) == {OLD}
