# SPDX-License-Identifier: BSD-2-Clause
"""Every type of check against real servers: what succeeds, what fails, with which reason and how soon."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from check_peers import (BLACK_HOLE4, BLACK_HOLE6, MUTE, NAME, SERVER4, SERVER6, SILENT, TLS_PORTS, UNREACHABLE4,
                         UNREACHABLE6, CheckLab, missing_for_checks)
from conftest import need
from wait import wait_until

BOTH = pytest.mark.parametrize("address", [SERVER4, SERVER6], ids=["ipv4", "ipv6"])


@pytest.fixture(scope="module")
def lab() -> Iterator[CheckLab]:
    """The servers; each test writes the check that it needs."""
    need(missing_for_checks())
    with CheckLab() as made:
        yield made


def assert_ok(sample: dict[str, object]) -> None:
    """It succeeded, and knows how long the first octet took."""
    assert sample["outcome"] == "ok" and sample["reason"] == "", sample
    assert 0 < sample["first_byte_ms"] < 5000


def assert_not_ok(sample: dict[str, object], outcome: str, reason: str) -> None:
    """It was lost or failed, for this reason."""
    assert (sample["outcome"], sample["reason"]) == (outcome, reason)


# tcp

@BOTH
def test_tcp_connects(lab: CheckLab, address: str) -> None:
    sample = lab.probe(address, type="tcp", port=80)
    assert_ok(sample)
    assert sample["connect_ms"] == sample["first_byte_ms"]


@BOTH
def test_a_closed_port_is_refused(lab: CheckLab, address: str) -> None:
    for check in ({"type": "tcp"}, {"type": "http"}, {"type": "https"}, {"type": "dns"}):
        assert_not_ok(lab.probe(address, **check, port=9), "failed", "refused")


@pytest.mark.parametrize("address", [BLACK_HOLE4, BLACK_HOLE6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(("check", "step"), [
    ({"type": "tcp", "port": 80}, "connect"), ({"type": "http"}, "connect"), ({"type": "tls"}, "connect"),
    ({"type": "dns"}, "reply"), ({"type": "icmp"}, "echo reply")], ids=lambda value: str(value))
def test_a_black_hole_times_out(lab: CheckLab, address: str, check: dict[str, object], step: str) -> None:
    begin = time.monotonic()
    assert_not_ok(lab.probe(address, **check, timeout="200ms"), "lost", f"timeout: {step}")
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("address", [UNREACHABLE4, UNREACHABLE6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("check", [{"type": "tcp", "port": 80}, {"type": "http"}, {"type": "dns"}, {"type": "icmp"}],
                         ids=lambda check: check["type"])
def test_a_host_that_a_router_calls_unreachable_is_lost_at_once(
        lab: CheckLab, address: str, check: dict[str, object]) -> None:
    assert_not_ok(lab.probe(address, **check, timeout="5s"), "lost", "unreachable")


# http

@BOTH
def test_http_succeeds_with_status_and_body(lab: CheckLab, address: str) -> None:
    sample = lab.probe(address, type="http", host=NAME, status=["200"], body="all is well",
                       body_regex="^www\\.example\\.com says all is (well|good)$")
    # `^` and `$` are the body's ends, and nginx sends a final newline.
    assert_not_ok(sample, "failed", "body mismatch")
    sample = lab.probe(address, type="http", host=NAME, status=["200"], body="all is well",
                       body_regex="^www\\.example\\.com says all is (well|good)\\n$")
    assert_ok(sample)
    assert 0 < sample["connect_ms"] <= sample["first_byte_ms"]


def test_http_sends_host_user_agent_and_method(lab: CheckLab) -> None:
    assert_ok(lab.probe(SERVER4, type="http", path="/host", host=NAME, status=["204"]))
    assert_not_ok(lab.probe(SERVER4, type="http", path="/host", status=["204"]), "failed", "http 421")
    assert_ok(lab.probe(SERVER4, type="http", path="/agent", status=["204"]))
    assert_ok(lab.probe(SERVER4, type="http", path="/head", method="HEAD", status=[200]))


def test_http_fails_by_the_status(lab: CheckLab) -> None:
    sample = lab.probe(SERVER4, type="http", path="/busy")
    assert_not_ok(sample, "failed", "http 503")
    assert sample["first_byte_ms"] > 0
    assert_ok(lab.probe(SERVER4, type="http", path="/busy", status=["500-599"]))
    assert_ok(lab.probe(SERVER4, type="http", path="/moved"))
    assert_not_ok(lab.probe(SERVER4, type="http", path="/moved", status=["200-299"]), "failed", "http 301")


def test_http_fails_by_the_body(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="http", body="all is lost"), "failed", "body mismatch")
    assert_not_ok(lab.probe(SERVER4, type="http", body="well", body_limit=12), "failed", "body mismatch")


@BOTH
def test_a_server_that_accepts_and_never_answers_times_out_after_the_connection(lab: CheckLab, address: str) -> None:
    for check, step in ({"type": "http"}, "first byte"), ({"type": "tls"}, "handshake"), ({"type": "https"}, "handshake"):
        sample = lab.probe(address, **check, port=SILENT, timeout="200ms")
        assert_not_ok(sample, "lost", f"timeout: {step}")
        assert sample["connect_ms"] > 0 and sample["first_byte_ms"] is None
    assert_ok(lab.probe(address, type="tcp", port=SILENT))


def test_a_connection_that_is_closed_without_an_answer_fails(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="http", port=MUTE), "failed", "closed: first byte")
    assert_not_ok(lab.probe(SERVER4, type="tls", port=MUTE), "failed", "closed: handshake")


# tls, https

@BOTH
@pytest.mark.parametrize("kind", ["tls", "https"])
def test_a_good_certificate_succeeds_and_tells_its_days(lab: CheckLab, address: str, kind: str) -> None:
    more = {"host": NAME, "body": NAME} if kind == "https" else {}
    sample = lab.probe(address, type=kind, server_name=NAME, ca_file=str(lab.directory / "ca.pem"), **more)
    assert_ok(sample)
    assert sample["certificate_days"] > 365
    assert sample["connect_ms"] < sample["first_byte_ms"]


@pytest.mark.parametrize(("certificate", "reason"), [
    ("expired", "tls: certificate has expired"),
    ("not-yet", "tls: certificate is not valid yet"),
    ("other-name", "tls: certificate is for another name"),
    ("self-signed", "tls: certificate is self-signed")])
@pytest.mark.parametrize("kind", ["tls", "https"])
def test_a_certificate_that_is_no_good_fails_by_its_fault(
        lab: CheckLab, kind: str, certificate: str, reason: str) -> None:
    check = {"type": kind, "port": TLS_PORTS[certificate], "server_name": NAME}
    sample = lab.probe(SERVER4, **check, ca_file=str(lab.directory / "ca.pem"))
    assert_not_ok(sample, "failed", reason)
    # It expired an hour ago: that is the day before this one.
    assert sample["certificate_days"] == -1 if certificate == "expired" else sample["certificate_days"] > 0
    # Nothing was sent to it, and nothing measured.
    assert sample["first_byte_ms"] is None
    assert_ok(lab.probe(SERVER4, **check, verify=False))


def test_an_issuer_that_the_system_does_not_know_is_refused(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="tls", server_name=NAME), "failed", "tls: certificate is of an unknown issuer")


@BOTH
def test_without_a_name_the_certificate_must_be_for_the_address(lab: CheckLab, address: str) -> None:
    ca = str(lab.directory / "ca.pem")
    assert_ok(lab.probe(address, type="tls", port=TLS_PORTS["address"], ca_file=ca))
    assert_not_ok(lab.probe(address, type="tls", ca_file=ca), "failed", "tls: certificate is for another name")


def test_plain_http_on_the_port_is_no_tls(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="tls", port=80), "failed", "tls: wrong version number")


# dns

@BOTH
def test_dns_succeeds_with_rcode_and_rdata(lab: CheckLab, address: str) -> None:
    assert_ok(lab.probe(address, type="dns", qname=NAME, qtype="A", rdata=["192.0.2.2", "192.0.2.1"]))
    assert_ok(lab.probe(address, type="dns", qname="example.com", qtype="MX", rdata=["10 Mail.Example.Com."]))
    assert_ok(lab.probe(address, type="dns", qname="none.example.com", qtype="A", rcode="NXDOMAIN"))


def test_dns_fails_by_rcode_and_rdata(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="dns", qname="none.example.com", qtype="A"), "failed", "dns NXDOMAIN")
    assert_not_ok(lab.probe(SERVER4, type="dns", qname="www.example.net", qtype="A"), "failed", "dns REFUSED")
    assert_not_ok(lab.probe(SERVER4, type="dns", qname=NAME, qtype="A", rdata=["192.0.2.1", "192.0.2.3"]),
                  "failed", "dns: no expected rdata")


# icmp

@BOTH
def test_icmp_is_answered(lab: CheckLab, address: str) -> None:
    sample = lab.probe(address, type="icmp")
    assert_ok(sample)
    assert sample["connect_ms"] is None


@pytest.mark.parametrize(("changed", "source", "outcome"), [
    (None, SERVER4, "ok"), (4, SERVER4, "lost"), (6, SERVER4, "lost"), (15, SERVER4, "lost"), (None, "192.0.2.1", "lost")],
    ids=["its own", "another identifier", "another sequence number", "other octets", "another address"])
def test_icmp_takes_only_the_reply_to_its_request(
        lab: CheckLab, changed: int | None, source: str, outcome: str) -> None:
    """The kernel there keeps silent; we reply in its place, with one octet changed or from elsewhere."""
    with lab.far.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard, \
            lab.far.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as said:
        heard.settimeout(10)
        heard.bind((SERVER4, 0))
        said.bind((source, 0))

        def reply() -> None:
            packet, client = heard.recvfrom(2048)
            message = bytearray(packet[20:])
            message[0] = 0  # echo reply
            if changed is not None:
                message[changed] ^= 1
            message[2:4] = bytes(2)
            total = sum(struct.unpack(f"!{len(message) // 2}H", message))
            total = (total & 0xffff) + (total >> 16)
            message[2:4] = struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff)
            said.sendto(message, client)
        replier = threading.Thread(target=reply)
        lab.far.set_option("net/ipv4/icmp_echo_ignore_all", "1")
        try:
            replier.start()
            sample = lab.probe(SERVER4, type="icmp", timeout="5s" if outcome == "ok" else "300ms")
            replier.join()
        finally:
            lab.far.set_option("net/ipv4/icmp_echo_ignore_all", "0")
    assert (sample["outcome"], sample["reason"]) == (outcome, "" if outcome == "ok" else "timeout: echo reply")


@BOTH
def test_icmp_without_the_right_is_a_fault_of_ours_with_a_clear_word(lab: CheckLab, address: str) -> None:
    lab.write_check(type="icmp")
    done = lab.attempt(address, "--json", prefix=("setpriv", "--bounding-set", "-net_raw"))
    [sample] = json.loads(done.stdout)["samples"]
    assert sample["outcome"] == "not run" and "CAP_NET_RAW is missing" in sample["reason"]
    assert done.returncode == 4 and "CAP_NET_RAW is missing" in done.stderr


# exec

def script(lab: CheckLab, text: str) -> list[str]:
    """A command that runs the script with the check's places as arguments."""
    path = lab.directory / "check.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return [str(path), "{address}", "{server}"]


