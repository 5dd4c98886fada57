#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./dev demo`: an edge node in a box. Everything it shows is also checked; an untrue fact gives exit status 1."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from balanced import SERVERS, ZONE_HEAD, balance, check
from counting import Growth
from demo_run import Demo
from environment import missing_for_lab
from lab import CLIENT4, EDGE4, EDGE6, ZONE
from measured_lab import ADDRESSES, LINKS, NAMES, MeasuredLab
from questions import Reply
from show import Show, Untrue
from wait import TimedOut, wait_until

NAME = f"www.{ZONE}"
# Sooner than by default, so that nobody has to wait: docs/policies.md has the figures for everyday use.
CONFIG = (check("web", interval="500ms", interval_in_use="250ms", timeout="500ms", recheck="200ms")
          + '\n[latency]\nsmoothing = "2s"\npenalty_smoothing = "2s"\nevidence = 100\n'
          + SERVERS + ZONE_HEAD + balance("www", "near mid far"))


def shown_answer(show: Show, reply: Reply, rrtype: str) -> None:
    """The address in a reply, after checking that it is the near server's."""
    found = reply.rdatas(rrtype)
    show.fact(reply.status == "NOERROR" and found == [ADDRESSES["near"][rrtype == "AAAA"]] and "aa" in reply.flags,
              f"{rrtype}: {', '.join(found)}, the near server", reply.text)


def ask_kernel(show: Show, lab: MeasuredLab) -> Reply:
    """Four queries, IPv4 and IPv6; the counters must have grown by exactly four."""
    show.step("Asking by dig, over IPv4 and IPv6: the answers come from XDP, in the kernel")
    before = lab.counters()
    last = Reply("")
    asked = 0
    for server in (EDGE4, EDGE6):
        for rrtype in ("A", "AAAA"):
            show.command(f"dig @{server} {NAME} {rrtype}")
            reply = lab.dig(NAME, rrtype, server=server)
            shown_answer(show, reply, rrtype)
            asked += 1
            last = reply if rrtype == "A" else last
    after = lab.counters()
    grown = Growth({name: value - before.get(name, 0) for name, value in after.items()})
    show.command("nearside counters")
    show.line(f"answered by the kernel: {before['answered']} before, {after['answered']} after")
    show.fact(grown["answered"] == asked and grown.agent == 0,
              f"{asked} queries asked, {grown['answered']} answered by the kernel, {grown.agent} by the agent",
              f"counters grew by {dict((name, count) for name, count in grown.by_name.items() if count)}")
    return last


def ask_agent(show: Show, lab: MeasuredLab) -> None:
    """A query over TCP is none of the kernel's business: the agent answers it, with the same content."""
    show.step("Asking over TCP: the agent answers, from the same table")
    show.command(f"dig +tcp @{EDGE4} {NAME} A")
    with lab.counting() as grown:
        reply = lab.dig("+tcp", NAME, "A")
    shown_answer(show, reply, "A")
    show.fact(grown.kernel == 0, "the kernel answered none of it", f"it answered {grown.kernel}")


def ask_missing(show: Show, lab: MeasuredLab) -> None:
    """A name that is not there is passed up and refused by name, not by silence."""
    show.step("Asking for a name that does not exist: the kernel passes, the agent answers")
    show.command(f"dig @{EDGE4} nothing.{ZONE} A")
    with lab.counting() as grown:
        reply = lab.dig(f"nothing.{ZONE}", "A")
    show.fact(reply.status == "NXDOMAIN" and [record.type for record in reply.authority] == ["SOA"],
              "NXDOMAIN, with the zone's SOA", reply.text)
    show.fact(grown["pass_name"] == 1 and grown.kernel == 0, "counted as pass_name: not an installed name",
              str(grown.by_name))


def fetch(show: Show, lab: MeasuredLab, reply: Reply) -> None:
    """The server that the answer named serves the page."""
    address = reply.rdatas("A")[0]
    show.step("Fetching the page from the server that the answer named")
    show.command(f"curl --resolve {NAME}:80:{address} http://{NAME}/hello")
    page = lab.client.run("curl", "--silent", "--max-time", "5", "--resolve", f"{NAME}:80:{address}",
                          f"http://{NAME}/hello").strip()
    show.fact(page == f"{NAMES[address]} served {NAME}/hello", page, f"{page!r} from {address}")


