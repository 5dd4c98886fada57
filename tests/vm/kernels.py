# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel packages: found in the archive that this machine uses, downloaded once, unpacked for qemu."""

from __future__ import annotations

import lzma
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

CACHE = Path.home() / ".cache" / "nearside-vm"
APT_SOURCES = Path("/etc/apt")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Unavailable(Exception):
    """A kernel cannot be had here; the message says why."""


@dataclass(frozen=True)
class Release:
    """A kernel series, and the suite and meta package that lead to its newest version."""

    series: str
    suite: str
    meta_package: str


# Generic kernels: the cloud ones have no 9p. Versions vanish from the archive, meta packages stay.
RELEASES = (
    Release("5.10", "bullseye-security", "linux-image-amd64"),
    Release("6.1", "bookworm-security", "linux-image-amd64"),
    Release("6.12", "bookworm-security", "linux-image-6.12-amd64"),
)


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel: an ELF image that qemu boots directly, and its modules."""

    version: str
    image: Path
    modules: Path


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command[:2])}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def security_archive() -> str:
    """The address of Debian's security archive, as this machine's own sources have it."""
    for file in [APT_SOURCES / "sources.list", *sorted((APT_SOURCES / "sources.list.d").glob("*"))]:
        if not file.is_file():
            continue
        for line in file.read_text(errors="replace").splitlines():
            found = re.match(r"(?:deb(?:\s+\[[^]]*\])?|URIs:)\s+(\S*debian-security)/?(?:\s|$)", line.strip())
            if found:
                return found[1]
    raise Unavailable("the machine's apt sources name no security archive of Debian")


class Archive:
    """One suite, read by apt with a state of its own: the machine's sources and lists are neither used nor changed."""

    def __init__(self, suite: str) -> None:
        self._state = CACHE / "apt" / suite
        for directory in ("lists/partial", "archives/partial"):
            (self._state / directory).mkdir(parents=True, exist_ok=True)
        (self._state / "status").touch()
        sources = self._state / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {security_archive()} {suite} main\n")
        self._options = [
            "-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=-",
            "-o", f"Dir::State::lists={self._state / 'lists'}", "-o", f"Dir::State::status={self._state / 'status'}",
            "-o", f"Dir::Cache::archives={self._state / 'archives'}",
            "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
            "-o", "APT::Sandbox::User=root", "-o", "APT::Update::Post-Invoke=", "-o", "Acquire::Retries=2"]
        _run("apt-get", *self._options, "-q", "update")

    def package_of(self, meta_package: str) -> str:
        """The kernel package that a meta package stands for now."""
        found = re.search(r"Depends: (linux-image-\S+)", _run("apt-cache", *self._options, "depends", meta_package))
        if not found:
            raise Unavailable(f"{meta_package} leads to no kernel")
        return found[1]

    def download(self, package: str, into: Path) -> Path:
        """The package's file, downloaded unless it is there."""
        into.mkdir(parents=True, exist_ok=True)
        for stale in into.glob("*.deb"):
            stale.unlink()
        _run("apt-get", *self._options, "-q", "download", package, cwd=into)
        return next(into.glob("*.deb"))


def extract_image(compressed: Path, image: Path) -> None:
    """The ELF image inside of a bzImage (Linux Documentation/x86/boot.rst): qemu starts it at once by PVH."""
    data = compressed.read_bytes()
    setup_sectors = data[0x1F1] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    begin = (setup_sectors + 1) * 512 + offset
    payload = data[begin:begin + length]
    if payload.startswith(b"\xfd7zXZ\0"):
        content = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        # The four octets behind the stream are its size, which zstd takes for a broken frame: status 1, all written.
        done = subprocess.run(["zstd", "-dcq"], input=payload[:-4], capture_output=True, timeout=60, check=False)
        content = done.stdout
    else:
        raise Unavailable(f"{compressed.name}: compressed in a way unknown here")
    if not content.startswith(b"\x7fELF"):
        raise Unavailable(f"{compressed.name}: holds no ELF image")
    image.write_bytes(content)


def fetch(release: Release) -> Kernel:
    """The newest kernel of a series; from the cache when the archive still has the same or cannot be reached."""
    home = CACHE / release.series
    try:
        archive = Archive(release.suite)
        package = archive.package_of(release.meta_package)
        directory = home / package
        if not (directory / "vmlinux").exists():
            deb = archive.download(package, directory)
            _run("dpkg-deb", "-x", str(deb), str(directory))
            deb.unlink()
            extract_image(next((directory / "boot").glob("vmlinuz-*")), directory / "vmlinux")
    except Unavailable:
        kept = sorted(home.glob("*/vmlinux"), key=lambda path: path.stat().st_mtime)
        if not kept:
            raise
        directory = kept[-1].parent
    version = next((directory / "lib" / "modules").iterdir()).name
    if not version.startswith(f"{release.series}."):
        raise Unavailable(f"{release.meta_package} of {release.suite} is {version}, not a {release.series}")
    return Kernel(version, directory / "vmlinux", directory / "lib" / "modules" / version)
