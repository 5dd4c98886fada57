# SPDX-License-Identifier: BSD-2-Clause
"""The command line on a host without an agent: a precise sentence and status for each refusal, JSON from each verb."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from command_line import BUSY, DENIED, INVALID, NOT_FOUND, OK, SAYINGS, SYSTEM, UNSUPPORTED, Host, refused, told
from conftest import need
from environment import BPFFS, missing_programs
from namespaces import run

VERBS = ("attach", "detach", "status", "counters", "names", "events", "explain", "servers", "up", "down", "drain",
         "release", "check", "probe", "replay", "version", "completion")


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
