# SPDX-License-Identifier: BSD-2-Clause
"""Asking as users do, by dig and kdig, and reading what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from namespaces import Namespace


@dataclass
class Record:
    """One line of a section, as printed: RDATA keeps its spaces single."""

    owner: str
    ttl: int
    type: str
    rdata: str


@dataclass
class Reply:
    """What dig or kdig printed of one reply; `status` is empty when none came."""

    text: str
    status: str = ""
    flags: set[str] = field(default_factory=set)
    answer: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)

    def rdatas(self, rrtype: str) -> list[str]:
        """The RDATA of the records of a type in ANSWER, in the order of the reply."""
        return [record.rdata for record in self.answer if record.type == rrtype]


_RECORD = re.compile(r"^(\S+)\s+(\d+)\s+(?:IN|CH)\s+(\S+)\s+(.*)$")


def read_reply(text: str) -> Reply:
    """Reads the output of dig or of kdig, which differ only in punctuation and case."""
    reply = Reply(text)
    if found := re.search(r"status: (\w+)", text):
        reply.status = found[1]
    if found := re.search(r"^;; flags: ([a-z ]*);", text, re.IGNORECASE | re.MULTILINE):
        reply.flags = set(found[1].split())
    section: list[Record] | None = None
    for line in text.splitlines():
        if found := re.match(r";; (ANSWER|AUTHORITY|ADDITIONAL) SECTION", line):
            section = getattr(reply, found[1].lower())
        elif line.startswith(";") or not line.strip():
            continue
        elif section is not None and (found := _RECORD.match(line)):
            section.append(Record(found[1], int(found[2]), found[3], " ".join(found[4].split())))
    return reply


def dig(space: Namespace, *arguments: str) -> Reply:
    """dig with one try, so that a lost reply shows; it never falls back to TCP unless asked to."""
    return read_reply(space.attempt("dig", "-r", "+tries=1", "+time=2", "+ignore", *arguments).stdout)


def kdig(space: Namespace, *arguments: str) -> Reply:
    """kdig in the same manner."""
    return read_reply(space.attempt("kdig", "+retry=0", "+time=2", "+ignore", *arguments).stdout)
