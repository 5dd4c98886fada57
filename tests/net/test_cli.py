# SPDX-License-Identifier: BSD-2-Clause
"""The command line as a person meets it: a precise sentence and status for each refusal, JSON from each verb."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import need
from environment import BPFFS, build_directory, missing_for_lab, missing_programs, mount_bpffs
from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab
from namespaces import Namespace, run
from zones import FULL_ZONE

OK, SYSTEM, INVALID, NOT_FOUND, DENIED, BUSY, UNSUPPORTED = range(7)
VERBS = ("attach", "detach", "status", "counters", "names", "events", "explain", "servers", "up", "down", "drain",
         "release", "check", "probe", "replay", "version", "completion")
# What an operator says of servers, each with what it cannot do without.
SAYINGS = {"up": ["--reason", "why"], "down": ["--reason", "why"], "drain": ["--reason", "why"], "release": []}

_numbers = itertools.count(1)


class Host:
    """A namespace with a veth `up0`, and a pin directory of its own; no agent."""

    def __init__(self) -> None:
        self.id = f"nscli-{os.getpid()}x{next(_numbers)}"
        self.pins = BPFFS / self.id
        self.space = Namespace(self.id)

    def add_veth(self, name: str = "up0") -> None:
        """A veth whose VLAN offload is off, as native XDP wants it."""
        self.space.run("ip", "link", "add", name, "numrxqueues", "2", "numtxqueues", "2", "type", "veth",
                       "peer", "name", f"{name}p", "numrxqueues", "2", "numtxqueues", "2")
        self.space.run("ethtool", "-K", name, "rxvlan", "off", "txvlan", "off")
        self.space.run("ip", "link", "set", "dev", name, "up")

    def command(self, *arguments: str) -> list[str]:
        """The words of a command of nearside on this host's pins."""
        return [str(build_directory() / "cli" / "nearside"), *arguments, "--pins", str(self.pins)]

    def nearside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs nearside here; exit status and both outputs."""
        return self.space.attempt(*self.command(*arguments))

    def xdp(self, interface: str) -> dict[str, object]:
        """What the kernel says is attached, from `ip -json`; empty: nothing."""
        return json.loads(self.space.run("ip", "-json", "link", "show", "dev", interface))[0].get("xdp", {})

    def remove(self) -> None:
        """Pins go first: the links hold the programs."""
        shutil.rmtree(self.pins, ignore_errors=True)
        self.space.remove()


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with one veth, removed whatever happens."""
    need(missing_for_lab())
    mount_bpffs()
    made = Host()
    try:
        made.add_veth()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def sampled() -> Iterator[Lab]:
    """A lab with agent and program whose every query is sampled."""
    need(missing_for_lab())
    with Lab() as lab:
        lab.write_config("[events]\nsample_interval = 1\n" + FULL_ZONE)
        lab.start_agent()
        lab.attach()
        yield lab


def told(done: subprocess.CompletedProcess[str], status: int) -> dict[str, object]:
    """The JSON on stdout of a command that must end with this status."""
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def refused(done: subprocess.CompletedProcess[str], status: int, sentence: str) -> None:
    """The command ended with this status, printed nothing on stdout and one line on stderr that matches."""
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout == ""
    assert re.fullmatch(sentence, done.stderr.rstrip("\n")), done.stderr


# Attaching


def test_attach_puts_the_program_on_the_interface_natively(host: Host) -> None:
    """The default mode is native, and the kernel agrees."""
    outcome = told(host.nearside("attach", "up0", "--json"), OK)
    assert (outcome["interface"], outcome["outcome"], outcome["mode"]) == ("up0", "attached", "native")
    seen = host.xdp("up0")
    assert seen["mode"] == 1
    assert seen["prog"]["id"] == outcome["program_id"]  # type: ignore[index]


def test_attaching_twice_says_so_and_changes_nothing(host: Host) -> None:
    """The second attach is no error, and the program stays the same one."""
    first = told(host.nearside("attach", "up0", "--json"), OK)
    again = host.nearside("attach", "up0")
    assert again.returncode == OK
    assert again.stdout.startswith("up0: already attached (native, program ")
    assert told(host.nearside("attach", "up0", "--json"), OK) == {**first, "outcome": "unchanged"}


