# SPDX-License-Identifier: BSD-2-Clause
"""A steady stream of queries from the client's namespace, and an account of every reply: none lost, none wrong."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter

import dns.message

from lab import Lab
from wait import wait_until

# Lets root exceed the system's limit; the socket module does not name it.
SO_RCVBUFFORCE = 33
# Seconds after the last query in which a late reply still counts.
OVERDUE = 2.0


class Load:
    """Asks one A question again and again, `rate` times a second, within a `with` block. IDs are used once each."""

    def __init__(self, lab: Lab, server: str, name: str, rate: int = 1000) -> None:
        self._question = dns.message.make_query(name, "A", use_edns=0, want_dnssec=True).to_wire()[2:]
        self._rate = rate
        self._sock = lab.client.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self._sock.connect((server, 53))
        self._sock.settimeout(0.05)
        self._stopping = threading.Event()
        self._stopped_at = 0.0
        self._threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        self._replies: list[tuple[int, bytes]] = []
        self._sent = 0

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the stream and waits until every query is answered or its reply is overdue."""
        self._stopping.set()
        self._threads[0].join()
        self._stopped_at = time.monotonic()
        self._threads[1].join()
        self._sock.close()

    def _send(self) -> None:
        began = time.monotonic()
        while not self._stopping.is_set() and self._sent < 0xffff:
            due = min(0xffff, int((time.monotonic() - began) * self._rate))
            while self._sent < due:
                try:
                    self._sock.send(struct.pack("!H", self._sent) + self._question)
                except ConnectionRefusedError:
                    # The error belongs to an earlier query, which then counts as lost; this one was not sent.
                    continue
                self._sent += 1
            time.sleep(0.001)

    def _receive(self) -> None:
        while True:
            try:
                reply = self._sock.recv(4096)
                self._replies.append((int.from_bytes(reply[:2], "big"), reply))
            except ConnectionRefusedError:
                continue
            except TimeoutError:
                complete = len(self._replies) >= self._sent
                if self._stopped_at and (complete or time.monotonic() > self._stopped_at + OVERDUE):
                    return

    @property
    def sent(self) -> int:
        return self._sent

    def wait_for(self, queries: int) -> None:
        """Returns when this many more queries have been sent."""
        goal = self._sent + queries
        timeout = 30 + 3 * queries / self._rate
        wait_until(f"{queries} more queries are sent", lambda: self._sent >= goal, timeout)

    def wait_for_answer(self, addresses: tuple[str, ...]) -> None:
        """Returns when the reply that came last has exactly these addresses."""
        def came() -> bool:
            return bool(self._replies) and _addresses(self._replies[-1][1]) == tuple(sorted(addresses))
        wait_until(f"the answers are {addresses}", came, timeout=10, pause=0.005)

    def lost(self) -> int:
        """Queries without a reply; one answered twice is a mistake as well."""
        seen = Counter(number for number, _ in self._replies)
        assert not seen or max(seen.values()) == 1, "a query was answered twice"
        return self._sent - len(seen)

    def answers(self) -> list[tuple[str, ...]]:
        """The sorted addresses of each reply, in the order of arrival; the RCODE where there are none."""
        parsed: dict[bytes, tuple[str, ...]] = {}
        result = []
        for _, wire in self._replies:
            body = wire[2:]
            if body not in parsed:
                parsed[body] = _addresses(wire)
            result.append(parsed[body])
        return result


def _addresses(wire: bytes) -> tuple[str, ...]:
    message = dns.message.from_wire(wire)
    addresses = [rdata.address for rrset in message.answer for rdata in rrset]
    return tuple(sorted(addresses)) if addresses else (f"rcode {message.rcode()}",)
