# SPDX-License-Identifier: BSD-2-Clause
"""The process of wan.py: packets between the TUN devices of networks and those of servers, each when it is due.

    wan_forwarder.py DEVICE SOCKET [--network NAME,NAMESPACE,PREFIX4,PREFIX6]... [--server NAME,NAMESPACE,IPV4,IPV6]...

One JSON object each connection to SOCKET sets links: [{"network", "server", "family", "link": {"rtt_ms", "jitter_ms",
"loss"}}, ...]; "done" is answered once they are in force. A packet for which no link is set is dropped.
"""

from __future__ import annotations

import argparse
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
import time
from pathlib import Path
from typing import Union

from namespaces import inside

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
PR_SET_TIMERSLACK = 29
# Packets read from one device before the others have their turn.
BURST = 64
# Flows that are remembered; beyond it those that have no packet under way are forgotten.
MOST_FLOWS = 4096

Prefix = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


class Forwarder:
    """Decides for each packet whether and when it arrives, and writes it then."""

    def __init__(self, control: socket.socket, networks: dict[str, int], servers: dict[str, int],
                 prefixes: list[tuple[Prefix, str]], owners: dict[bytes, str]) -> None:
        """`networks` and `servers` are TUN devices; `prefixes` and `owners` have those of each packed address."""
        self._control = control
        self._networks = networks
        self._servers = servers
        self._network_at = {device: network for network, device in networks.items()}
        self._server_at = {device: server for server, device in servers.items()}
        self._prefixes = prefixes
        self._owners = owners
        self._homes: dict[bytes, str] = {}  # the network of each address that a server has answered
        self._links: dict[tuple[str, str, int], dict[str, float]] = {}
        self._under_way: list[tuple[float, int, int, bytes]] = []  # heap: due, number, device, packet
        self._number = 0
        self._last_due: dict[bytes, float] = {}
        self._random = random.Random(1)

    def run(self) -> None:
        """Until the process is ended."""
        sources = [self._control, *self._network_at, *self._server_at]
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
            for change in json.loads(asked.recv(65536)):
                self._links[change["network"], change["server"], change["family"]] = change["link"]
            asked.send(b"done")

    def _read(self, device: int) -> None:
        for _ in range(BURST):
            try:
                packet = os.read(device, 65535)
            except BlockingIOError:
                return
            family = packet[0] >> 4
            destination = packet[16:20] if family == 4 else packet[24:40]
            if (network := self._network_at.get(device)) is None:
                server, network = self._server_at[device], self._home(destination)
                to = self._networks.get(network, -1)
            else:
                server = self._owners.get(destination, "")
                to = self._servers.get(server, -1)
            link = self._links.get((network, server, family))
            # Both directions together lose the share that the link says.
            if link is None or self._random.random() >= (1 - link["loss"]) ** 0.5:
                continue
            jitter = self._random.uniform(-1, 1) * link["jitter_ms"]
            self._send_later(packet, to, max(0.0, link["rtt_ms"] + jitter) / 2000)

    def _home(self, address: bytes) -> str:
        """The network that an address lies in; empty: none."""
        if (known := self._homes.get(address)) is None:
            parsed = ipaddress.ip_address(address)
            known = next((network for prefix, network in self._prefixes if parsed in prefix), "")
            self._homes[address] = known
        return known

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
    parser = argparse.ArgumentParser()
    parser.add_argument("device")
    parser.add_argument("socket")
    for end in ("--network", "--server"):
        parser.add_argument(end, action="append", default=[], type=lambda text: text.split(","))
    options = parser.parse_args()
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.bind(options.socket)
    control.listen()
    networks, servers = ({name: open_tun(namespace, options.device) for name, namespace, *_ in ends}
                         for ends in (options.network, options.server))
    forwarder = Forwarder(control, networks, servers,
                          [(ipaddress.ip_network(prefix), name) for name, _, *own in options.network for prefix in own],
                          {ipaddress.ip_address(address).packed: name
                           for name, _, *own in options.server for address in own})
    be_punctual()
    print("ready", flush=True)
    forwarder.run()


if __name__ == "__main__":
    main()
