# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and the goals it is measured against."""

from __future__ import annotations

from dataclasses import dataclass

TABLE_SIZES = (1, 1_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Scenario:
    """One row of the table: a program on the receiving veth and the queries that it gets."""

    title: str
    program: str = ""  # of kernel/reflect.bpf.c; empty: ours
    names: int = 1_000
    drawn: str = "uniform"
    form: str = "plain"
    goal: float | None = None  # of the growing reflector's rate with the same form of query

    @property
    def ours(self) -> bool:
        """Does our program run, over the tables with this many names?"""
        return not self.program

    @property
    def answers(self) -> bool:
        """Does anything come back?"""
        return self.program != "drop"


GROWING = {form: Scenario("reflector growing by 16 octets", "reflect_growing", form=form) for form in ("plain", "real")}

SCENARIOS = [
    Scenario("XDP_DROP (the generator's share)", "drop"),
    Scenario("reflector", "reflect"),
    GROWING["plain"],
    Scenario("Nearside", names=1),
    Scenario("Nearside", names=1_000, goal=0.80),
    Scenario("Nearside", names=100_000, goal=0.60),
    Scenario("Nearside", names=1_000_000, goal=0.45),
    Scenario("Nearside", names=1_000_000, drawn="zipf", goal=0.75),
    GROWING["real"],
    Scenario("Nearside", names=1, form="real"),
    Scenario("Nearside", names=1_000, form="real", goal=0.80),
    Scenario("Nearside", names=100_000, form="real", goal=0.60),
    Scenario("Nearside", names=1_000_000, form="real", goal=0.45),
    Scenario("Nearside", names=1_000_000, drawn="zipf", form="real", goal=0.75),
]

# By test run: ns that a query costs above the growing reflector at 1,000 names, and a real resolver's query above the plain one.
ABOVE_GROWING_NS = 100
REAL_ABOVE_PLAIN_NS = 20
