# SPDX-License-Identifier: BSD-2-Clause
"""The command line with an agent and its tables: what each verb tells, and what an operator says of servers."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from command_line import BUSY, INVALID, NOT_FOUND, OK, SAYINGS, lab_nearside, refused, told
from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab


def test_check_accepts_what_the_agent_runs_with(sampled: Lab) -> None:
    """And counts what is in it."""
    seen = lab_nearside(sampled, "check", str(sampled.directory / "nearsided.toml"))
    assert seen["valid"] is True
    assert [zone["name"] for zone in seen["zones"]] == [f"{ZONE}."]  # type: ignore[union-attr]
    assert seen["listen"] == [EDGE4, EDGE6]


def test_status_tells_attachment_lease_addresses_and_agent(sampled: Lab) -> None:
    """Everything an operator asks first."""
    seen = lab_nearside(sampled, "status", "--socket", f"{sampled.directory}/control.sock")
    assert [(a["interface"], a["mode"], a["current"]) for a in seen["attachments"]] == [  # type: ignore[union-attr]
        ("edge0", "native", True)]
    assert sampled.agent is not None
    assert seen["lease"]["in_force"] is True  # type: ignore[index]
    assert 0 < seen["lease"]["remaining_ms"] <= 10_000  # type: ignore[index]
    assert seen["lease"]["agent_pid"] == sampled.agent.pid  # type: ignore[index]
    assert seen["listen"] == {"port": 53, "addresses": [EDGE4, EDGE6]}
    assert seen["agent"]["reachable"] is True  # type: ignore[index]


def test_names_lists_what_is_installed_with_zone_and_types(sampled: Lab) -> None:
    """A pattern narrows the list, whatever its case."""
    everything = lab_nearside(sampled, "names")
    assert everything["installed"] == len(everything["names"])  # type: ignore[arg-type]
    names = lab_nearside(sampled, "names", f"WWW.{ZONE}")["names"]
    assert [(row["name"], row["zone"]) for row in names] == [(f"www.{ZONE}.", f"{ZONE}.")]  # type: ignore[union-attr]
    assert {"A", "AAAA"} <= set(names[0]["types"])  # type: ignore[index]


def test_explain_shows_the_kernels_answer_and_every_alternative(sampled: Lab) -> None:
    """Two servers: two alternatives, each beginning with another one; the reply is one of them."""
    seen = lab_nearside(sampled, "explain", f"www.{ZONE}")
    assert seen["answered_by"] == "kernel"
    assert seen["kernel"]["verdict"] == "answered"  # type: ignore[index]
    alternatives = [[r["data"] for r in a["message"]["answer"]]
                    for a in seen["tables"]["alternatives"]]  # type: ignore[index]
    assert sorted(alternatives) == sorted([[SERVER1[0], SERVER2[0]], [SERVER2[0], SERVER1[0]]])
    assert [r["data"] for r in seen["kernel"]["reply"]["answer"]] in alternatives  # type: ignore[index]
    assert all(a["settled"] for a in seen["tables"]["alternatives"])  # type: ignore[index]


def test_explain_over_ipv6_from_a_given_client(sampled: Lab) -> None:
    """An address is where the query comes from; a prefix is carried as ECS and echoed."""
    from_address = lab_nearside(sampled, "explain", f"www.{ZONE}", "--type", "AAAA", "--client", "2001:db8:77::1")
    assert from_address["query"]["source"] == "2001:db8:77::1"  # type: ignore[index]
    assert from_address["query"]["destination"] == EDGE6  # type: ignore[index]
    assert from_address["answered_by"] == "kernel"
    for_prefix = lab_nearside(sampled, "explain", f"www.{ZONE}", "--client", "203.0.113.77/24")
    assert for_prefix["query"]["ecs"] == "203.0.113.0/24"  # type: ignore[index]
    assert for_prefix["kernel"]["reply"]["ecs"] == "203.0.113.0/24, scope 0"  # type: ignore[index]


def test_explain_shows_nodata_with_the_zones_soa(sampled: Lab) -> None:
    """The owner of the SOA is the zone, by a pointer into the QNAME."""
    seen = lab_nearside(sampled, "explain", f"v4only.{ZONE}", "--type", "AAAA")
    assert seen["kernel"]["verdict"] == "answered_nodata"  # type: ignore[index]
    for message in (seen["kernel"]["reply"], seen["tables"]["alternatives"][0]["message"]):  # type: ignore[index]
        assert [(r["name"], r["type"]) for r in message["authority"]] == [(f"{ZONE}.", "SOA")]


def test_explain_of_what_the_kernel_passes_asks_the_agent(sampled: Lab) -> None:
    """The verdict is told, and the agent's answer beside it."""
    seen = lab_nearside(sampled, "explain", f"no-such-name.{ZONE}", "--socket", f"{sampled.directory}/control.sock")
    assert seen["answered_by"] == "agent"
    assert seen["kernel"]["verdict"] == "pass_name"  # type: ignore[index]
    assert seen["tables"]["installed"] is False  # type: ignore[index]
    assert seen["agent"]["rcode"] == "NXDOMAIN"  # type: ignore[index]


