# SPDX-License-Identifier: BSD-2-Clause
"""What the lab needs of the machine: root, programs, the binaries under test, bpffs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from namespaces import run

ROOT = Path(__file__).resolve().parents[2]
BPFFS = Path("/sys/fs/bpf")


def build_directory() -> Path:
    """Where the binaries are: NEARSIDE_BUILD, or the preset dev's directory."""
    return Path(os.environ.get("NEARSIDE_BUILD", ROOT / "build" / "dev")).resolve()


def missing_programs(*programs: str) -> str:
    """A sentence that names the programs that are not installed; empty: all are."""
    absent = [program for program in programs if not shutil.which(program)]
    return f"{', '.join(absent)}: not installed (./dev setup installs what is missing)" if absent else ""


def missing_for_lab() -> str:
    """Why no lab can be made here, as one sentence; empty: it can."""
    if os.geteuid() != 0:
        return "the lab needs root: it makes network namespaces and loads XDP programs"
    if absent := missing_programs("ip", "nsenter", "ethtool", "bpftool", "clang-14", "dig", "kdig", "nginx", "curl"):
        return absent
    for binary in ("agent/nearsided", "cli/nearside"):
        if not (build_directory() / binary).exists():
            return f"{build_directory() / binary} is not there: build first (./dev build)"
    return ""


def mount_bpffs() -> None:
    """Pins live on bpffs; a container's first lab mounts it, and it stays."""
    if run("stat", "-f", "-c", "%T", str(BPFFS)).strip() != "bpf_fs":
        run("mount", "-t", "bpf", "bpf", str(BPFFS))
