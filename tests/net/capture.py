# SPDX-License-Identifier: BSD-2-Clause
"""Listening on an interface of the client: what was really sent to the edge, before XDP could touch it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.message
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from namespaces import Namespace

ETH_P_ALL = 3


@dataclass
class Sent:
    """A DNS query as it left: the parsed message and the addresses it went between."""

    message: dns.message.Message
    source: str
    destination: str

    @property
    def qname(self) -> str:
        return self.message.question[0].name.to_text()

    @property
    def qtype(self) -> int:
        return int(self.message.question[0].rdtype)

    @property
    def options(self) -> set[int]:
        """Codes of the EDNS options."""
        return {int(option.otype) for option in self.message.options}


@contextlib.contextmanager
def captured_queries(space: Namespace, interface: str, destinations: set[str]) -> Iterator[list[Sent]]:
    """Collects the queries that leave by the interface for these addresses; the list is full when the block is left."""
    sent: list[Sent] = []
    with space.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind((interface, ETH_P_ALL))
        yield sent
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = Ether(sock.recv(65535))
                if UDP in frame and frame[UDP].dport == 53 and frame[1].dst in destinations:
                    with contextlib.suppress(dns.exception.DNSException):
                        message = dns.message.from_wire(bytes(frame[UDP].payload))
                        sent.append(Sent(message, frame[1].src, frame[1].dst))