def test_explain_of_a_nonsense_name_type_or_client_is_invalid(sampled: Lab) -> None:
    """Each refusal names what it refuses."""
    for arguments in (["a..b"], ["a.example", "--type", "NOPE"], ["a.example", "--client", "192.0.2.0/33"]):
        done = sampled.edge.attempt(*sampled.nearside_command("explain", *arguments))
        refused(done, INVALID, f"nearside: explain: .*{re.escape(arguments[-1])}.*")


def test_test_runs_of_explain_are_counted(sampled: Lab) -> None:
    """As its help says."""
    with sampled.counting() as grown:
        runs = lab_nearside(sampled, "explain", f"www.{ZONE}")["kernel"]["test_runs"]  # type: ignore[index]
    assert grown["answered"] == runs


def ask(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb that asks the lab's agent, as an operator who got root by sudo."""
    return lab.edge.attempt("env", "SUDO_USER=alice",
                            *lab.nearside_command(*words, "--socket", f"{lab.directory}/control.sock"))


def said_of(lab: Lab, server: str) -> dict[str, object] | None:
    """What an operator said of a server, as `servers` tells it."""
    [row] = told(ask(lab, "servers", server, "--json"), OK)["servers"]  # type: ignore[misc]
    return row["administrative"]


def test_servers_are_told_by_name_family_and_state(sampled: Lab) -> None:
    """Without checks there are no figures; a pattern narrows the list, to nothing where it matches nobody."""
    rows = told(ask(sampled, "servers", "--json"), OK)["servers"]
    assert {SERVER1[0], SERVER2[0], SERVER1[1], SERVER2[1]} <= {row["server"] for row in rows}  # type: ignore[union-attr]
    assert told(ask(sampled, "servers", SERVER1[0], "--json"), OK)["servers"] == [
        {"server": SERVER1[0], "family": "ipv4", "state": "not checked", "administrative": None, "answered": True,
         "answers_end_s": None, "checks": []}]
    assert f"{SERVER1[0]}  ipv4" in ask(sampled, "servers", "198.51.100.8?").stdout
    assert ask(sampled, "servers", "nobody*").stdout == "no servers\n"
    assert told(ask(sampled, "servers", "nobody*", "--json"), OK) == {"servers": []}


@pytest.mark.parametrize("verb", SAYINGS)
def test_a_pattern_that_matches_no_server_is_not_found(sampled: Lab, verb: str) -> None:
    """A mistyped name must not look like success, and a script can tell it from wrong usage."""
    refused(ask(sampled, verb, "nobody*", *SAYINGS[verb]), NOT_FOUND,
            rf'nearside: {verb}: no server\'s name matches "nobody\*"')


@pytest.mark.parametrize("length", ["10", "soon", "0s", "1000w"])
def test_a_length_that_makes_no_sense_is_invalid_and_nothing_is_said(sampled: Lab, length: str) -> None:
    """A number without a unit most of all: nobody can know whether it means seconds."""
    done = ask(sampled, "drain", SERVER1[0], "--reason", "disk", f"--for={length}")
    refused(done, INVALID, r"nearside: drain: .*(--for|seconds).*")
    assert said_of(sampled, SERVER1[0]) is None


def test_a_drain_and_its_release_as_json(sampled: Lab) -> None:
    """Who is concerned, and when the answers given out have run out; the owner is the person behind sudo."""
    drained = told(ask(sampled, "drain", SERVER2[0], "--reason", "disk", "--for", "1h", "--json"), OK)
    assert drained["servers"] == [SERVER2[0]]
    assert 0 < drained["answers_end_s"] <= 20  # type: ignore[operator]
    said = said_of(sampled, SERVER2[0])
    assert said is not None
    assert (said["state"], said["owner"], said["reason"]) == ("drain", "alice", "disk")
    assert 3590 < said["ends_in_s"] <= 3600  # type: ignore[operator]
    released = told(ask(sampled, "release", SERVER2[0], "--json"), OK)
    assert released == {"servers": [SERVER2[0]], "answers_end_s": None}
    assert said_of(sampled, SERVER2[0]) is None


def test_a_drained_server_that_some_name_cannot_do_without_stays_in_answers(sampled: Lab) -> None:
    """v4only has nobody else, and answers with all when all is down: that is said instead of a time."""
    drained = ask(sampled, "drain", SERVER1[0], "--reason", "disk", "--owner", "ops")
    assert (drained.returncode, drained.stdout) == (OK, f"{SERVER1[0]}\nstill in answers\n")
    released = ask(sampled, "release", SERVER1[0])
    assert (released.returncode, released.stdout) == (OK, f"{SERVER1[0]}\n")


def test_purge_is_refused_while_an_agent_uses_the_maps(sampled: Lab) -> None:
    """Its pins would be gone and it would publish to maps that nobody finds; the program stays attached."""
    done = sampled.edge.attempt(*sampled.nearside_command("detach", "edge0", "--purge"))
    assert sampled.agent is not None
    refused(done, BUSY, rf"nearside: detach: edge0: .*process {sampled.agent.pid}\).*stop it first.*")
    assert len(lab_nearside(sampled, "status")["attachments"]) == 1  # type: ignore[arg-type]


def test_the_counters_add_up(sampled: Lab) -> None:
    """received = answered + referred + passed + dropped, in JSON and in the line for people."""
    equation = lab_nearside(sampled, "counters")["equation"]
    assert equation["received"] == sum(equation[group]  # type: ignore[index]
                                       for group in ("answered", "referred", "passed", "dropped"))
    assert re.search(r"^received \d+ = answered \d+ \+ referred \d+ \+ passed \d+ \+ dropped \d+$",
                     sampled.nearside("counters", "--nonzero"), re.MULTILINE)


def test_events_show_the_sampled_queries(sampled: Lab) -> None:
    """One JSON object a line, with the verdict that `counters` counts under."""
    sampled.nearside("events", "--no-wait")
    sampled.dig(f"www.{ZONE}", "A")
    sampled.dig(f"v4only.{ZONE}", "AAAA")
    lines = [json.loads(line) for line in sampled.nearside("events", "--count", "2", "--json").splitlines()]
    assert [(e["name"], e["type"], e["verdict"]) for e in lines] == [
        (f"www.{ZONE}.", "A", "answered"), (f"v4only.{ZONE}.", "AAAA", "answered_nodata")]
    assert set(lines[0]) == {"time", "client", "port", "name", "type", "verdict"}


def test_status_works_when_the_agent_is_dead(sampled: Lab) -> None:
    """Last, since it ends the agent: what is pinned is still told, and that nobody answers on the socket."""
    assert sampled.agent is not None
    sampled.agent.kill()
    seen = lab_nearside(sampled, "status", "--socket", f"{sampled.directory}/control.sock")
    assert seen["agent"]["reachable"] is False  # type: ignore[index]
    assert len(seen["attachments"]) == 1  # type: ignore[arg-type]
