# SPDX-License-Identifier: BSD-2-Clause
"""An edge's side of the registration protocol, for tests that say what no honest edge would. docs/registration-protocol.md
is the definition."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from authority import Certificate
from namespaces import Namespace

PORT = 8443


@dataclass(frozen=True)
class Response:
    """What a backbone node said. `status` 0: it did not finish the handshake, or closed the connection without a word."""

    status: int
    body: dict

    @property
    def error(self) -> str:
        """The word for a refusal."""
        return self.body.get("error", "")

    def egress(self, address: str) -> dict:
        """The verdict on one claimed egress: state and reason."""
        return next((one for one in self.body.get("egresses", []) if one["address"] == address), {})


def post(space: Namespace, address: str, name: str, path: str, body: dict | str, ca: Path,
         identity: Certificate | None) -> Response:
    """One message to a backbone node over a connection of its own, with that certificate, or with none."""
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if identity:
        context.load_cert_chain(identity.certificate, identity.key)
    try:
        with space.socket(socket.AF_INET, socket.SOCK_STREAM) as plain:
            plain.settimeout(5)
            plain.connect((address, PORT))
            connection = http.client.HTTPSConnection(address, PORT, timeout=5)
            # In TLS 1.3 a client learns that its certificate was refused only when it reads.
            connection.sock = context.wrap_socket(plain, server_hostname=name)
            connection.request("POST", path, body if isinstance(body, str) else json.dumps(body),
                               {"Content-Type": "application/json"})
            reply = connection.getresponse()
            return Response(reply.status, json.loads(reply.read() or b"{}"))
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return Response(0, {})


def registration(edge: str, addresses: tuple[str, ...], egresses: dict[str, str], lifetime: int = 10,
                 sequence: int | None = None) -> dict:
    """The body of /v1/register; `egresses` has the nonce of each address."""
    return {"edge": edge, "sequence": time.time_ns() // 1000 if sequence is None else sequence, "lifetime": lifetime,
            "addresses": list(addresses),
            "egresses": [{"address": address, "nonce": nonce} for address, nonce in egresses.items()]}


def nonce(registered: dict, counter: int) -> str:
    """The label that an edge makes of what it was told when it registered."""
    padded = registered["nonce_key"] + "=" * (-len(registered["nonce_key"]) % 4)
    body = struct.pack("!II", registered["nonce_edge"], counter)
    proof = hmac.new(base64.urlsafe_b64decode(padded), b"nonce" + body[4:], hashlib.sha256).digest()[:8]
    return base64.b32hexencode(body + proof).decode().rstrip("=").lower()
