#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./dev demo`: an edge node in a box. Everything it shows is also checked; an untrue fact gives exit status 1."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from counting import Growth
from environment import missing_for_lab
from lab import CLIENT4, EDGE4, EDGE6, SERVER1, SERVER2, ZONE, Lab, remove_pins
from namespaces import run
from questions import Reply
from wait import wait_until
from zones import plain_zone

STATE = Path("/run/nearside-demo.json")
NAME = f"www.{ZONE}"
SERVERS = {SERVER1[0]: "server1", SERVER2[0]: "server2", SERVER1[1]: "server1", SERVER2[1]: "server2"}


class Untrue(Exception):
    """Something that the demo was about to show is not so."""


class Show:
    """Numbered steps, and the facts below them, each with a tick."""

    def __init__(self) -> None:
        self._number = 0
        self._began = time.monotonic()
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._bold, self._green, self._dim, self._plain = (
            ("\033[1m", "\033[32m", "\033[2m", "\033[0m") if colours else ("", "", "", ""))

    def step(self, text: str) -> None:
        self._number += 1
        print(f"\n{self._bold}{self._number}. {text}{self._plain}", flush=True)

    def line(self, text: str) -> None:
        print(f"   {text}", flush=True)

    def command(self, text: str) -> None:
        print(f"   {self._dim}${self._plain} {text}", flush=True)

    def fact(self, true: bool, text: str, instead: str = "") -> None:
        """Shows the fact, or ends the demo with what was found in its place."""
        if not true:
            raise Untrue(f"not so: {text}" + (f"; instead: {instead}" if instead else ""))
        print(f"   {self._green}✓{self._plain} {text}", flush=True)

    def end(self) -> None:
        print(f"\nAll of it true, in {time.monotonic() - self._began:.1f} s.", flush=True)


def shown_answer(show: Show, reply: Reply, rrtype: str) -> None:
    """The records of a reply, after checking that they are our servers' addresses."""
    found = reply.rdatas(rrtype)
    expected = {server[rrtype == "AAAA"] for server in (SERVER1, SERVER2)}
    show.fact(reply.status == "NOERROR" and set(found) == expected and "aa" in reply.flags,
              f"{rrtype}: {', '.join(found)}", reply.text)


def ask_kernel(show: Show, lab: Lab) -> Reply:
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


def ask_agent(show: Show, lab: Lab) -> None:
    """A query over TCP is none of the kernel's business: the agent answers it, with the same content."""
    show.step("Asking over TCP: the agent answers, from the same table")
    show.command(f"dig +tcp @{EDGE4} {NAME} A")
    with lab.counting() as grown:
        reply = lab.dig("+tcp", NAME, "A")
    shown_answer(show, reply, "A")
    show.fact(grown.kernel == 0, "the kernel answered none of it", f"it answered {grown.kernel}")


def ask_missing(show: Show, lab: Lab) -> None:
    """A name that is not there is passed up and refused by name, not by silence."""
    show.step("Asking for a name that does not exist: the kernel passes, the agent answers")
    show.command(f"dig @{EDGE4} nothing.{ZONE} A")
    with lab.counting() as grown:
        reply = lab.dig(f"nothing.{ZONE}", "A")
    show.fact(reply.status == "NXDOMAIN" and [record.type for record in reply.authority] == ["SOA"],
              "NXDOMAIN, with the zone's SOA", reply.text)
    show.fact(grown["pass_name"] == 1 and grown.kernel == 0, "counted as pass_name: not an installed name",
              str(grown.by_name))


def fetch(show: Show, lab: Lab, reply: Reply) -> None:
    """The server that stands first in the answer serves the page."""
    address = reply.rdatas("A")[0]
    show.step("Fetching the page from the server that the answer named first")
    show.command(f"curl --resolve {NAME}:80:{address} http://{NAME}/hello")
    page = lab.client.run("curl", "--silent", "--max-time", "5", "--resolve", f"{NAME}:80:{address}",
                          f"http://{NAME}/hello").strip()
    show.fact(page == f"{SERVERS[address]} served {NAME}/hello", page, f"{page!r} from {address}")


