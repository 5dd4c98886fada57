# SPDX-License-Identifier: BSD-2-Clause
"""Certificates made with openssl: an authority, and certificates of its for clients and servers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


def openssl(*words: str) -> None:
    """Runs openssl; its words on a failure are the test's."""
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str = "test CA") -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.ca = directory / "ca.pem"
        self._key = directory / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.ca))

    def issue(self, label: str, names: str, days: int = 2, subject: str = "/O=test") -> Certificate:
        """For these subject alternative names, "DNS:e17.ns.lb.example.com,IP:192.0.2.17"; negative days: it is over."""
        made = Certificate(self.directory / f"{label}.pem", self.directory / f"{label}.key")
        request, extensions = self.directory / f"{label}.csr", self.directory / f"{label}.ext"
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=clientAuth,serverAuth\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                "-keyout", str(made.key), "-out", str(request))
        openssl("x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", str(self._key), "-CAcreateserial",
                "-days", str(days), "-extfile", str(extensions), "-out", str(made.certificate))
        return made
