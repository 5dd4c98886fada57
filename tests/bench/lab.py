# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's lab: a veth between two namespaces, and the hands (nearside_bench) that send into it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

SENDER, RECEIVER = "bench0", "bench1"
SENDER_MAC, RECEIVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
CLIENT, SERVER = "192.0.2.1", "192.0.2.53"


def run(*command: str) -> str:
    """Runs a command to its end and returns what it printed; the error quotes its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


class Lab:
    """Two namespaces of our own with the veth; removed at the end of the `with` block."""

    def __init__(self) -> None:
        self.sending = f"ns-bench-{os.getpid()}-send"
        self.receiving = f"ns-bench-{os.getpid()}-recv"

    def enter(self, namespace: str) -> list[str]:
        """What to put before a command: only the network changes, bpffs stays in sight."""
        return ["nsenter", f"--net=/run/netns/{namespace}"]

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        for namespace in (self.sending, self.receiving):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.sending, "link", "add", SENDER, "numrxqueues", "2", "numtxqueues", "2", "type", "veth",
            "peer", "name", RECEIVER, "numrxqueues", "2", "numtxqueues", "2", "netns", self.receiving)
        for namespace, interface, mac in ((self.sending, SENDER, SENDER_MAC), (self.receiving, RECEIVER, RECEIVER_MAC)):
            run("ip", "-n", namespace, "link", "set", interface, "address", mac, "up")
            # Replies of the servers' own stack leave with finished checksums, so that they can be checked.
            run(*self.enter(namespace), "ethtool", "-K", interface, "tx", "off")
        run("ip", "-n", self.receiving, "addr", "add", f"{SERVER}/24", "dev", RECEIVER)
        run("ip", "-n", self.receiving, "neigh", "replace", CLIENT, "lladdr", SENDER_MAC, "dev", RECEIVER, "nud", "permanent")

    def __exit__(self, *_: object) -> None:
        for namespace in (self.sending, self.receiving):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


class Hands:
    """nearside_bench at work in the lab: one command a line, one JSON object back."""

    def __init__(self, lab: Lab, program: Path, core: int) -> None:
        self._process = subprocess.Popen(
            [*lab.enter(lab.sending), str(program), "--sender", SENDER, "--receiver", RECEIVER,
             "--receiver-mac", RECEIVER_MAC, "--receiver-namespace", f"/run/netns/{lab.receiving}", "--core", str(core)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, *words: object) -> dict:
        """Gives one command and returns the answer; an error of the command is raised."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"nearside_bench ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{' '.join(map(str, words))}: {answer['error']}")
        return answer

    def close(self) -> None:
        """Ends the program."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