def follow(show: Show, lab: MeasuredLab, what: str, change: Callable[[], None], server: str) -> float:
    """Makes the change and asks until the answer is `server`, never anything but servers of ours; how long it took."""
    before = lab.answer("www").servers
    with lab.counting() as grown:
        change()
        began = time.monotonic()
        asked = 0

        def moved() -> bool:
            nonlocal asked
            asked += 1
            answer = lab.answer("www").servers
            show.must(answer in (before, (server,)), f"the answer is {answer}")
            return answer == (server,)
        try:
            wait_until(f"the answer is {server}", moved, timeout=20)
        except TimedOut as late:
            raise Untrue(f"{late}; what the agent says: {lab.explained('www')}") from None
        took = time.monotonic() - began
    show.fact(True, f"the answer moved from {before[0]} to {server} {took:.1f} s after {what}")
    show.fact((grown.kernel, grown.agent) == (asked, 0),
              f"asked {asked} times meanwhile, and the kernel answered each time", str(grown))
    return took


def tell_why(show: Show, lab: MeasuredLab, server: str, rules: dict[str, str]) -> None:
    """What `explain` says of each candidate, after checking who serves and which rule removed the others."""
    show.command(f"nearside explain {NAME}")
    candidates = lab.explained("www")["candidates"]
    for name, candidate in candidates.items():
        measured = f"{candidate['expected_ms']:.0f} ms" if candidate["expected_ms"] is not None else "not measured"
        show.fact(candidate["answered"] == (name == server) and rules.get(name, candidate["rule"]) == candidate["rule"],
                  f"{name}: {'serves' if candidate['answered'] else candidate['reason']}; "
                  f"{candidate['state']}, expected {measured}", str(candidates))


def slow_and_kill(show: Show, lab: MeasuredLab) -> None:
    """The near server becomes slow, fast again, and dies: clients are told a server that works well all the while."""
    show.step("Slowing the near server: a round trip to it takes 90 ms instead of 5")
    follow(show, lab, "near was slowed", lambda: lab.wan.set("near", rtt_ms=90), "mid")
    tell_why(show, lab, "mid", {"near": "policy", "far": "policy"})

    show.step("Restoring it")
    follow(show, lab, "near was as fast as before", lab.wan.restore, "near")

    show.step("Killing the near server")
    follow(show, lab, "nginx of near was killed", lab.servers["near"].kill, "mid")
    tell_why(show, lab, "mid", {"near": "down", "far": "policy"})


def demonstrate(show: Show, lab: MeasuredLab) -> None:
    """The whole story, in the order in which an operator would live it."""
    show.line(f"client {CLIENT4}, edge {EDGE4} and {EDGE6}")
    for name, (ipv4, ipv6) in ADDRESSES.items():
        jitter = f" +- {LINKS[name].jitter_ms:.0f}" if LINKS[name].jitter_ms else ""
        show.line(f"{name:<4} {ipv4}, {ipv6}: a round trip takes {LINKS[name].rtt_ms:.0f}{jitter} ms from the edge")
    lab.start_servers()
    show.line("an nginx answers on each server")

    show.step("Starting the agent with one balanced name")
    config = lab.write_config(CONFIG)
    show.command(f"nearsided --config {config}")
    agent = lab.start_agent()
    show.line(f"nearsided runs, pid {agent.pid}; it asks each server by HTTP, over IPv4 and IPv6, and tells clients of "
              f"{NAME} the fastest")

    show.step("Attaching the XDP program to the edge's interface")
    show.command("nearside attach edge0 --mode native")
    for line in lab.attach().strip().splitlines():
        show.line(line)
    for rrtype in ("A", "AAAA"):
        lab.wait_for("www", "near", rrtype=rrtype)

    reply = ask_kernel(show, lab)
    ask_agent(show, lab)
    ask_missing(show, lab)
    fetch(show, lab, reply)
    slow_and_kill(show, lab)
    lab.restore()


def next_commands(lab: MeasuredLab) -> list[str]:
    """What to try in a lab that was left up."""
    client, edge = " ".join(lab.client.enter), " ".join(lab.edge.enter)
    return [f"{client} dig @{EDGE4} {NAME}",
            f"{edge} {' '.join(lab.nearside_command())} explain {NAME} --type A --socket {lab.directory}/control.sock",
            f"bpftool map dump pinned {lab.pinned('names_short')}"]


DEMO = Demo(
    command="./dev demo",
    description=__doc__,
    state=Path("/run/nearside-demo.json"),
    missing=missing_for_lab,
    first_step="Making a client, an edge node and three web servers, each in a network namespace",
    lab=MeasuredLab,
    tell=demonstrate,
    next_without_lab=["./dev test             every test", "less docs/quickstart.md"],
    next_in_lab=next_commands,
    places=lambda lab: {"the client": lab.client, "the edge": lab.edge})

if __name__ == "__main__":
    sys.exit(DEMO.main())
