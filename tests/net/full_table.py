# SPDX-License-Identifier: BSD-2-Clause
"""Who gets what in the full lab, and why, as a table: for `./dev demo full`."""

from __future__ import annotations

from dataclasses import dataclass

from full_lab import FullLab, edges_of
from full_plan import BACKBONES, ISPS, SERVER_AT, Isp

MAKES = {"unbound": "Unbound", "bind": "BIND", "kresd": "Knot Resolver", "pdns": "PowerDNS Rec."}
# Of what an edge has measured, the best so many are shown.
SHOWN = 3
DEAD = "-"


@dataclass(frozen=True)
class Line:
    """One ISP."""

    isp: Isp
    rows: dict[str, dict[str, str]]      # by prefix, by backbone node: the edges of the row
    referred: dict[str, str]             # by backbone node: the NS names that the resolver is referred to
    measured: list[tuple[str, float]]    # servers and ms at the edge, the nearest first; empty: it is not there
    told: tuple[str, ...]                # servers in the answer to a client, A then AAAA


def look(lab: FullLab) -> list[Line]:
    """Asks everybody once. A backbone node that is not there has no rows."""
    alive = [name for name in BACKBONES if lab.nodes[name].agent.running]  # type: ignore[union-attr]
    tables = {name: lab.mappings(name) for name in alive}
    lines = []
    for isp in ISPS.values():
        referrals = {name: lab.referral(name, isp.name) for name in alive}
        running = lab.nodes[isp.edge_id].agent.running  # type: ignore[union-attr]
        measured = lab.measured(isp.edge_id) if running else {}
        lines.append(Line(
            isp, {row: {name: ", ".join(edges_of(table.get(row, []))) or DEAD for name, table in tables.items()}
                  for row in isp.rows},
            {name: ", ".join(ns.split(".")[0] for ns in told.ns) or DEAD for name, told in referrals.items()},
            sorted(((server, rtt) for server, rtt in measured.items() if rtt is not None), key=lambda one: one[1]),
            tuple(SERVER_AT.get(address, address) for rrtype in ("A", "AAAA")
                  for address in lab.ask(isp.name, rrtype=rrtype).addresses)))
    return lines


def as_text(lines: list[Line]) -> list[str]:
    """The table, ready to be printed."""
    cells = [("ISP", "RESOLVER", "EGRESSES", *(f"ROW AT {name}" for name in BACKBONES), "REFERRED TO", "MEASURED THERE, ms",
              "CLIENTS ARE TOLD")]
    for line in lines:
        for number, (egresses, rows) in enumerate(_grouped(line.rows).items()):
            first = number == 0
            cells.append((
                line.isp.name if first else "", MAKES[line.isp.make] if first else "", egresses,
                *(rows.get(name, DEAD) for name in BACKBONES),
                " / ".join(dict.fromkeys(line.referred.values())) if first else "",
                _measured(line) if first else "", " and ".join(dict.fromkeys(line.told)) or "nothing" if first else ""))
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]


def _measured(line: Line) -> str:
    if not line.measured:
        return f"{line.isp.edge_id} is not there"
    return ", ".join(f"{server} {rtt:.0f}" for server, rtt in line.measured[:SHOWN])


def _grouped(rows: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Rows of hosts of IPv4 that have the same edges stand in one line, as a range."""
    groups: list[tuple[list[str], dict[str, str]]] = []
    for prefix, edges in rows.items():
        if groups and "." in prefix and "." in groups[-1][0][0] and groups[-1][1] == edges:
            groups[-1][0].append(prefix)
        else:
            groups.append(([prefix], edges))
    return {_range(prefixes): edges for prefixes, edges in groups}


def _range(prefixes: list[str]) -> str:
    first, last = (prefix.removesuffix("/32") for prefix in (prefixes[0], prefixes[-1]))
    return first if first == last else f"{first} to .{last.rsplit('.', 1)[1]}"
