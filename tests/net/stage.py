# SPDX-License-Identifier: BSD-2-Clause
"""What every lab is made on: namespaces, processes, pins and a directory, which are removed whatever happens."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import TypeVar

from environment import BPFFS, mount_bpffs
from namespaces import Namespace, run
from process import Process

_numbers = itertools.count(1)
S = TypeVar("S", bound="Stage")


class Stage:
    """An empty lab. Leaving the `with` block removes all that was made on it, unless `keep` is set."""

    def __init__(self, keep: bool = False) -> None:
        self.keep = keep
        self.id = f"{os.getpid()}x{next(_numbers)}"
        self.pins = BPFFS / f"nearside-lab-{self.id}"
        self.directory = Path(tempfile.mkdtemp(prefix=f"nearside-lab-{self.id}-"))
        self.processes: list[Process] = []
        self.namespaces: list[Namespace] = []
        self._undo = contextlib.ExitStack()
        self._old_handler: object = None

    def __enter__(self: S) -> S:
        self._old_handler = signal.signal(signal.SIGTERM, _exit_on_signal)
        self._undo.callback(self._restore_handler)
        self._undo.callback(shutil.rmtree, self.directory, ignore_errors=True)
        try:
            mount_bpffs()
            self._undo.callback(remove_pins, self.pins)
            self._make_network()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.keep:
            self._undo.pop_all()
            self._restore_handler()
        else:
            self._undo.close()

    def _restore_handler(self) -> None:
        signal.signal(signal.SIGTERM, self._old_handler)  # type: ignore[arg-type]

    def _make_network(self) -> None:
        """Namespaces and what connects them."""
        raise NotImplementedError

    def _make_namespace(self, role: str) -> Namespace:
        space = Namespace(f"nearside-{self.id}-{role}")
        self._undo.callback(space.remove)
        self.namespaces.append(space)
        return space

    def _stop_processes(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def start(self, space: Namespace, name: str, *command: str) -> Process:
        """Starts a process that ends with the lab; its log is NAME.log in the lab's directory."""
        process = space.start(name, list(command), self.directory / f"{name}.log", outlive=self.keep)
        self.processes.append(process)
        return process

    def let_pass(self, *ends: tuple[Namespace, str]) -> None:
        """Puts a program on these ends of veths that passes all: without one, XDP_TX at the other end goes nowhere."""
        passing = self.directory / "xdp_pass.bpf.o"
        run("clang-14", "-O2", "-g", "-target", "bpf", f"-I/usr/include/{os.uname().machine}-linux-gnu",
            "-c", str(Path(__file__).with_name("xdp_pass.bpf.c")), "-o", str(passing))
        pin = self.pins.with_name(f"{self.pins.name}-pass")
        run("bpftool", "prog", "load", str(passing), str(pin), "type", "xdp")
        try:
            for space, interface in ends:
                space.run("bpftool", "net", "attach", "xdpdrv", "pinned", str(pin), "dev", interface)
        finally:
            pin.unlink()


def remove_pins(pins: Path) -> None:
    """Removes a lab's maps and link; the program leaves the interface with the link."""
    shutil.rmtree(pins, ignore_errors=True)


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    """SIGTERM unwinds like Ctrl-C does, so that the lab is removed."""
    raise SystemExit(128 + number)
