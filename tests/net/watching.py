# SPDX-License-Identifier: BSD-2-Clause
"""Clients of ISPs who ask all the while, so that a test can tell whether any of them was ever without an answer."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from asking import Told
from full_config import TTL
from full_lab import FullLab
from full_plan import SERVER_AT
from wait import wait_until

PAUSE = 0.1  # seconds between an answer and the next question


@dataclass
class Seen:
    """What the clients of one ISP were told, in the order of time."""

    answers: list[tuple[Told, float]] = field(default_factory=list)  # and how many seconds each took

    def unanswered(self) -> list[Told]:
        """Replies without an address, and no reply at all."""
        return [told for told, _ in self.answers if told.status != "NOERROR" or not told.addresses]

    def servers(self) -> list[str]:
        """The servers, each as long as it stayed."""
        found: list[str] = []
        for told, _ in self.answers:
            name = " ".join(SERVER_AT.get(address, address) for address in told.addresses)
            if not found or found[-1] != name:
                found.append(name)
        return found

    def wait_for_fresh_answers(self) -> None:
        """Returns when answers were given that are in no cache now: those that are have run out since."""
        asked = len(self.answers)
        wait_until("clients have asked for longer than answers are kept",
                   lambda: len(self.answers) - asked >= 2 * TTL / PAUSE, timeout=60)

    def slowest(self) -> float:
        return max((took for _, took in self.answers), default=0.0)


@contextlib.contextmanager
def clients_asking(lab: FullLab, *isps: str) -> Iterator[dict[str, Seen]]:
    """A client of each of these ISPs asks its resolver for the owner's name, again and again, within the block."""
    over = threading.Event()
    seen = {isp: Seen() for isp in isps}

    def go_on(isp: str) -> None:
        while not over.is_set():
            began = time.monotonic()
            told = lab.ask(isp)
            seen[isp].answers.append((told, time.monotonic() - began))
            over.wait(PAUSE)
    threads = [threading.Thread(target=go_on, args=(isp,), daemon=True) for isp in isps]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()
