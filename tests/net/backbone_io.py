# SPDX-License-Identifier: BSD-2-Clause
"""A backbone node without DNS (tests/support/backbone_node.cpp), edges that speak to it, and a cluster of etcd."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import shutil
import socket
import ssl
import struct
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from authority import Authority, Certificate
from environment import build_directory
from process import Process
from wait import wait_until

ETCD = "etcd"
ETCD_PASSWORD = "not a secret"


def missing_for_backbone() -> str:
    """Why these tests cannot run, as one sentence; empty: they can."""
    program = build_directory() / "bin" / "backbone_node"
    if not program.exists():
        return f"{program} is not there: build first (./dev build)"
    absent = [name for name in ("openssl", "curl") if not shutil.which(name)]
    return f"{', '.join(absent)}: not installed (./dev setup installs what is missing)" if absent else ""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Node:
    """A backbone node; its answers to the lines that it takes."""

    def __init__(self, ca: Authority, log: Path, *options: str, name: str = "b1") -> None:
        self.ca, self.log, self.options, self.name = ca, log, options, name
        own = ca.directory / f"{name}.pem"
        self.own = Certificate(own, own.with_suffix(".key")) if own.exists() else \
            ca.issue(name, f"DNS:{name}.ns.lb.example.com,IP:127.0.0.1")
        self.ready: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Starts it, again where it was stopped or killed."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                [str(build_directory() / "bin" / "backbone_node"), "--ca", str(self.ca.ca),
                 "--certificate", str(self.own.certificate), "--key", str(self.own.key),
                 "--node", f"{self.name}.ns.lb.example.com.", "--zone", f"{self.name}.who.lb.example.com.", *self.options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True)
        assert self._child.stdout
        line = self._child.stdout.readline()
        assert line, f"the node did not start: {self.text()[-2000:]}"
        self.ready = json.loads(line)

    @property
    def port(self) -> int:
        return self.ready["port"]

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, line: str) -> dict[str, Any]:
        """One of its verbs."""
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        assert answer, f"the node ended with {self._child.poll()}: {self.text()[-2000:]}"
        return json.loads(answer)

    def counter(self, *path: str) -> Any:
        """One of its counters, by its place."""
        value: Any = self.ask("counters")
        for part in path:
            value = value[part]
        return value

    def text(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()
        self._end()

    def stop(self) -> None:
        """An orderly end."""
        if self._child.stdin:
            self._child.stdin.close()
        self._end()

    def _end(self) -> None:
        self._child.wait(timeout=10)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


class Edge:
    """An edge that registers: its certificate, its sequence, one connection to a node at a time."""

    def __init__(self, ca: Authority, label: str, certificate: Certificate | None = None) -> None:
        self.name = f"{label}.ns.lb.example.com."
        self.ca = ca
        self.certificate = certificate or ca.issue(label, f"DNS:{label}.ns.lb.example.com")
        self.sequence = time.time_ns() // 1000
        self._connection: http.client.HTTPSConnection | None = None
        self._port = 0

    def context(self) -> ssl.SSLContext:
        """What it connects with."""
        context = ssl.create_default_context(cafile=str(self.ca.ca))
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        return context

    def next(self) -> int:
        """A sequence number, greater than all before."""
        self.sequence += 1
        return self.sequence

    def post(self, node: Node, target: str, body: dict[str, Any] | bytes,
             headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer; over the connection that is there, or a new one."""
        if self._connection is None or self._port != node.port:
            self.close()
            self._connection = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=10, context=self.context())
            self._port = node.port
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self._connection.request("POST", target, octets, headers or {})
            answer = self._connection.getresponse()
            read = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        return answer.status, json.loads(read)

    def message(self, **more: Any) -> dict[str, Any]:
        """The envelope of a message."""
        return {"edge": self.name, "sequence": self.next(), **more}

    def register(self, node: Node, addresses: list[str] | None = None, egresses: list[dict[str, Any]] | None = None,
                 lifetime: int = 300) -> tuple[int, dict[str, Any]]:
        """Registers."""
        return self.post(node, "/v1/register", self.message(
            lifetime=lifetime, addresses=addresses or ["192.0.2.17"], egresses=egresses or []))

    def close(self) -> None:
        """Ends its connection."""
        if self._connection:
            self._connection.close()
        self._connection = None