def demonstrate(show: Show, lab: Lab) -> None:
    """The whole story, in the order in which an operator would live it."""
    show.line(f"client {CLIENT4}, edge {EDGE4} and {EDGE6}, server1 {SERVER1[0]}, server2 {SERVER2[0]}")
    lab.start_servers()
    show.line("an nginx answers on each server")

    show.step("Starting the agent with one balanced name")
    config = lab.write_config(plain_zone(*SERVER1, *SERVER2))
    show.command(f"nearsided --config {config}")
    agent = lab.start_agent()
    show.line(f"nearsided runs, pid {agent.pid}; {NAME} is balanced over both servers, IPv4 and IPv6")

    show.step("Attaching the XDP program to the edge's interface")
    show.command("nearside attach edge0 --mode native")
    for line in lab.attach().strip().splitlines():
        show.line(line)

    reply = ask_kernel(show, lab)
    ask_agent(show, lab)
    ask_missing(show, lab)
    fetch(show, lab, reply)


def next_commands(lab: Lab, keep: bool) -> None:
    """What to try next."""
    if not keep:
        print("\nTry next:\n"
              "   ./dev demo --keep      the same, left up for you to look around in\n"
              "   ./dev test             every test\n"
              "   less docs/quickstart.md")
        return
    client, edge = " ".join(lab.client.enter), " ".join(lab.edge.enter)
    nearside = " ".join(lab.nearside_command())
    print(f"\nThe lab is up. Try next:\n"
          f"   {client} dig @{EDGE4} {NAME}\n"
          f"   {edge} {nearside} explain {NAME} --type A\n"
          f"   bpftool map dump pinned {lab.pinned('names_short')}\n"
          f"\nEnter the client with   {client} bash\n"
          f"the edge with           {edge} bash\n"
          f"Logs and configuration are in {lab.directory}\n"
          f"Remove it with          ./dev demo --remove")


def remember(lab: Lab) -> None:
    """Writes down what `--remove` has to remove."""
    STATE.write_text(json.dumps({
        "namespaces": [space.name for space in lab.namespaces], "pins": str(lab.pins), "directory": str(lab.directory),
        "pids": {process.pid: process.name for process in lab.processes}}))


def remove_kept() -> None:
    """Ends what a demo with --keep left: its processes by pid, those only that are still in its namespaces."""
    if not STATE.exists():
        print("There is no demo to remove.")
        return
    kept = json.loads(STATE.read_text())
    inodes = set()
    for name in kept["namespaces"]:
        with contextlib.suppress(FileNotFoundError):
            inodes.add((Path("/run/netns") / name).stat().st_ino)

    def ours(pid: str) -> bool:
        try:
            return Path(f"/proc/{pid}/ns/net").stat().st_ino in inodes
        except (FileNotFoundError, ProcessLookupError):
            return False
    for pid in filter(ours, kept["pids"]):
        os.kill(int(pid), signal.SIGTERM)
    wait_until("the demo's processes have ended", lambda: not any(map(ours, kept["pids"])), timeout=10)
    remove_pins(Path(kept["pins"]))
    for name in kept["namespaces"]:
        run("ip", "netns", "delete", name, check=False)
    shutil.rmtree(kept["directory"], ignore_errors=True)
    STATE.unlink()
    print("The demo is removed: processes, namespaces, pinned maps and files.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the lab up and say how to enter it")
    parser.add_argument("--remove", action="store_true", help="remove what --keep left")
    options = parser.parse_args()
    if options.remove:
        remove_kept()
        return 0
    if missing := missing_for_lab():
        print(f"demo: {missing}", file=sys.stderr)
        return 1
    if options.keep and STATE.exists():
        print("demo: one is up already; remove it first with ./dev demo --remove", file=sys.stderr)
        return 1
    show = Show()
    show.step("Making a client, an edge node and two web servers, each in a network namespace")
    try:
        with Lab(keep=options.keep) as lab:
            try:
                demonstrate(show, lab)
            except BaseException:
                lab.keep = False
                raise
            show.end()
            if options.keep:
                remember(lab)
            next_commands(lab, options.keep)
    except (Untrue, RuntimeError, AssertionError) as problem:
        print(f"\n   ✗ {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything is removed.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
