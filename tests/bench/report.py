# SPDX-License-Identifier: BSD-2-Clause
"""From the figures of all rounds to a table in Markdown and the verdict on each goal."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from scenarios import ABOVE_GROWING_NS, GROWING, REAL_ABOVE_PLAIN_NS, SCENARIOS, Scenario

BUSY = 0.8


@dataclass
class Figures:
    """What the rounds gave; lists have one element a round."""

    rate: dict[Scenario, list[float]] = field(default_factory=dict)  # answers a second
    ns: dict[Scenario, list[float]] = field(default_factory=dict)    # by test run, without the wrapper
    servers: dict[str, list[float]] = field(default_factory=dict)
    load: float = 0.0                                                # the machine's, before the first round

    def ratios(self, scenario: Scenario) -> list[float]:
        """To the growing reflector in the same round, with the same form of query."""
        return [ours / theirs for ours, theirs in zip(self.rate[scenario], self.rate[GROWING[scenario.form]], strict=True)]


def spread(values: list[float], scale: float = 1.0, digits: int = 2) -> str:
    """Median (least-greatest)."""
    shown = [f"{value / scale:.{digits}f}" for value in (median(values), min(values), max(values))]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def met(good: bool) -> str:
    """A goal's verdict in words."""
    return "met" if good else "**fell short**"


def row(figures: Figures, scenario: Scenario) -> str:
    """One line of the table."""
    asked = "EDNS, DO, COOKIE, mixed case" if scenario.form == "real" else "A"
    names = f"{scenario.names:,} {'by Zipf' if scenario.drawn == 'zipf' else ''}".strip() if scenario.ours else "-"
    ratio = spread([100 * r for r in figures.ratios(scenario)], digits=0) + " %" if scenario.answers else "-"
    ns = spread(figures.ns[scenario], digits=0) if scenario in figures.ns else "-"
    goal = "-"
    if scenario.goal is not None:
        goal = f"{scenario.goal:.0%}: {met(median(figures.ratios(scenario)) >= scenario.goal)}".replace("%", " %")
    return f"| {scenario.title} | {names} | {asked} | {spread(figures.rate[scenario], 1e6)} | {ratio} | {goal} | {ns} |"


def server_row(figures: Figures, which: str, names: int) -> str:
    """One line for a server behind a socket."""
    growing = median(figures.rate[GROWING["plain"]])
    rates = figures.servers[which]
    ratio = 100 * median(rates) / growing
    return f"| {which}, one worker | {names:,} | A | {spread(rates, 1e6, 3)} | {ratio:.1f} % | - | - |"


def find(names: int, form: str, drawn: str = "uniform") -> Scenario:
    """Our scenario of this kind."""
    return next(s for s in SCENARIOS if s.ours and (s.names, s.form, s.drawn) == (names, form, drawn))


def differences(figures: Figures) -> list[str]:
    """The goals that are told in ns."""
    lines = []
    plain = figures.ns[find(1_000, "plain")]
    above = [ours - theirs for ours, theirs in zip(plain, figures.ns[GROWING["plain"]], strict=True)]
    lines.append(f"- A query at 1,000 names takes {spread(above, digits=0)} ns more than the growing reflector by test run; "
                 f"goal: at most {ABOVE_GROWING_NS}: {met(median(above) <= ABOVE_GROWING_NS)}.")
    rates = zip(figures.rate[find(1_000, "plain")], figures.rate[GROWING["plain"]], strict=True)
    over_veth = [1e9 / ours - 1e9 / theirs for ours, theirs in rates]
    lines.append(f"- The same over the veth: {spread(over_veth, digits=0)} ns more: "
                 f"{met(median(over_veth) <= ABOVE_GROWING_NS)}.")
    for names in (1, 1_000):
        pairs = zip(figures.ns[find(names, "real")], figures.ns[find(names, "plain")], strict=True)
        more = [real - simple for real, simple in pairs]
        lines.append(f"- A real resolver's query takes {spread(more, digits=0)} ns more than the plain one at {names:,} "
                     f"name{'s' if names > 1 else ''}; goal: at most {REAL_ABOVE_PLAIN_NS}: "
                     f"{met(median(more) <= REAL_ABOVE_PLAIN_NS)}.")
    return lines


def markdown(figures: Figures, command: str, machine: str, server_names: int) -> str:
    """The whole report."""
    lines = [
        "| | names | query | M answers/s: median (min-max) | of the growing reflector | goal | ns a query by test run |",
        "|---|---|---|---|---|---|---|",
        *[row(figures, scenario) for scenario in SCENARIOS],
        *[server_row(figures, which, server_names) for which in figures.servers],
        "",
        *differences(figures),
        "",
        f"`{command}`; {len(figures.rate[SCENARIOS[0]])} interleaved rounds; {machine}.",
    ]
    if figures.load > BUSY:
        lines.append(f"**The machine was in use** (load {figures.load:.1f} at the start): only for comparison.")
    return "\n".join(lines) + "\n"
