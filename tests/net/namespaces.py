# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces and the veth pairs between them, made for one lab and removed with it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from process import Process

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str, check: bool = True, timeout: float = 30.0, stdin: str | None = None) -> str:
    """Runs a command to its end and returns what it printed; the error names the command and quotes its output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def _set_namespace(handle: int) -> None:
    """Moves the calling thread, and only it, into another network namespace."""
    if _libc.setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(path: Path) -> Iterator[None]:
    """The calling thread is in the namespace at that path within the block; sockets made there stay there."""
    with open("/proc/thread-self/ns/net", "rb") as home, path.open("rb") as here:
        _set_namespace(here.fileno())
        try:
            yield
        finally:
            _set_namespace(home.fileno())


class Namespace:
    """One network namespace. Programs enter only the network part, so that they see the host's bpffs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path("/run/netns") / name
        run("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        # Addresses of the lab are usable at once: nobody else is there to claim them.
        for scope in ("all", "default"):
            self.set_option(f"net/ipv6/conf/{scope}/accept_dad", "0")
            self.set_option(f"net/ipv6/conf/{scope}/router_solicitations", "0")
            self.set_option(f"net/ipv4/conf/{scope}/rp_filter", "0")

    @property
    def enter(self) -> list[str]:
        """What to put before a command so that it runs in this namespace."""
        return ["nsenter", f"--net={self.path}"]

    def run(self, *command: str, check: bool = True, timeout: float = 30.0, stdin: str | None = None) -> str:
        """Runs a command inside to its end and returns what it printed."""
        return run(*self.enter, *command, check=check, timeout=timeout, stdin=stdin)

    def ip(self, *commands: str) -> None:
        """Runs commands of ip(8) inside, all in one process: a lab has hundreds. The first that fails ends it."""
        self.run("ip", "-batch", "-", stdin="\n".join(commands) + "\n")

    def attempt(self, *command: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Runs a command inside whose failure is of interest: exit status and both outputs."""
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, name: str, command: list[str], log: Path, outlive: bool = False) -> Process:
        """Starts a process inside; nsenter replaces itself by it, so the pid is the process's own."""
        return Process(name, [*self.enter, *command], log, outlive)

    def set_option(self, option: str, value: str) -> None:
        """Writes /proc/sys/OPTION of this namespace."""
        with self.inside():
            Path("/proc/sys", option).write_text(value)

    def inside(self) -> contextlib.AbstractContextManager[None]:
        """The calling thread is in this namespace within the block."""
        return inside(self.path)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket of this namespace, for the test's own process."""
        with self.inside():
            return socket.socket(family, kind, protocol)

    def remove(self) -> None:
        """Removes the namespace with its interfaces; processes must have ended before."""
        run("ip", "netns", "delete", self.name, check=False)


def connect(left: Namespace, left_interface: str, right: Namespace, right_interface: str) -> None:
    """A veth pair between two namespaces, fit for native XDP: two queues, nothing left to a NIC that is not there."""
    # Made under a name of this process's own, so that labs cannot collide; each end gets its name inside.
    stem = f"v{os.getpid() % 10_000_000}"
    run("ip", "link", "add", f"{stem}a", "netns", left.name, "numrxqueues", "2", "numtxqueues", "2",
        "type", "veth", "peer", "name", f"{stem}b", "netns", right.name, "numrxqueues", "2", "numtxqueues", "2")
    for space, made, wanted in ((left, f"{stem}a", left_interface), (right, f"{stem}b", right_interface)):
        space.run("ip", "link", "set", "dev", made, "name", wanted)
        # A checksum left to the NIC would never be finished; an offloaded VLAN tag would be invisible to XDP.
        space.run("ethtool", "-K", wanted, "tx", "off", "rxvlan", "off", "txvlan", "off")
        space.run("ip", "link", "set", "dev", wanted, "up")


def add_address(space: Namespace, interface: str, *addresses: str) -> None:
    """Adds addresses written with their prefix length; those of IPv6 without duplicate address detection."""
    for address in addresses:
        space.run("ip", "address", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
