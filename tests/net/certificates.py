# SPDX-License-Identifier: BSD-2-Clause
"""Certificates of a lab, made by openssl: an authority of its own, and what it has signed. Keys are EC, which is fast."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from namespaces import run

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Identity:
    """A certificate and its key: PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A CA that signs what it is asked to. Its certificate is `ca`; files are in one directory, named after their owner."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self._own = Identity(directory / f"{name}.crt", directory / f"{name}.key")
        run("openssl", "req", "-x509", *EC, "-keyout", str(self._own.key), "-out", str(self._own.certificate),
            "-days", "30", "-subj", f"/O=Nearside lab/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @property
    def ca(self) -> Path:
        return self._own.certificate

    def issue(self, name: str, dns_names: list[str], addresses: list[str], common_name: bool = True,
              file: str = "") -> Identity:
        """A certificate for server and client use, good for 30 days, in files called `file`, else `name`.

        `common_name`: etcd's JSON gateway refuses client certificates that have one.
        """
        made = self._files(file or name)
        run("openssl", "req", "-x509", *EC, "-keyout", str(made.key), "-out", str(made.certificate), "-days", "30",
            "-CA", str(self._own.certificate), "-CAkey", str(self._own.key), *_subject(name, common_name),
            *_extensions(dns_names, addresses))
        return made

    def issue_expired(self, name: str, dns_names: list[str], addresses: list[str], file: str) -> Identity:
        """A certificate that was good until yesterday. Only `openssl ca` can set that date, and it wants a database."""
        made = self._files(file)
        request, database = self._directory / f"{file}.csr", self._directory / f"{file}.db"
        run("openssl", "req", "-new", *EC, "-keyout", str(made.key), "-out", str(request), *_subject(name, True),
            *_extensions(dns_names, addresses))
        (database / "new").mkdir(parents=True)
        (database / "index").touch()
        config = database / "config"
        config.write_text(f"[ca]\ndefault_ca = lab\n[lab]\ndatabase = {database}/index\nnew_certs_dir = {database}/new\n"
                          "rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n"
                          "[any]\norganizationName = optional\ncommonName = optional\n")
        yesterday, before = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
                             for days in (1, 3))
        run("openssl", "ca", "-batch", "-notext", "-config", str(config), "-in", str(request),
            "-out", str(made.certificate), "-cert", str(self._own.certificate), "-keyfile", str(self._own.key),
            "-startdate", f"{before:%Y%m%d%H%M%SZ}", "-enddate", f"{yesterday:%Y%m%d%H%M%SZ}")
        return made

    def _files(self, name: str) -> Identity:
        return Identity(self._directory / f"{name}.crt", self._directory / f"{name}.key")


def _subject(name: str, common_name: bool) -> list[str]:
    return ["-subj", "/O=Nearside lab" + (f"/CN={name}" if common_name else "")]


def _extensions(dns_names: list[str], addresses: list[str]) -> list[str]:
    alternatives = ",".join([f"DNS:{name}" for name in dns_names] + [f"IP:{address}" for address in addresses])
    return ["-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