def test_exec_succeeds_with_status_0_and_the_address_filled_in(lab: CheckLab) -> None:
    sample = lab.probe(SERVER6, type="exec", command=script(lab, f'test "$1 $2" = "{SERVER6} {SERVER6}"'))
    assert_ok(sample)


def test_exec_takes_the_time_that_the_program_states(lab: CheckLab) -> None:
    assert lab.probe(SERVER4, type="exec", command=script(lab, "echo OK; echo rtt=12.5"))["first_byte_ms"] == 12.5


def test_exec_fails_by_the_exit_status(lab: CheckLab) -> None:
    assert_not_ok(lab.probe(SERVER4, type="exec", command=script(lab, "exit 2")), "failed", "exit status 2")


def test_exec_that_runs_too_long_is_killed_with_its_child(lab: CheckLab) -> None:
    pids = lab.directory / "pids"
    command = script(lab, f"sleep 60 & echo $! $$ >{pids}; sleep 60")
    begin = time.monotonic()
    assert_not_ok(lab.probe(SERVER4, type="exec", command=command, timeout="2s"), "lost", "timeout: run")
    assert time.monotonic() - begin < 30

    def dead(pid: str) -> bool:
        try:
            return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
        except FileNotFoundError:
            return True
    wait_until("script and child are gone", lambda: all(dead(pid) for pid in pids.read_text().split()))


