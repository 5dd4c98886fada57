# SPDX-License-Identifier: BSD-2-Clause
"""The agent's life: refusals at start, reload, stop, restart over the pinned maps, control socket, notices to systemd."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_alone import ZONE, AgentAlone, missing_for_agent, query
from conftest import need
from namespaces import add_address, run
from process import Process
from wait import wait_until

WWW = f"www.{ZONE}"


@pytest.fixture
def alone() -> Iterator[AgentAlone]:
    """A namespace with a configuration; the test starts the agent."""
    need(missing_for_agent())
    with AgentAlone() as agent:
        agent.write_config()
        yield agent


@pytest.fixture
def agent(alone: AgentAlone) -> AgentAlone:
    """An agent that is ready."""
    alone.start()
    return alone


def refused(alone: AgentAlone, *before: str) -> subprocess.CompletedProcess[str]:
    """Starts an agent that must refuse; `before` is put before its command."""
    return alone.space.attempt(*before, *alone.command(), timeout=20)


def reload(agent: AgentAlone) -> dict:
    """SIGHUP; what `status` says of the reload once it is done."""
    assert agent.process is not None
    count = agent.process.text().count("reload")
    agent.process.signal(signal.SIGHUP)
    wait_until("the agent tells of the reload", lambda: agent.process.text().count("reload") > count)
    return agent.status()["last_reload"]


# Start


def test_check_config_counts_zones_and_names(alone: AgentAlone) -> None:
    """A good file: one line and status 0. The names are the apex, www, e17.ns and the empty non-terminal ns."""
    done = subprocess.run([*alone.command(), "--check-config"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{alone.config}: ok: 1 zone, 4 names\n"


@pytest.mark.parametrize("arguments", [["--check-config"], []])
def test_all_problems_of_a_file_are_told_and_the_status_is_2(alone: AgentAlone, arguments: list[str]) -> None:
    """Both with and without --check-config."""
    alone.write_config(listen=("127.0.0.300",), serve="tcp_idel = 1")
    done = subprocess.run([*alone.command(), *arguments], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2
    assert "127.0.0.300" in done.stderr and "tcp_idel" in done.stderr
    assert all(line.startswith(f"{alone.config}:") for line in done.stderr.splitlines())


def test_an_unknown_option_has_status_2(alone: AgentAlone) -> None:
    """A wrong command line counts as what the operator must change."""
    assert subprocess.run([*alone.command(), "--no-such-option"], capture_output=True, check=False).returncode == 2


def test_a_second_agent_is_refused_with_the_pid_of_the_first(agent: AgentAlone) -> None:
    """The same control socket; the first goes on."""
    assert agent.process is not None
    done = refused(agent)
    assert done.returncode == 1
    assert f"another nearsided is running with it (pid {agent.process.pid})" in done.stderr
    assert agent.ask() == ["192.0.2.80"]


def test_a_second_agent_for_the_same_maps_is_refused(agent: AgentAlone) -> None:
    """Another control socket does not help: two publishers would undo each other."""
    assert agent.process is not None
    agent.config.write_text(agent.config.read_text().replace("control.sock", "other.sock"))
    done = refused(agent)
    assert done.returncode == 1
    assert str(agent.pins) in done.stderr and f"(pid {agent.process.pid})" in done.stderr


def test_a_missing_capability_is_named(alone: AgentAlone) -> None:
    """Without the right to load programs: which one, and what to do."""
    done = refused(alone, "capsh", "--drop=cap_bpf,cap_sys_admin", "--", "-c", 'exec "$@"', "sh")
    assert done.returncode == 1
    assert "CAP_BPF" in done.stderr and "run as root" in done.stderr


def test_a_missing_bpf_file_system_is_named_with_the_command_that_mounts_it(alone: AgentAlone) -> None:
    """In a mount namespace without it."""
    done = refused(alone, "unshare", "--mount", "sh", "-c", 'umount /sys/fs/bpf && exec "$@"', "sh")
    assert done.returncode == 1
    assert "mount -t bpf bpf /sys/fs/bpf" in done.stderr


def test_an_address_in_use_is_named(alone: AgentAlone) -> None:
    """The sentence has the address, the port and the transport."""
    with alone.space.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 53))
        done = refused(alone)
    assert done.returncode == 1
    assert "listen 127.0.0.1:53/udp: address in use" in done.stderr


def test_an_address_of_no_interface_is_named(alone: AgentAlone) -> None:
    """It is not bound in the hope that it will come."""
    alone.write_config(listen=("198.51.100.53",))
    assert "listen 198.51.100.53:53/udp: no interface has this address" in refused(alone).stderr


# Reload


def test_a_reload_puts_new_zones_in_force(agent: AgentAlone) -> None:
    """From the next query on, and told by `status`."""
    agent.write_config(address="192.0.2.81", serial=2)
    assert reload(agent)["ok"] is True
    assert agent.ask() == ["192.0.2.81"]
    status = agent.status()
    assert status["zones"] == [{"name": f"{ZONE}.", "names": 4, "serial": 2}]


def test_a_reload_writes_only_differences(agent: AgentAlone) -> None:
    """The same file again: nothing; another server of www: its answers and no name."""
    reload(agent)
    published = agent.status()["published"]
    assert (published["answers_changed"], published["images_written"]) == (0, 0)
    agent.write_config(address="192.0.2.81")
    reload(agent)
    published = agent.status()["published"]
    assert published["images_written"] > 0
    assert (published["names_added"], published["names_removed"]) == (0, 0)


def test_a_bad_file_changes_nothing(agent: AgentAlone) -> None:
    """All its problems are logged, `status` shows them, and what was in force goes on."""
    before = agent.status()
    agent.write_config(address="192.0.2.81", listen=("127.0.0.300",), serve="tcp_idel = 1")
    outcome = reload(agent)
    assert outcome["ok"] is False
    assert "127.0.0.300" in outcome["error"] and "tcp_idel" in outcome["error"]
    assert agent.ask() == ["192.0.2.80"]
    after = agent.status()
    for unchanged in ("generation", "listen", "zones"):
        assert after[unchanged] == before[unchanged]


def test_the_server_in_use_is_checked_at_its_shorter_interval_from_the_start_and_after_a_reload(
        alone: AgentAlone) -> None:
    """Its plain interval is an hour: without the shorter one the first two checks would be the last."""
    add_address(alone.space, "lo", "192.0.2.80/32")
    alone.config.write_text(alone.config.read_text() + '''policy = "latency"
checks = ["ping"]
[[check]]
name = "ping"
type = "icmp"
interval = "1h"
interval_in_use = "100ms"
''')

    def checked_often() -> bool:
        return alone.status()["measuring"]["ok"] >= 5
    alone.start()
    wait_until("five checks after the start", checked_often, timeout=10)
    assert reload(alone)["ok"]
    wait_until("five checks after the reload", checked_often, timeout=10)


def test_a_reload_that_cannot_bind_an_address_changes_nothing(agent: AgentAlone) -> None:
    """Neither the zones nor the addresses that could be bound."""
    agent.write_config(address="192.0.2.81", listen=("127.0.0.1", "127.0.0.2", "198.51.100.53"))
    outcome = reload(agent)
    assert outcome["ok"] is False and "198.51.100.53" in outcome["error"]
    assert agent.ask() == ["192.0.2.80"]
    with pytest.raises(ConnectionRefusedError):
        agent.ask(server="127.0.0.2")


def test_a_reload_adds_and_removes_listen_addresses(agent: AgentAlone) -> None:
    """The new one answers, the old one is closed, by UDP and TCP; in the kernel's list as well."""
    agent.write_config(listen=("127.0.0.2",))
    reload(agent)
    assert agent.ask(server="127.0.0.2") == ["192.0.2.80"]
    agent.connect("127.0.0.2")
    for attempt in (agent.ask, agent.connect):
        with pytest.raises(ConnectionRefusedError):
            attempt(server="127.0.0.1")
    assert agent.status()["listen"] == ["127.0.0.2:53"]


