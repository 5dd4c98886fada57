# SPDX-License-Identifier: BSD-2-Clause
"""A process that the lab started: its log, its end, and what to show when it ended too soon."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

from wait import TimedOut, wait_until

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """Runs in the child: a lab that is killed takes its processes along."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child process whose output goes to a log file; it is only ever signalled by its own pid."""

    def __init__(self, name: str, command: list[str], log: Path, outlive: bool = False,
                 environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})}, start_new_session=outlive,
                preexec_fn=None if outlive else _end_with_parent)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As of subprocess: the status, minus the signal's number, or None while it runs."""
        return self._child.poll()

    def text(self) -> str:
        """All that the process has printed so far."""
        return self.log.read_text(errors="replace")

    def must_run(self) -> None:
        """Raises with the end of the log when the process has ended."""
        if not self.running:
            raise RuntimeError(f"{self.name} ended with status {self.exit_status}; its log ends with:\n"
                               + self.text()[-3000:])

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a crash would be; returns when the process is gone."""
        if self.running:
            self._child.kill()
        self._child.wait()

    def stop(self, timeout: float = 5.0) -> int:
        """SIGTERM, then SIGKILL where that does not help; the exit status."""
        if self.running:
            self._child.terminate()
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._child.wait()

    def wait_for_text(self, text: str, timeout: float = 10.0) -> None:
        """Returns when the log contains `text`; raises when the process ends first."""
        def seen() -> bool:
            found = text in self.text()
            if not found:
                self.must_run()
            return found
        try:
            wait_until(f"{self.name} prints {text!r}", seen, timeout)
        except TimedOut as late:
            raise TimedOut(f"{late}; its log ends with:\n{self.text()[-3000:]}") from None


def stop_all(processes: list[Process], timeout: float = 5.0) -> None:
    """SIGTERM to all of them, the last one first, and only then waits; SIGKILL for those that are late."""
    for process in reversed(processes):
        if process.running:
            process.signal(signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while any(process.running for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    for process in processes:
        process.kill()
