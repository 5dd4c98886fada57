# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces and the veth pairs between them, made for one lab and removed with it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from process import Process

CLONE_NEWNET = 0x40000000
SIOCETHTOOL, ETHTOOL_STXCSUM, ETHTOOL_SFLAGS = 0x8946, 0x17, 0x26
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
        self.ip("link set lo up")
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
        with self.inside():  # nsenter would be a second program to load
            run("ip", "-batch", "-", stdin="\n".join(commands) + "\n")

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
    left.ip(veth(left_interface, right, right_interface), f"link set dev {left_interface} up")
    right.ip(f"link set dev {right_interface} up")
    for space, interface in ((left, left_interface), (right, right_interface)):
        leave_nothing_to_nic(space, interface)


def veth(interface: str, other: Namespace, other_interface: str) -> str:
    """The command of ip(8) that makes a pair, given to the namespace of one end."""
    queues = "numrxqueues 2 numtxqueues 2"
    return (f"link add {interface} {queues} type veth"
            f" peer name {other_interface} {queues} netns {other.name}")


def leave_nothing_to_nic(space: Namespace, interface: str) -> None:
    """A checksum left to the NIC would never be finished; an offloaded VLAN tag would be invisible to XDP.

    `ethtool -K INTERFACE tx off rxvlan off txvlan off` by the ioctl that it was before it knew features by name.
    """
    with space.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (ETHTOOL_STXCSUM, ETHTOOL_SFLAGS):
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), ctypes.addressof(value)))


def add_address(space: Namespace, interface: str, *addresses: str) -> None:
    """Adds addresses written with their prefix length; those of IPv6 without duplicate address detection."""
    for address in addresses:
        space.run("ip", "address", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