def test_settings_that_cannot_change_are_told(agent: AgentAlone) -> None:
    """The control socket and the sizes of the maps stay, and a warning says so."""
    agent.config.write_text(agent.config.read_text().replace("control.sock", "other.sock") + "\n[maps]\nnames = 1000\n")
    assert reload(agent)["ok"] is True
    assert agent.process is not None
    log = agent.process.text()
    assert "control.socket stays" in log and "maps.names keeps its size" in log
    assert agent.socket_path.exists()


def test_the_control_socket_reloads_and_tells_the_outcome(agent: AgentAlone) -> None:
    """As SIGHUP does, with an answer."""
    agent.write_config(address="192.0.2.81")
    assert agent.control({"verb": "reload"}) == {"reloaded": True}
    assert agent.ask() == ["192.0.2.81"]
    agent.write_config(serve="tcp_idel = 1")
    assert "tcp_idel" in agent.control({"verb": "reload"})["error"]


# Stop and restart


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_agent_stops_cleanly_and_leaves_its_lease(agent: AgentAlone, number: int) -> None:
    """Status 0, no socket file; the lease runs out by itself, so that a restart is seamless."""
    assert agent.process is not None
    agent.connect()
    agent.process.signal(number)
    wait_until("the agent has ended", lambda: not agent.process.running)
    assert agent.process.exit_status == 0
    assert not agent.socket_path.exists()
    remaining = int(agent.process.text().split("lease_remaining=")[1].split("ms")[0])
    assert remaining > 5000
    assert (agent.pins / "maps" / "config").exists()