def test_a_missing_interface_is_not_found_and_leaves_nothing_behind(host: Host) -> None:
    """A mistyped name must not make maps."""
    refused(host.nearside("attach", "eth9"), NOT_FOUND, "nearside: attach: eth9: no such interface")
    assert not host.pins.exists()


def test_attach_without_rights_names_what_is_missing(host: Host) -> None:
    """An ordinary user is told which capability it takes."""
    need(missing_programs("setpriv"))
    done = host.space.attempt("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                              *host.command("attach", "up0"))
    refused(done, DENIED, "nearside: attach: .*CAP_.*")
    assert not host.pins.exists()


def test_attach_with_root_but_without_the_capabilities_is_denied(host: Host) -> None:
    """Capabilities decide, not the user's number."""
    need(missing_programs("capsh"))
    done = host.space.attempt("capsh", "--drop=cap_bpf,cap_sys_admin,cap_perfmon", "--", "-c",
                              " ".join(host.command("attach", "up0")))
    refused(done, DENIED, "nearside: attach: .*CAP_BPF.*")


def test_another_xdp_program_is_named_and_left_alone(host: Host, tmp_path: Path) -> None:
    """Its id and name are told, and it still runs afterwards."""
    passing = tmp_path / "xdp_pass.bpf.o"
    run("clang-14", "-O2", "-g", "-target", "bpf", f"-I/usr/include/{os.uname().machine}-linux-gnu",
        "-c", str(Path(__file__).with_name("xdp_pass.bpf.c")), "-o", str(passing))
    pin = BPFFS / f"{host.id}-other"
    run("bpftool", "prog", "load", str(passing), str(pin), "type", "xdp")
    try:
        host.space.run("bpftool", "net", "attach", "xdpdrv", "pinned", str(pin), "dev", "up0")
    finally:
        pin.unlink()
    other = host.xdp("up0")["prog"]["id"]  # type: ignore[index]
    refused(host.nearside("attach", "up0"), BUSY,
            f"nearside: attach: up0: another XDP program is attached: id {other}, name pass_all, mode native; .*")
    assert host.xdp("up0")["prog"]["id"] == other  # type: ignore[index]


def test_a_driver_without_native_xdp_is_refused_with_a_hint(host: Host) -> None:
    """A bridge has no native XDP: the way out is named, nothing is attached, nothing is left."""
    host.space.run("ip", "link", "add", "br0", "type", "bridge")
    refused(host.nearside("attach", "br0"), UNSUPPORTED, "nearside: attach: .*br0.*--mode generic.*")
    assert not host.xdp("br0")
    assert not host.pins.exists()


def test_auto_falls_back_to_generic_and_says_so_loudly(host: Host) -> None:
    """The fall-back is done, and cannot be overlooked."""
    host.space.run("ip", "link", "add", "br0", "type", "bridge")
    done = host.nearside("attach", "br0", "--mode", "auto", "--json")
    assert told(done, OK)["mode"] == "generic"
    assert done.stderr.startswith("nearside: attach: WARNING: br0: ")
    assert host.xdp("br0")["mode"] == 2


def test_auto_is_native_and_quiet_where_the_driver_can(host: Host) -> None:
    """No warning without a reason."""
    done = host.nearside("attach", "up0", "--mode", "auto", "--json")
    assert told(done, OK)["mode"] == "native"
    assert done.stderr == ""


def test_rx_vlan_offload_is_refused_with_the_command_that_switches_it_off(host: Host) -> None:
    """With --allow-vlan-offload it is the operator's own decision."""
    host.space.run("ethtool", "-K", "up0", "rxvlan", "on")
    refused(host.nearside("attach", "up0"), UNSUPPORTED, "nearside: attach: up0: .*ethtool -K up0 rxvlan off.*")
    assert told(host.nearside("attach", "up0", "--allow-vlan-offload", "--json"), OK)["outcome"] == "attached"


def test_map_sizes_count_when_the_maps_are_made_and_are_warned_of_afterwards(host: Host) -> None:
    """A wish that comes too late has no effect, and is not passed over in silence."""
    assert host.nearside("attach", "up0", "--names", "1234").stderr == ""
    sizes = told(host.nearside("status", "--json"), OK)["map_sizes"]
    assert sizes["names"] == 1234  # type: ignore[index]
    late = host.nearside("attach", "up0", "--names", "5678")
    assert late.returncode == OK
    assert "warning: --names 5678 has no effect" in late.stderr


# Detaching


def test_detach_takes_the_program_off_and_keeps_the_maps(host: Host) -> None:
    """Without --purge the tables stay for the agent."""
    host.nearside("attach", "up0")
    assert told(host.nearside("detach", "up0", "--json"), OK) == {
        "interface": "up0", "outcome": "detached", "purged": False, "still_attached": 0}
    assert not host.xdp("up0")
    assert told(host.nearside("status", "--json"), OK)["attachments"] == []


def test_purge_removes_the_pins_only_after_the_last_interface(host: Host) -> None:
    """While one interface is attached the maps stay, and that is said."""
    host.add_veth("up1")
    host.nearside("attach", "up0")
    host.nearside("attach", "up1")
    first = host.nearside("detach", "up0", "--purge")
    assert first.returncode == OK
    assert "the maps stay: the program is still on 1 interface" in first.stderr
    assert told(host.nearside("detach", "up1", "--purge", "--json"), OK)["purged"] is True
    refused(host.nearside("status"), NOT_FOUND, "nearside: status: .*nothing is pinned.*")


def test_what_was_detached_before_can_still_be_purged(host: Host) -> None:
    """Nothing is attached any more, but the pins are there: --purge takes them, and a second time finds nothing."""
    host.nearside("attach", "up0")
    host.nearside("detach", "up0")
    assert told(host.nearside("detach", "up0", "--purge", "--json"), OK) == {
        "interface": "up0", "outcome": "not attached", "purged": True, "still_attached": 0}
    refused(host.nearside("detach", "up0", "--purge"), NOT_FOUND, "nearside: detach: .*nothing is pinned.*")


def test_detaching_what_is_not_attached_is_not_found(host: Host) -> None:
    """So that a script can tell."""
    refused(host.nearside("detach", "up0"), NOT_FOUND, "nearside: detach: up0: .*not attached.*")


# Usage


@pytest.mark.parametrize("arguments", [[], ["atach"], ["attach"], ["counters", "--bogus"],
                                       ["attach", "x", "--mode", "y"], ["explain"], ["completion", "tcsh"], ["up", "x"],
                                       ["down", "x", "--reason"], ["drain"], ["release"], ["probe", "x"], ["replay"]])
def test_wrong_usage_is_one_line_and_status_2(host: Host, arguments: list[str]) -> None:
    """The line says where to read more."""
    done = subprocess.run([host.command()[0], *arguments], capture_output=True, text=True, check=False)
    refused(done, INVALID, r"nearside: .*\(see nearside.*--help\)")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_with_an_example(host: Host, verb: str) -> None:
    """--help needs no rights, and shows a command to copy."""
    done = host.nearside(verb, "--help")
    assert done.returncode == OK
    assert re.search(rf"Example:\n  .*nearside {verb}", done.stdout)
    assert "--json" in done.stdout


@pytest.mark.parametrize("verb", [["status"], ["counters"], ["names"], ["events"], ["explain", "www.example.com"]])
def test_what_reads_the_pins_says_when_nothing_is_pinned(host: Host, verb: list[str]) -> None:
    """The sentence names the directory and what to do."""
    refused(host.nearside(*verb), NOT_FOUND, rf"nearside: {verb[0]}: {host.pins}.*nearside attach.*")


@pytest.mark.parametrize("verb", ["servers", *SAYINGS])
def test_what_asks_the_agent_says_when_it_does_not_run(host: Host, tmp_path: Path, verb: str) -> None:
    """The socket is named: it may be the wrong one."""
    words = [] if verb == "servers" else ["fra1", *SAYINGS[verb]]
    refused(host.nearside(verb, *words, "--socket", f"{tmp_path}/none.sock"), NOT_FOUND,
            f"nearside: {verb}: nearsided does not run, or listens on another control socket than {tmp_path}/none.sock")


def test_explain_needs_an_address_that_is_listened_on(host: Host) -> None:
    """Without an agent nobody has told the program its addresses."""
    host.nearside("attach", "up0")
    refused(host.nearside("explain", "www.example.com"), NOT_FOUND, "nearside: explain: .*listens on no address.*")


def test_events_say_that_sampling_is_off(host: Host) -> None:
    """Instead of waiting for ever."""
    host.nearside("attach", "up0")
    refused(host.nearside("events"), INVALID, "nearside: events: no query is sampled: .*sample_interval.*")


def test_output_that_cannot_be_written_is_an_error(host: Host) -> None:
    """A full disk must not look like success."""
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(host.command("version"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == SYSTEM
    assert done.stderr == "nearside: version: the output could not be written\n"


def test_version_tells_the_map_layout(host: Host) -> None:
    """The layout version decides whether two builds understand each other's maps."""
    told_json = told(host.nearside("version", "--json"), OK)
    assert set(told_json) == {"version", "map_layout", "libbpf"}
    assert f"nearside {told_json['version']}, map layout {told_json['map_layout']}" in host.nearside("version").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_as_json_carries_the_script(host: Host, shell: str) -> None:
    """The same text as without --json."""
    assert told(host.nearside("completion", shell, "--json"), OK)["script"] == host.nearside("completion", shell).stdout


def test_bash_completes_verbs_options_and_values(host: Host, tmp_path: Path) -> None:
    """The script sources without a complaint, and offers what the program really has."""
    script = tmp_path / "completion.bash"
    script.write_text(host.nearside("completion", "bash").stdout)

    def complete(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(["bash", "-uc", f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
                               "_nearside; printf '%s\\n' \"${COMPREPLY[@]}\""],
                              capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.split()

    assert set(VERBS) <= set(complete("nearside", ""))
    assert complete("nearside", "exp") == ["explain"]
    assert complete("nearside", "--pins", "/x", "attach", "--allow") == ["--allow-vlan-offload"]
    assert complete("nearside", "attach", "--mode", "gen") == ["generic"]
    assert "lo" in complete("nearside", "attach", "l")


# A configuration


def test_check_tells_every_problem_with_its_place(host: Host, tmp_path: Path) -> None:
    """Two mistakes, two lines on stderr, and the same in JSON."""
    config = tmp_path / "bad.toml"
    config.write_text('[edge]\nlisten = ["192.0.2.300"]\nleese = "10s"\n')
    done = host.nearside("check", str(config), "--json")
    problems = told(done, INVALID)["problems"]
    assert isinstance(problems, list) and len(problems) >= 2
    assert {problem["line"] for problem in problems} >= {2, 3}
    for problem in problems:
        assert f"{config}:{problem['line']}:{problem['column']}: {problem['message']}" in done.stderr
    assert done.stderr.rstrip().endswith(f"nearside: check: {config}: {len(problems)} problems")


def test_check_of_a_missing_file_is_one_sentence(host: Host, tmp_path: Path) -> None:
    """The file is named."""
    done = host.nearside("check", str(tmp_path / "none.toml"))
    assert done.returncode == INVALID
    assert str(tmp_path / "none.toml") in done.stderr


# A recording

START = '{"type":"start","isps":["isp0"],"servers":["s0","s1"],"interval_s":5.0,"timeout_s":1.0,"ttl_s":20.0}'
END = '{"type":"end"}'


def sample(t: float, server: str, first_byte: float | None, reason: str = "") -> str:
    """A line of a recording; without a time it is a failure."""
    return json.dumps({"type": "sample", "t": t, "isp": "isp0", "server": server, "ok": first_byte is not None,
                       "first_byte_ms": first_byte, "reason": reason})


def replayed(*lines: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`nearside replay -` over these lines; it needs neither rights nor an agent."""
    program = build_directory() / "cli" / "nearside"
    need("" if program.exists() else f"{program} is not there: build first (./dev build)")
    return subprocess.run([str(program), "replay", "-", *options], input="\n".join(lines) + "\n", capture_output=True,
                          text=True, check=False)


def test_replay_tells_each_change_and_reads_no_further_than_the_end() -> None:
    """The t of the sample that decided; what stands behind the end is of no interest."""
    done = replayed(START, sample(0.5, "s0", 20), sample(1.25, "s1", 40), "", sample(6, "s0", None, "timeout"),
                    sample(7.001, "s0", None, "timeout"), END, "no JSON")
    assert (done.returncode, done.stderr) == (OK, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"t": t, "isp": "isp0", "server": server, "ttl": ttl}
        for t, server, ttl in ((0.5, "s0", 3), (1.25, "s0", 20), (6, "s0", 3), (7.001, "s1", 20))]


def test_replay_adds_the_trace_where_it_is_asked_why() -> None:
    """Each candidate with the rule that removed it."""
    done = replayed(START, sample(0.5, "s0", 20), sample(1.25, "s1", 40), END, options=("--why",))
    why = json.loads(done.stdout.splitlines()[-1])["why"]
    assert [(c["server"], c["rule"], c["first_byte_ms"]) for c in why["candidates"]] == [
        ("s0", "", 20), ("s1", "policy", 40)]
    assert why["ttl_reason"] == "ttl: nothing is pending"


@pytest.mark.parametrize(("line", "sentence"), [
    ("no JSON", "expected a JSON object"),
    ('{"type":"sampel"}', 'expected "type" to be start, sample or end'),
    (START, "start: there was one before"),
    (sample(1, "s2", 20), 'sample: "server": none of those of the start'),
    (sample(0.25, "s0", 20), 'sample: "t" runs backwards'),
    (sample(1, "s0", -1), 'sample: "first_byte_ms": expected .*'),
    (sample(1, "s0", None), 'sample: "reason": expected .*')])
def test_replay_names_the_line_that_makes_no_sense(host: Host, tmp_path: Path, line: str, sentence: str) -> None:
    """By file and number, empty lines counted; what was decided before is still told."""
    recording = tmp_path / "samples.jsonl"
    recording.write_text("\n".join([START, sample(0.5, "s0", 20), "", line, END]))
    done = host.nearside("replay", str(recording))
    assert done.returncode == INVALID
    assert re.fullmatch(rf"nearside: replay: {re.escape(str(recording))}:4: {sentence}\n", done.stderr), done.stderr
    assert json.loads(done.stdout)["server"] == "s0"


def test_replay_of_standard_input_names_it_so() -> None:
    """There is no file to name."""
    refused(replayed(sample(1, "s0", 20)), INVALID, "nearside: replay: standard input:1: a sample before the start")


def test_replay_refuses_what_is_not_there(sampled: Lab, tmp_path: Path) -> None:
    """A file, a name of the configuration; a name without a configuration; servers without checks."""
    config, recording = f"{sampled.directory}/nearsided.toml", tmp_path / "samples.jsonl"
    recording.write_text(f"{START}\n{END}\n")
    for status, sentence, words in (
            (NOT_FOUND, f"{tmp_path}/none: No such file or directory", [f"{tmp_path}/none"]),
            (NOT_FOUND, "no.example: the configuration balances no such name",
             ["--config", config, "--name", "no.example", str(recording)]),
            (INVALID, "--name needs --config", ["--name", "no.example", str(recording)]),
            (INVALID, f"www.{ZONE}: its servers have no checks, nothing to replay",
             ["--config", config, "--name", f"www.{ZONE}", str(recording)])):
        refused(sampled.edge.attempt(*sampled.nearside_command("replay", *words)), status,
                f"nearside: replay: {re.escape(sentence)}")


# With an agent and its tables


def lab_nearside(lab: Lab, *arguments: str) -> dict[str, object]:
    """The JSON of a verb, run in the lab's edge node."""
    return json.loads(lab.nearside(*arguments, "--json"))


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