def test_exec_of_what_cannot_be_started_is_a_fault_of_ours(lab: CheckLab) -> None:
    path = lab.directory / "broken.sh"
    path.write_text("#!/nonexistent/sh\n")
    path.chmod(0o755)
    lab.write_check(type="exec", command=[str(path)])
    done = lab.attempt(SERVER4)
    assert done.returncode == 3
    assert f"exec {path}: No such file or directory" in done.stderr


# The verb

def test_the_verb_repeats_and_sums_up(lab: CheckLab) -> None:
    lab.write_check(type="http", path="/busy", recheck="20ms")
    done = lab.attempt(SERVER4, "--count", "3")
    assert done.stdout.count("failed  http 503  connect ") == 3
    assert done.returncode == 8
    assert done.stderr == f"nearside: probe: check {SERVER4}: 3 of 3 not ok, the last one: http 503\n"


def test_the_verb_takes_another_port(lab: CheckLab) -> None:
    lab.write_check(type="tcp", port=9)
    assert lab.attempt(SERVER4, "--port", "80").returncode == 0
    assert lab.attempt(SERVER4).returncode == 8


def test_the_verb_takes_port_and_server_from_the_configuration_where_it_has_the_address(lab: CheckLab) -> None:
    lab.write_check(type="exec", command=[*script(lab, f'test "$1 $2 $3" = "{SERVER4} fra1 80"'), "{port}"])
    assert lab.attempt(SERVER4).returncode == 8
    text = lab.config.read_text().replace('name = "fra1"\n', 'name = "fra1"\ncheck_port = 80\n')
    lab.config.write_text(text + '''[[zone]]
name = "lb.example.com"
ns = ["ns.example.net"]
[[zone.balance]]
name = "www"
servers = ["fra1"]
checks = ["check"]
''')
    assert lab.attempt(SERVER4).returncode == 0


def test_the_verb_refuses_what_is_not_there(lab: CheckLab) -> None:
    lab.write_check(type="tcp", port=80)
    done = lab.edge.attempt(*lab.attempt(SERVER4).args[2:-2], "none", SERVER4)
    assert done.returncode == 3 and "none: no check of that name" in done.stderr
    assert lab.attempt("www.example.com").returncode == 2
    lab.config.write_text("[[check]]\nname = 1\n")
    assert lab.attempt(SERVER4).returncode == 2
    lab.config = lab.directory / "nowhere.toml"
    assert lab.attempt(SERVER4).returncode in (2, 3)
    lab.config = lab.directory / "nearsided.toml"
    assert os.path.exists(lab.config)