def test_a_restarted_agent_takes_the_maps_over(agent: AgentAlone) -> None:
    """The same zones: nothing is written anew, the maps are the same ones."""
    assert agent.process is not None
    maps = run("bpftool", "map", "show", "pinned", str(agent.pins / "maps" / "answers")).split(":")[0]
    generation = agent.status()["generation"]
    assert agent.process.stop() == 0
    agent.start()
    status = agent.status()
    assert (status["published"]["answers_changed"], status["published"]["images_written"]) == (0, 0)
    assert status["generation"] == generation
    assert run("bpftool", "map", "show", "pinned", str(agent.pins / "maps" / "answers")).split(":")[0] == maps


def test_an_agent_that_was_killed_is_replaced(agent: AgentAlone) -> None:
    """The socket file and the lock file that it left are no hindrance."""
    assert agent.process is not None
    agent.process.kill()
    assert agent.socket_path.exists()
    agent.start()
    assert agent.ask() == ["192.0.2.80"]
    assert agent.status()["pid"] == agent.process.pid


def test_the_lease_is_renewed_while_the_agent_runs(alone: AgentAlone) -> None:
    """A lease of one second is seen to grow again."""
    alone.config.write_text(alone.config.read_text().replace("[edge]", '[edge]\nlease = "1s"'))
    alone.start()
    last = alone.status()["lease_remaining_ms"]

    def grown() -> bool:
        nonlocal last
        before, last = last, alone.status()["lease_remaining_ms"]
        assert last > 0
        return last > before
    for _ in range(3):
        wait_until("the lease was renewed", grown, timeout=2)


# Control socket and systemd


def test_the_control_socket_is_for_owner_and_group_only(agent: AgentAlone) -> None:
    """Mode 0660."""
    mode = agent.socket_path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_something_else_than_a_socket_is_not_replaced(alone: AgentAlone) -> None:
    """The operator's file stays."""
    alone.socket_path.write_text("precious")
    done = refused(alone)
    assert done.returncode == 1 and "something else than a socket" in done.stderr
    assert alone.socket_path.read_text() == "precious"


def test_explain_tells_what_clients_get(agent: AgentAlone) -> None:
    """The answer as text, and that the kernel has it; a name of nobody's zone is refused."""
    told = agent.control({"verb": "explain", "name": WWW, "type": "A"})
    assert told["rcode"] == "NOERROR" and told["zone"] == f"{ZONE}."
    assert told["answer"] == [f"{WWW}. 20 IN A 192.0.2.80"]
    assert told["kernel"] == {"installed": True, "answers": True}
    missing = agent.control({"verb": "explain", "name": f"nobody.{ZONE}"})
    assert missing["rcode"] == "NXDOMAIN" and "SOA" in missing["authority"][0]
    assert missing["kernel"] == {"installed": False, "answers": False}
    assert agent.control({"verb": "explain", "name": "www.example.net"})["zone"] is None


