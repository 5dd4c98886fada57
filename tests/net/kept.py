# SPDX-License-Identifier: BSD-2-Clause
"""A lab that a demo left up with --keep, and its removal by a later process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

from namespaces import run
from stage import Stage, remove_pins
from wait import wait_until


def remember(state: Path, lab: Stage) -> None:
    """Writes down what `remove` has to remove."""
    state.write_text(json.dumps({
        "namespaces": [space.name for space in lab.namespaces], "pins": str(lab.pins), "directory": str(lab.directory),
        "pids": {process.pid: process.name for process in lab.processes}}))


def remove(state: Path) -> None:
    """Ends what a demo with --keep left: its processes by pid, those only that are still in its namespaces."""
    if not state.exists():
        print("There is no demo to remove.")
        return
    kept = json.loads(state.read_text())
    inodes = set()
    for name in kept["namespaces"]:
        with contextlib.suppress(FileNotFoundError):
            inodes.add((Path("/run/netns") / name).stat().st_ino)

    def ours(pid: str) -> bool:
        try:
            return Path(f"/proc/{pid}/ns/net").stat().st_ino in inodes
        except (FileNotFoundError, ProcessLookupError):
            return False
    for pid in filter(ours, kept["pids"]):
        os.kill(int(pid), signal.SIGTERM)
    wait_until("the demo's processes have ended", lambda: not any(map(ours, kept["pids"])), timeout=10)
    remove_pins(Path(kept["pins"]))
    for name in kept["namespaces"]:
        run("ip", "netns", "delete", name, check=False)
    shutil.rmtree(kept["directory"], ignore_errors=True)
    state.unlink()
    print("The demo is removed: processes, namespaces, pinned maps and files.")
