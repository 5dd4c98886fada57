# SPDX-License-Identifier: BSD-2-Clause
"""The guest's initramfs: a static busybox, /init, and the modules up to the point where the host's files are there."""

from __future__ import annotations

import lzma
import re
import stat
from pathlib import Path

# What a guest needs to reach its disk and its network card; what these depend on comes along.
WANTED = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_net")
DIRECTORIES = ("bin", "dev", "proc", "sys", "modules", "lower", "memory", "root")


def _read_module(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def modules_in_order(directory: Path, wanted: tuple[str, ...] = WANTED) -> list[tuple[str, bytes]]:
    """Names and contents of the modules wanted and of those they need, each behind what it needs."""
    files = {path.name.split(".")[0].replace("-", "_"): path for path in directory.rglob("*.ko*")}
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        # What the kernel has built in has no file.
        if name in ordered or name not in files:
            return
        content = _read_module(files[name])
        found = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in (found[1].decode().split(",") if found and found[1] else []):
            add(needed.replace("-", "_"))
        ordered[name] = content

    for name in wanted:
        add(name)
    return list(ordered.items())


class _Archive:
    """A cpio archive in the format that the kernel unpacks ("newc")."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._inode = 0

    def add(self, name: str, mode: int, content: bytes = b"") -> None:
        self._inode += 1
        path = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        self._octets += b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._pad()
        self._octets += content
        self._pad()

    def _pad(self) -> None:
        self._octets += bytes(-len(self._octets) % 4)

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self._octets)


def build(modules: Path, init: Path, busybox: Path) -> bytes:
    """The whole archive for one kernel."""
    archive = _Archive()
    for directory in DIRECTORIES:
        archive.add(directory, stat.S_IFDIR | 0o755)
    archive.add("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes())
    archive.add("init", stat.S_IFREG | 0o755, init.read_bytes())
    for number, (name, content) in enumerate(modules_in_order(modules)):
        archive.add(f"modules/{number:02}-{name}.ko", stat.S_IFREG | 0o644, content)
    return archive.finish()
