# SPDX-License-Identifier: BSD-2-Clause
"""The process of wan.py: packets between the edge's TUN device and those of the servers, each when it is due.

    wan_forwarder.py DEVICE SOCKET EDGE-NAMESPACE [SERVER,NAMESPACE,IPV4,IPV6]...

One JSON object each connection to SOCKET sets a link: {"server", "family", "link": {"rtt_ms", "jitter_ms", "loss"}};
"done" is answered once it is in force. A packet for which no link is set is dropped.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import heapq
import ipaddress
import json
import os
import random
import select
import socket
import struct
import sys
import time
from pathlib import Path

from namespaces import inside

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
PR_SET_TIMERSLACK = 29
# Packets read from one device before the others have their turn.
BURST = 64
# Flows that are remembered; beyond it those that have no packet under way are forgotten.
MOST_FLOWS = 4096


class Forwarder:
    """Decides for each packet whether and when it arrives, and writes it then."""

    def __init__(self, control: socket.socket, edge: int, servers: dict[str, int], owners: dict[bytes, str]) -> None:
        """`edge` and `servers` are TUN devices; `owners` has the server of each packed address."""
        self._control = control
        self._edge = edge
        self._servers = servers
        self._at = {device: server for server, device in servers.items()}
        self._owners = owners
        self._links: dict[tuple[str, int], dict[str, float]] = {}
        self._under_way: list[tuple[float, int, int, bytes]] = []  # heap: due, number, device, packet
        self._number = 0
        self._last_due: dict[bytes, float] = {}
        self._random = random.Random(1)

    def run(self) -> None:
        """Until the process is ended."""
        sources = [self._control, self._edge, *self._at]
        while True:
            # select() takes microseconds where poll() takes milliseconds.
            wait = max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None
            for source in select.select(sources, [], [], wait)[0]:
                if source is self._control:
                    self._obey()
                else:
                    self._read(source)
            self._deliver()

    def _obey(self) -> None:
        with self._control.accept()[0] as asked:
            asked.settimeout(1)
            change = json.loads(asked.recv(4096))
            self._links[change["server"], change["family"]] = change["link"]
            asked.send(b"done")

    def _read(self, device: int) -> None:
        for _ in range(BURST):
            try:
                packet = os.read(device, 65535)
            except BlockingIOError:
                return
            family = packet[0] >> 4
            if device != self._edge:
                server, to = self._at[device], self._edge
            elif server := self._owners.get(packet[16:20] if family == 4 else packet[24:40], ""):
                to = self._servers[server]
            link = self._links.get((server, family))
            # Both directions together lose the share that the link says.
            if link is None or self._random.random() >= (1 - link["loss"]) ** 0.5:
                continue
            jitter = self._random.uniform(-1, 1) * link["jitter_ms"]
            self._send_later(packet, to, max(0.0, link["rtt_ms"] + jitter) / 2000)

    def _send_later(self, packet: bytes, device: int, delay: float) -> None:
        """No packet overtakes an earlier one of its flow: to TCP that would look like loss."""
        flow, now = flow_of(packet), time.monotonic()
        due = self._last_due[flow] = max(now + delay, self._last_due.get(flow, 0.0))
        if len(self._last_due) > MOST_FLOWS:
            self._last_due = {key: last for key, last in self._last_due.items() if last > now}
        self._number += 1
        heapq.heappush(self._under_way, (due, self._number, device, packet))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(self._under_way)
            try:
                os.write(device, packet)
            except OSError as problem:
                # A full queue or a device that is down loses the packet, as a router does.
                if problem.errno not in (errno.EAGAIN, errno.EIO, errno.ENOBUFS):
                    raise


def flow_of(packet: bytes) -> bytes:
    """Protocol, addresses and ports of a packet."""
    if packet[0] >> 4 == 4:
        header = 4 * (packet[0] & 0x0f)
        return packet[9:10] + packet[12:20] + packet[header:header + 4]
    return packet[6:7] + packet[8:44]


def open_tun(namespace: str, name: str) -> int:
    """A TUN device in that namespace; it is there as long as the process is."""
    with inside(Path(namespace)):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def be_punctual() -> None:
    """Wakes when asked to, also while compilers keep the machine busy."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def main() -> None:
    device, path, edge, *ends = sys.argv[1:]
    servers, owners = {}, {}
    for end in ends:
        server, namespace, *addresses = end.split(",")
        servers[server] = open_tun(namespace, device)
        owners |= {ipaddress.ip_address(address).packed: server for address in addresses}
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.bind(path)
    control.listen()
    forwarder = Forwarder(control, open_tun(edge, device), servers, owners)
    be_punctual()
    print("ready", flush=True)
    forwarder.run()


if __name__ == "__main__":
    main()