@pytest.mark.parametrize("request_line", [b"{", b"[]", b'{"verb":"dance"}', b"{}", b'{"verb":"explain"}',
                                          b'{"verb":"explain","name":"a..b"}',
                                          b'{"verb":"explain","name":"a","type":"NOTYPE"}'])
def test_a_request_that_makes_no_sense_gets_an_error(agent: AgentAlone, request_line: bytes) -> None:
    """One line, with the key "error"; the connection goes on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect(str(agent.socket_path))
        with sock.makefile() as lines:
            sock.sendall(request_line + b"\n")
            assert '"error"' in lines.readline()
            sock.sendall(b'{"verb":"status"}\n')
            assert '"version"' in lines.readline()


def test_a_request_line_without_end_is_refused(agent: AgentAlone) -> None:
    """After 64 KiB the agent says so and closes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect(str(agent.socket_path))
        sock.sendall(b"x" * 65536)
        with sock.makefile() as lines:
            assert "longer than 65536 octets" in lines.readline()
            assert lines.readline() == ""


def test_systemd_is_told_of_each_state(alone: AgentAlone) -> None:
    """READY, RELOADING and READY again, STOPPING."""
    path = alone.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(path))
        notices.settimeout(10)
        alone.process = Process("nearsided", [*alone.space.enter, *alone.command()], Path(alone.directory, "log"),
                                environment={"NOTIFY_SOCKET": str(path)})
        assert notices.recv(4096).startswith(b"READY=1\nSTATUS=zones=1 ")
        alone.process.signal(signal.SIGHUP)
        assert notices.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert notices.recv(4096).startswith(b"READY=1\n")
        alone.process.stop()
        assert notices.recv(4096) == b"STOPPING=1"


# UDP


def test_a_query_from_the_agents_own_endpoint_is_not_answered(agent: AgentAlone) -> None:
    """A forged source: the answer would be a query to ourselves. Sent by a raw socket."""
    payload = query(WWW)
    udp = (53).to_bytes(2, "big") * 2 + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    with agent.space.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        raw.bind(("127.0.0.1", 0))
        raw.sendto(udp, ("127.0.0.1", 0))
    agent.wait_for_serve("udp_received", 1)
    assert agent.status()["serve"]["udp_ignored"] == 1


def test_a_query_from_port_0_is_not_answered(agent: AgentAlone) -> None:
    """Nobody can receive there."""
    payload = query(WWW)
    udp = b"\0\0" + (53).to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    with agent.space.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        raw.bind(("127.0.0.2", 0))
        raw.sendto(udp, ("127.0.0.1", 0))
    agent.wait_for_serve("udp_received", 1)
    assert agent.status()["serve"]["udp_ignored"] == 1


def test_many_queries_in_a_burst_are_all_answered(agent: AgentAlone) -> None:
    """More than one batch of recvmmsg holds."""
    with agent.space.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", 53))
        for number in range(1, 151):
            sock.send(query(WWW, number=number))
        seen = {int.from_bytes(sock.recv(65535)[:2], "big") for _ in range(150)}
    assert seen == set(range(1, 151))


def test_reloads_that_meet_work_that_is_due_end_nothing(alone: AgentAlone) -> None:
    """The agent is stopped until a reload and its own timers are due at once; twelve times, and it answers after each.

    What it has given back is overwritten (mallopt(3)), so that it cannot be used and nobody notice.
    """
    agent, process = alone, alone.start("env", "MALLOC_PERTURB_=85")
    said = {"verb": "administer", "pattern": "192.0.2.80", "state": "down", "owner": "ops", "reason": "test"}
    for _ in range(12):
        agent.control(said)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(str(agent.socket_path))
            process.signal(signal.SIGSTOP)
            sock.sendall(b'{"verb":"reload"}\n')
            time.sleep(0.3)
            process.signal(signal.SIGCONT)
            with sock.makefile() as lines:
                assert json.loads(lines.readline()) == {"reloaded": True}
        assert agent.ask() == ["192.0.2.80"]
    process.must_run()