def nonce_label(answer: dict[str, Any], counter: int) -> str:
    """The label that an edge makes of the answer to its registration."""
    key = base64.urlsafe_b64decode(answer["nonce_key"] + "=")
    number = struct.pack(">I", counter)
    octets = struct.pack(">I", answer["nonce_edge"]) + number + hmac.new(key, b"nonce" + number, hashlib.sha256).digest()[:8]
    return base64.b32hexencode(octets).decode().rstrip("=").lower()


class EtcdCluster:
    """Three members of etcd on loopback, as docs/examples/etcd-compose.yaml runs them: TLS, and users when asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.ca = Authority(directory / "ca", "etcd CA")
        self.certificate = self.ca.issue("etcd", "DNS:localhost,IP:127.0.0.1")
        ports = free_ports(6)
        self.clients, self._peers = ports[:3], ports[3:]
        self._members: list[Process | None] = [None, None, None]
        for number in range(3):
            self.start(number)
        self.wait_for_quorum()

    def start(self, number: int) -> None:
        """Starts a member, with what it had when it was stopped."""
        name = f"m{number}"
        tls = [f"--{kind}={path}" for kind, path in (
            ("cert-file", self.certificate.certificate), ("key-file", self.certificate.key),
            ("peer-cert-file", self.certificate.certificate), ("peer-key-file", self.certificate.key),
            ("peer-trusted-ca-file", self.ca.ca))]
        cluster = ",".join(f"m{i}=https://127.0.0.1:{port}" for i, port in enumerate(self._peers))
        client, peer = f"https://127.0.0.1:{self.clients[number]}", f"https://127.0.0.1:{self._peers[number]}"
        self._members[number] = Process(name, [
            shutil.which(ETCD) or ETCD, f"--name={name}", f"--data-dir={self.directory / name}",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={cluster}", "--initial-cluster-token=nearside-test", "--peer-client-cert-auth",
            "--heartbeat-interval=100", "--election-timeout=1000", *tls], self.directory / f"{name}.log")

    def stop(self, number: int) -> None:
        """SIGKILL for one member."""
        member = self._members[number]
        if member:
            member.kill()
        self._members[number] = None

    def stop_all(self) -> None:
        """All of them."""
        for number in range(3):
            self.stop(number)

    def call(self, target: str, body: dict[str, Any], token: str = "", member: int = 0) -> dict[str, Any]:
        """One request of the JSON gateway, straight."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.clients[member]}{target}", json.dumps(body).encode(),
                                         {"Authorization": token} if token else {})
        context = ssl.create_default_context(cafile=str(self.ca.ca))
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return json.loads(answer.read())

    def wait_for_quorum(self, timeout: float = 20, member: int = 0) -> None:
        """Until the member answers for the cluster."""
        def answers() -> bool:
            try:
                return "header" in self.call("/v3/kv/range", {"key": base64.b64encode(b"/x").decode()}, self.token(member),
                                             member)
            except OSError:
                return False
        wait_until("etcd has a leader", answers, timeout, 0.1)

    user = ""

    def token(self, member: int = 0) -> str:
        """Root's, where there are users."""
        if not self.user:
            return ""
        return self.call("/v3/auth/authenticate", {"name": "root", "password": ETCD_PASSWORD}, member=member)["token"]

    def enable_users(self, prefix: str = "/nearside/") -> None:
        """A user `backbone` that may read and write below the prefix, and nothing else."""
        begin, end = (base64.b64encode(text.encode()).decode() for text in (prefix, prefix[:-1] + "0"))
        for user in ("root", "backbone"):
            self.call("/v3/auth/user/add", {"name": user, "password": ETCD_PASSWORD})
            self.call("/v3/auth/role/add", {"name": user})
            self.call("/v3/auth/user/grant", {"user": user, "role": user})
        self.call("/v3/auth/role/grant", {"name": "backbone", "perm": {"permType": "READWRITE", "key": begin,
                                                                       "range_end": end}})
        self.call("/v3/auth/enable", {})
        self.user = "backbone"

    def options(self) -> list[str]:
        """Of a node that uses it."""
        words = ["--etcd-ca", str(self.ca.ca)]
        for port in self.clients:
            words += ["--etcd", f"127.0.0.1:{port}"]
        if self.user:
            words += ["--etcd-user", self.user, "--etcd-password", ETCD_PASSWORD]
        return words


def has_etcd() -> str:
    """Why there is no etcd; empty: there is."""
    return "" if shutil.which(ETCD) else "etcd-server: not installed (./dev setup installs what is missing)"
