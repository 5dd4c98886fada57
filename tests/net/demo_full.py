#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./dev demo full`: two backbone nodes, four ISPs with an edge and a resolver each, six servers. Everything it shows is
also checked; an untrue fact gives exit status 1."""

from __future__ import annotations

import sys
from pathlib import Path

from demo_run import Demo
from full_lab import ALL_ISPS, FullLab, timed
from full_plan import BACKBONES, ISPS, RTT, SERVERS, WWW, ZONE, ranked
from full_stage import missing_for_full_lab
from full_table import MAKES, Line, as_text, look
from show import Show, Untrue
from wait import TimedOut
from watching import clients_asking

SLOWED, KILLED = "isp1", "isp3"


def show_table(show: Show, lab: FullLab) -> list[Line]:
    lines = look(lab)
    for text in as_text(lines):
        show.line(text)
    return lines


def introduce(show: Show) -> None:
    """Who there is."""
    show.line(f"root and com on Knot, {WWW.split('.', 1)[1]} on BIND, which delegates {ZONE} to "
              f"{' and '.join(node.ns for node in BACKBONES.values())}")
    show.line(f"and says that {WWW} is www.{ZONE}")
    for isp in ISPS.values():
        far = ", ".join(f"{server} {RTT[isp.name][server]}" for server in SERVERS)
        show.line(f"{isp.name}: {MAKES[isp.make]} with {len(isp.egresses[0])} egress address"
                  f"{'es' if len(isp.egresses[0]) > 1 else ''}, edge {isp.edge_name}; round trips in ms: {far}")


def bring_up(show: Show, lab: FullLab) -> None:
    lab.bring_up()
    show.line(f"{len(lab.namespaces)} namespaces, {len(lab.processes)} processes")
    show.step("Waiting until the edges have found their resolvers, proved them, measured, and told both backbone nodes")
    try:
        show.fact(True, f"settled after {lab.wait_settled():.1f} s")
    except TimedOut as late:
        raise Untrue(f"{late}\n" + "\n".join(as_text(look(lab)))) from None


def who_gets_what(show: Show, lab: FullLab) -> None:
    show.step("Who gets what, and why")
    show.command("nearside mappings; nearside servers; dig www.example.com")
    for line in show_table(show, lab):
        rows = {edges for by_node in line.rows.values() for edges in by_node.values()}
        show.fact(rows == {line.isp.edge_id} and set(line.told) == {line.isp.best},
                  f"clients of {line.isp.name} are told {line.isp.best}: {line.isp.edge_id} is the edge beside their resolver "
                  f"at both backbone nodes, and {line.isp.best} is the nearest from there", str(line))


def slow_a_server(show: Show, lab: FullLab) -> None:
    best, second = ranked(SLOWED)[:2]
    show.step(f"Slowing {best}, seen from {SLOWED} only: a round trip takes 150 ms instead of {RTT[SLOWED][best]}")
    lab.slow(best, SLOWED)
    took = lab.wait_for_server(SLOWED, second)
    lab.wait_for_server(SLOWED, second, "AAAA")
    show.fact(True, f"clients of {SLOWED} are told {second} after {took:.1f} s")
    for line in show_table(show, lab):
        wanted = second if line.isp.name == SLOWED else line.isp.best
        show.must(set(line.told) == {wanted}, f"{line.isp.name} is told {line.told}, not {wanted}")
    show.fact(True, "all others are told what they were told before")
    lab.distances.restore()
    show.fact(True, f"restored: {best} again after {lab.wait_for_server(SLOWED, best):.1f} s")


def kill_an_edge(show: Show, lab: FullLab) -> None:
    isp = ISPS[KILLED]
    show.step(f"Killing the agent of {isp.edge_id}, the edge of {isp.name}, while clients of every ISP ask")
    with clients_asking(lab, *ALL_ISPS) as seen:
        lab.kill(isp.edge_id)
        took = timed(f"{isp.edge_id} is in no referral", lambda: not any(
            isp.edge_name in lab.referral(name, isp.name).ns for name in BACKBONES), timeout=10)
        show.fact(True, f"both backbone nodes refer nobody to it after {took:.1f} s")
        timed(f"{isp.edge_id} answers nobody: its kernel side has no lease any more",
              lambda: lab.at_edge(isp.edge_id).status == "timeout", timeout=10)
        seen[isp.name].wait_for_fresh_answers()
        lines = show_table(show, lab)
    for name, one in seen.items():
        show.fact(not one.unanswered(),
                  f"{name}: {len(one.answers)} answers, the slowest after {one.slowest():.1f} s, {', '.join(one.servers())}",
                  str(one.unanswered()[:2]))
    show.must(all(line.told for line in lines), str(lines))
    lab.restore()
    show.fact(True, f"started again: clients of {isp.name} are told {isp.best}")


def tell(show: Show, lab: FullLab) -> None:
    """The whole story."""
    introduce(show)
    bring_up(show, lab)
    who_gets_what(show, lab)
    slow_a_server(show, lab)
    kill_an_edge(show, lab)


def next_commands(lab: FullLab) -> list[str]:
    """What to try in a lab that was left up."""
    b1 = lab.nodes["b1"]
    enter, client = " ".join(b1.space.enter), " ".join(lab.spaces["isp1"].enter)
    nearside = " ".join(b1.command())
    return [f"{client} dig @{ISPS['isp1'].resolver[0]} {WWW}",
            f"{enter} {nearside} mappings --socket {b1.socket}",
            f"{enter} {nearside} edges --socket {b1.socket}",
            f"{enter} {nearside} explain www.{ZONE} --resolver {ISPS['isp2'].resolver[0]} --socket {b1.socket}"]


DEMO = Demo(
    command="./dev demo full",
    description=__doc__,
    state=Path("/run/nearside-demo-full.json"),
    missing=missing_for_full_lab,
    first_step="Making an Internet in network namespaces",
    lab=FullLab,
    tell=tell,
    next_without_lab=[],
    next_in_lab=next_commands,
    places=lambda lab: {"a client of isp1": lab.spaces["isp1"], "backbone node b1": lab.nodes["b1"].space})

if __name__ == "__main__":
    sys.exit(DEMO.main())
