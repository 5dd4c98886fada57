# SPDX-License-Identifier: BSD-2-Clause
"""nearsided alone in a network namespace with only a loopback: no program attached, its sockets get all queries."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import dns.message

from environment import BPFFS, build_directory, mount_bpffs
from namespaces import Namespace
from process import Process
from wait import wait_until

ZONE = "lb.example.com"
_numbers = itertools.count(1)


def missing_for_agent() -> str:
    """Why the agent cannot run here, as one sentence; empty: it can."""
    if os.geteuid() != 0:
        return "nearsided needs root here: it makes BPF maps"
    if not (build_directory() / "agent" / "nearsided").exists():
        return f"{build_directory() / 'agent' / 'nearsided'} is not there: build first (./dev build)"
    return ""


def query(name: str, rrtype: str = "A", number: int = 1) -> bytes:
    """A query on the wire; `number` is its ID."""
    message = dns.message.make_query(name, rrtype)
    message.id = number
    return message.to_wire()


def framed(*messages: bytes) -> bytes:
    """Messages as they go over TCP."""
    return b"".join(struct.pack("!H", len(message)) + message for message in messages)


def read_message(stream: socket.socket) -> dns.message.Message:
    """The next message of a TCP stream; EOFError when the stream ends before it is whole."""
    def exactly(octets: int) -> bytes:
        got = b""
        while len(got) < octets:
            piece = stream.recv(octets - len(got))
            if not piece:
                raise EOFError(f"the connection ended after {len(got)} of {octets} octets")
            got += piece
        return got
    return dns.message.from_wire(exactly(struct.unpack("!H", exactly(2))[0]))


def is_closed(stream: socket.socket) -> bool:
    """Reads until the other side closes or resets; TimeoutError where it does neither."""
    try:
        while stream.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


class AgentAlone:
    """A namespace, a configuration and an agent, removed together."""

    def __init__(self) -> None:
        self.id = f"{os.getpid()}-{next(_numbers)}"
        self.pins = BPFFS / f"nearside-alone-{self.id}"
        self.directory = Path(tempfile.mkdtemp(prefix="nearside-alone-"))
        self.config = self.directory / "nearsided.toml"
        self.socket_path = self.directory / "control.sock"
        self.process: Process | None = None
        self._undo = contextlib.ExitStack()
        self._starts = itertools.count(1)

    def __enter__(self) -> AgentAlone:
        mount_bpffs()
        self._undo.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._undo.callback(shutil.rmtree, self.pins, ignore_errors=True)
        self.space = Namespace(f"nearside-alone-{self.id}")
        self._undo.callback(self.space.remove)
        self._undo.callback(lambda: self.process and self.process.stop())
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 where: TracebackType | None) -> None:
        if kind and self.process:
            print(self.process.text())
        self._undo.close()

    def write_config(self, address: str = "192.0.2.80", listen: tuple[str, ...] = ("127.0.0.1",), serial: int = 1,
                     serve: str = "") -> None:
        """One zone with `www` on one address; `serve` is the content of [serve]."""
        soa = (f'{{ mname = "e17.ns.{ZONE}", rname = "hostmaster.example.com", serial = {serial}, '
               'refresh = "1h", retry = "15m", expire = "7d", minimum = "30s" }')
        self.config.write_text(f'''
[node]
name = "e17.ns.{ZONE}"
[edge]
interfaces = ["lo"]
listen = {json.dumps(listen)}
[serve]
{serve}
[control]
socket = "{self.socket_path}"
[state]
directory = "{self.directory}/state"
[[zone]]
name = "{ZONE}"
ttl = "20s"
soa = {soa}
ns = ["e17.ns.{ZONE}"]
records = "e17.ns IN A 192.0.2.53\\n"
[[zone.balance]]
name = "www"
servers = ["{address}"]
ttl = "20s"
''')

    def command(self) -> list[str]:
        """How the agent is started."""
        return [str(build_directory() / "agent" / "nearsided"), "--config", str(self.config), "--pins", str(self.pins)]

    def start(self, *before: str) -> Process:
        """Starts the agent, with these words before its command; returns when it is ready."""
        self.process = self.space.start("nearsided", [*before, *self.command()], self.directory / f"log{next(self._starts)}")
        self.process.wait_for_text("ready version=")
        return self.process

    def connect(self, server: str = "127.0.0.1", source: str = "") -> socket.socket:
        """A TCP connection to the agent, from a loopback address of choice; 5 s are the limit of every wait on it."""
        stream = self.space.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._undo.callback(stream.close)
        stream.settimeout(5)
        if source:
            stream.bind((source, 0))
        stream.connect((server, 53))
        return stream

    def ask(self, name: str = f"www.{ZONE}", server: str = "127.0.0.1") -> list[str]:
        """The addresses in the answer over UDP; ConnectionRefusedError where nobody listens."""
        with self.space.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect((server, 53))
            sock.send(query(name))
            reply = dns.message.from_wire(sock.recv(65535))
            return [rdata.address for rrset in reply.answer for rdata in rrset]

    def control(self, request: object) -> dict:
        """One request to the control socket and its reply."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            sock.connect(str(self.socket_path))
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile() as lines:
                return json.loads(lines.readline())

    def status(self) -> dict:
        return self.control({"verb": "status"})

    def wait_for_serve(self, counter: str, value: int) -> None:
        """Returns when a counter of the answering sockets has reached a value."""
        wait_until(f"{counter} is {value}", lambda: self.status()["serve"][counter] == value)


@contextlib.contextmanager
def running_agent(**settings: object) -> Iterator[AgentAlone]:
    """An agent that is ready, with write_config's settings."""
    with AgentAlone() as agent:
        agent.write_config(**settings)  # type: ignore[arg-type]
        agent.start()
        yield agent
