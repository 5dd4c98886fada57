# SPDX-License-Identifier: BSD-2-Clause
"""One etcd node of a lab, with TLS and a user, as docs/registration-protocol.md sets it up."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from pathlib import Path

from authority import Certificate
from namespaces import Namespace
from process import Process
from stage import Stage
from wait import wait_until

PASSWORD = "a password of the lab"


class Etcd:
    """The node, which can be stopped and started; its data stay. `password_file` is for the backbone nodes."""

    def __init__(self, lab: Stage, space: Namespace, address: str, identity: Certificate, ca: Path) -> None:
        self.address = address
        self.password_file = lab.directory / "etcd.password"
        self.password_file.write_text(PASSWORD + "\n")
        self.password_file.chmod(0o600)
        self._lab = lab
        self._space = space
        self._identity = identity
        self._context = ssl.create_default_context(cafile=str(ca))
        self._token = ""
        self.process: Process | None = None

    def begin(self) -> None:
        """Starts it; `wait_ready` waits for it."""
        client, peer = f"https://{self.address}:2379", f"http://{self.address}:2380"
        self.process = self._lab.start(
            self._space, "etcd", "etcd", "--name", "lab", "--data-dir", str(self._lab.directory / "etcd-data"),
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"lab={peer}",
            "--cert-file", str(self._identity.certificate), "--key-file", str(self._identity.key),
            "--log-level", "warn", "--logger", "zap", "--snapshot-count", "1000")

    def wait_ready(self) -> None:
        """Returns when it takes requests."""
        def serves() -> bool:
            assert self.process is not None
            self.process.must_run()
            try:
                return self._health() == 200
            except OSError:
                return False
        wait_until("etcd is healthy", serves, timeout=15, pause=0.05)

    def set_up(self, user: str, prefix: str) -> None:
        """A user who may read and write below `prefix`, and root; from then on nobody else may do anything."""
        for name in ("root", user):
            self.post("auth/user/add", {"name": name, "password": PASSWORD})
            self.post("auth/role/add", {"name": name})
            self.post("auth/user/grant", {"user": name, "role": name})
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        self.post("auth/role/grant", {"name": user, "perm": {"permType": "READWRITE", "key": _text(prefix),
                                                             "range_end": _text(end)}})
        self.post("auth/enable", {})
        self._user, self._range = user, (prefix, end)

    def keys(self) -> list[str]:
        """The keys that are there, as the backbone nodes' user sees them."""
        token = self.post("auth/authenticate", {"name": self._user, "password": PASSWORD})["token"]
        found = self.post("kv/range", {"key": _text(self._range[0]), "range_end": _text(self._range[1]),
                                       "keys_only": True}, token)
        return [base64.b64decode(one["key"]).decode() for one in found.get("kvs", [])]

    def stop(self) -> None:
        assert self.process is not None
        self.process.stop()

    def start(self) -> None:
        """Starts it again; returns when it takes requests."""
        self.begin()
        self.wait_ready()

    def post(self, method: str, body: dict, token: str = "") -> dict:
        """One request to the JSON gateway."""
        status, told = self._request("POST", f"/v3/{method}", json.dumps(body), token)
        if status != 200:
            raise RuntimeError(f"etcd: {method}: {status} {told}")
        return json.loads(told)

    def _health(self) -> int:
        return self._request("GET", "/health", "", "")[0]

    def _request(self, verb: str, path: str, body: str, token: str) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(self.address, 2379, context=self._context, timeout=5)
        with self._space.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            sock.connect((self.address, 2379))
            connection.sock = self._context.wrap_socket(sock, server_hostname=self.address)
            try:
                connection.request(verb, path, body, {"Authorization": token} if token else {})
                reply = connection.getresponse()
                return reply.status, reply.read().decode()
            finally:
                connection.close()


def _text(value: str) -> str:
    """The gateway wants octets as base64."""
    return base64.b64encode(value.encode()).decode()
