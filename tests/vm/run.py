#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots Debian's kernels in qemu, attaches the program to virtio_net there, and asks the guest's agent by DNS.

Each kernel PASSes when all queries of both families were answered by the kernel in native mode. One that cannot be
downloaded is SKIPped. Downloads are kept in ~/.cache/nearside-vm. Needs root.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import kernels
from guest import Failure, check

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("qemu-system-x86_64", "busybox", "ip", "ethtool", "apt-get", "dpkg-deb", "zstd")


def missing(build: Path) -> str:
    """Why nothing can be tested here, as one sentence; empty: it can."""
    if os.geteuid() != 0:
        return "needs root: it makes a tap device and shares the host's files with the guest"
    if absent := [program for program in PROGRAMS if not shutil.which(program)]:
        return f"{', '.join(absent)}: not installed (./dev setup installs what is missing)"
    for binary in ("agent/nearsided", "cli/nearside"):
        if not (build / binary).exists():
            return f"{build / binary} is not there: build first (./dev build)"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("series", nargs="*", help="kernel series, default: " +
                        " ".join(release.series for release in kernels.RELEASES))
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds for each guest (default 180)")
    arguments = parser.parse_args()
    known = {release.series: release for release in kernels.RELEASES}
    if unknown := [series for series in arguments.series if series not in known]:
        parser.error(f"no such kernel series: {', '.join(unknown)}")
    build = Path(os.environ.get("NEARSIDE_BUILD", ROOT / "build" / "dev")).resolve()
    if why := missing(build):
        print(f"tests/vm: {why}", file=sys.stderr)
        return 2

    # Ends by SIGTERM as by an exception, so that the guest is taken along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    passed = failed = skipped = 0
    for series in arguments.series or known:
        begun = time.monotonic()
        try:
            kernel = kernels.fetch(known[series])
            told = check(kernel, build, arguments.timeout)
            passed += 1
            print(f"PASS {series}: {told} ({time.monotonic() - begun:.0f} s)", flush=True)
        except kernels.Unavailable as why_not:
            skipped += 1
            print(f"SKIP {series}: {why_not}", flush=True)
        except Failure as broken:
            failed += 1
            print(f"FAIL {series}: {broken}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (skipped and os.environ.get("NEARSIDE_NO_SKIP") == "1") else 0


if __name__ == "__main__":
    sys.exit(main())
