# SPDX-License-Identifier: BSD-2-Clause
"""The lab's wide-area network itself: the round trips, the jitter and the loss that were asked for, and no others."""

from __future__ import annotations

import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import need
from environment import missing_for_lab
from measured_lab import ADDRESSES, LINKS, MeasuredLab
from namespaces import Namespace

_identifiers = itertools.count(1)
FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])


@pytest.fixture(scope="module")
def network() -> Iterator[MeasuredLab]:
    """The network alone: no agent, no servers."""
    need(missing_for_lab())
    with MeasuredLab() as lab:
        yield lab


@pytest.fixture
def lab(network: MeasuredLab) -> MeasuredLab:
    """With all links as they are at first."""
    network.wan.restore()
    return network


def ping(lab: MeasuredLab, server: str, family: int, count: int, rate: float = 200) -> list[float]:
    """Round trips from the edge in milliseconds, of the echo requests that were answered; `rate` a second."""
    kind = (socket.AF_INET, socket.IPPROTO_ICMP, 8) if family == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128)
    identifier = next(_identifiers)
    times: dict[int, float] = {}
    with lab.edge.socket(kind[0], socket.SOCK_RAW, kind[1]) as sock:
        sock.connect((ADDRESSES[server][family == 6], 0))
        began = time.monotonic()
        for number in range(count):
            _receive_echoes(sock, family, identifier, times, until=began + number / rate)
            head = struct.pack("!BBHHHd", kind[2], 0, 0, identifier, number, time.monotonic())
            sock.send(head[:2] + struct.pack("!H", _checksum(head)) + head[4:])
        link = lab.wan.link(server, family)
        overdue = time.monotonic() + (link.rtt_ms + link.jitter_ms) / 1000 + 0.1
        _receive_echoes(sock, family, identifier, times, overdue, complete=count)
    return list(times.values())


def _receive_echoes(sock: socket.socket, family: int, identifier: int, times: dict[int, float], until: float,
                    complete: int | None = None) -> None:
    """Notes by number how long each echo took that arrives before `until`, or before there are `complete` of them."""
    while (left := until - time.monotonic()) > 0 and (complete is None or len(times) < complete):
        if not select.select([sock], [], [], left)[0]:
            return
        message = sock.recv(2048)[20 if family == 4 else 0:]
        kind, _, _, to, number, sent = struct.unpack("!BBHHHd", message[:16])
        if (kind, to) == (0 if family == 4 else 129, identifier):
            times[number] = (time.monotonic() - sent) * 1000


def _checksum(message: bytes) -> int:
    """RFC 1071; for ICMPv6 the kernel writes its own over it."""
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


@FAMILIES
@pytest.mark.parametrize("server", ADDRESSES)
def test_each_server_is_as_far_away_as_its_link_says(lab: MeasuredLab, server: str, family: int) -> None:
    """Two hundred pings a second; the machine's own share is what a link of one millisecond takes longer than that, just
    before. A busy machine delays some pings, so the quickest quarter tells about the link, and the quietest of up to
    five rounds; none is quicker than its link in any."""
    link = LINKS[server]
    for _ in range(5):
        lab.wan.set(server, rtt_ms=1, jitter_ms=0, family=family)
        own = sorted(ping(lab, server, family, 100))[25] - 1
        lab.wan.restore()
        times = sorted(ping(lab, server, family, 100))
        print(f"{server}: {times[0]:.2f} / {times[50]:.2f} / {times[-1]:.2f} ms, of which {own:.2f} are the machine's")
        assert len(times) == 100 and times[0] >= link.rtt_ms - link.jitter_ms
        if own < 1 and times[25] - own < link.rtt_ms + 0.5:
            break
    assert own < 1, "an error of every link would look like the machine's share"
    assert times[25] - own < link.rtt_ms + 0.5
    assert times[90] - times[10] >= link.jitter_ms / 2


def test_a_link_changes_while_packets_flow_and_for_one_family_alone(lab: MeasuredLab) -> None:
    """In force when `set` returns."""
    lab.wan.set("near", rtt_ms=30, family=6)
    assert min(ping(lab, "near", 6, 5)) >= 30
    assert max(ping(lab, "near", 4, 5)) < 30
    lab.wan.restore()
    assert max(ping(lab, "near", 6, 5)) < 30


def test_loss_is_the_share_of_round_trips_that_are_lost(lab: MeasuredLab) -> None:
    """Of 600 pings with a loss of 0.3, those that are lost lie within four deviations of 180."""
    lab.wan.set("near", loss=0.3)
    lost = 600 - len(ping(lab, "near", 4, 600, rate=500))
    assert 135 < lost < 225
    assert len(ping(lab, "mid", 4, 100, rate=500)) == 100


def test_a_link_that_is_cut_is_a_black_hole_in_that_family_only(lab: MeasuredLab) -> None:
    """Nothing comes back, no ICMP error either."""
    lab.wan.cut("near", family=6)
    assert ping(lab, "near", 6, 3) == [] and len(ping(lab, "near", 4, 3)) == 3
    lab.wan.restore()
    assert len(ping(lab, "near", 6, 3)) == 3


def out_of_order(space: Namespace) -> int:
    """TCP segments that arrived in this namespace before their predecessors."""
    with space.inside():
        heads, values = (line.split() for line in Path("/proc/thread-self/net/netstat").read_text().splitlines()[:2])
    return int(values[heads.index("TCPOFOQueue")])


def test_jitter_never_puts_the_packets_of_a_connection_out_of_order(lab: MeasuredLab) -> None:
    """A megabyte over a link whose jitter is as large as its delay: complete, and each segment after the one before."""
    lab.wan.set("near", rtt_ms=10, jitter_ms=10)
    payload, got, before = bytes(1 << 20), 0, out_of_order(lab.edge)
    with lab.servers["near"].space.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.settimeout(5)
        listener.bind((ADDRESSES["near"][0], 8080))
        listener.listen()

        def send() -> None:
            with listener.accept()[0] as stream:
                stream.sendall(payload)
        sender = threading.Thread(target=send)
        sender.start()
        with lab.edge.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.settimeout(10)
            stream.connect((ADDRESSES["near"][0], 8080))
            while piece := stream.recv(65536):
                got += len(piece)
        sender.join()
    assert got == len(payload) and out_of_order(lab.edge) == before


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_the_network_ends_with_its_lab(failure: type[BaseException]) -> None:
    """Process, devices and namespaces, also when the test in it fails."""
    need(missing_for_lab())
    with pytest.raises(failure), MeasuredLab() as lab:
        assert lab.wan.process.running
        raise failure
    assert not lab.wan.process.running and not any(space.path.exists() for space in lab.namespaces)
