# SPDX-License-Identifier: BSD-2-Clause
"""Who answered: what the growth of the kernel's counters says about the queries in between."""

from __future__ import annotations

from dataclasses import dataclass, field

# Verdicts that are replies from the kernel; all others beginning with "pass" went up to the agent or past it.
ANSWERED = ("answered", "answered_nodata", "answered_truncated")
# Passed, but never a question for us: ARP, neighbour discovery, TCP, other ports.
NOT_ASKED = ("pass_not_ip", "pass_not_udp", "pass_not_listened")


@dataclass(repr=False)
class Growth:
    """By how much each counter grew in a block; complete once the block is left."""

    by_name: dict[str, int] = field(default_factory=dict)

    @property
    def kernel(self) -> int:
        """Queries that the kernel answered itself."""
        return sum(self.by_name.get(name, 0) for name in ANSWERED)

    @property
    def agent(self) -> int:
        """Queries for our address and port that the kernel passed up, for whatever reason."""
        return sum(count for name, count in self.by_name.items()
                   if name.startswith("pass_") and name not in NOT_ASKED)

    def __repr__(self) -> str:
        """Only what grew: this is what a failed test shows."""
        return f"Growth({ {name: count for name, count in self.by_name.items() if count} })"

    def __getitem__(self, name: str) -> int:
        return self.by_name.get(name, 0)
