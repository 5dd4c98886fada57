# SPDX-License-Identifier: BSD-2-Clause
"""The lab and the demo themselves: what they make is gone afterwards, and the demo does not show what is not true."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import need
from demo import DEMO
from environment import ROOT, build_directory, missing_for_lab
from lab import Lab
from wait import TimedOut, wait_until

COMMAND = [sys.executable, str(ROOT / "tests" / "net" / "demo.py")]


@pytest.fixture(autouse=True)
def _able() -> None:
    need(missing_for_lab())


def left_over(lab: Lab) -> list[str]:
    """What still exists of a lab."""
    paths = [lab.directory, lab.pins, *(space.path for space in lab.namespaces)]
    return [str(path) for path in paths if path.exists()] + [p.name for p in lab.processes if p.running]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_lab_that_fails_leaves_nothing_behind(failure: type[BaseException]) -> None:
    """Namespaces, processes, pins and files are removed on the way out of an exception."""
    with pytest.raises(failure), Lab() as lab:
        lab.start_servers()
        assert left_over(lab)
        raise failure
    assert left_over(lab) == []


def test_a_wait_that_is_in_vain_says_what_for() -> None:
    """The helper under all tests: a condition that stays false is a failure with its name."""
    with pytest.raises(TimedOut, match="the sky falls"):
        wait_until("the sky falls", lambda: False, timeout=0.05)


def test_the_demo_shows_true_facts_within_forty_seconds() -> None:
    """`./dev demo` as a user runs it: exit status 0, the kernel answered what was asked, and the answer moved."""
    began = time.monotonic()
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 queries asked, 4 answered by the kernel, 0 by the agent" in done.stdout
    for moved in ("from near to mid", "from mid to near"):
        assert re.search(rf"moved {moved} \d+\.\d s after", done.stdout), done.stdout
    assert "near: down" in done.stdout
    assert time.monotonic() - began < 40


def test_a_demo_without_the_program_on_the_interface_fails(tmp_path: Path) -> None:
    """Exit status 1 when the kernel does not answer: here `attach` does nothing."""
    for folder, name in (("agent", "nearsided"), ("cli", "nearside")):
        (tmp_path / folder).mkdir()
        real = build_directory() / folder / name
        script = f'#!/bin/sh\ncase "$*" in *" attach "*) exit 0;; esac\nexec {real} "$@"\n'
        (tmp_path / folder / name).write_text(script)
        (tmp_path / folder / name).chmod(0o755)
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "NEARSIDE_BUILD": str(tmp_path)})
    assert done.returncode == 1 and "kernel answers" in done.stderr, done.stdout + done.stderr


def test_a_demo_that_is_terminated_removes_itself() -> None:
    """SIGTERM in the middle: no namespace of that demo is left."""
    demo = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert demo.stdout is not None

    def namespaces() -> list[str]:
        return [path.name for path in Path("/run/netns").glob(f"nearside-{demo.pid}x*")]
    while "nginx answers" not in (line := demo.stdout.readline()):
        assert line, "the demo ended before it could be terminated"
    assert namespaces()
    demo.send_signal(signal.SIGTERM)
    demo.communicate(timeout=20)
    assert demo.returncode != 0 and namespaces() == []


def test_a_kept_demo_stays_up_until_it_is_removed() -> None:
    """--keep, then --remove: the commands it prints work in between, nothing is left afterwards."""
    if DEMO.state.exists():
        pytest.skip("a kept demo is up; ./dev demo --remove ends it")
    try:
        kept = subprocess.run([*COMMAND, "--keep"], capture_output=True, text=True, timeout=60, check=False)
        assert kept.returncode == 0, kept.stdout + kept.stderr
        printed = kept.stdout.split("Try next:")[1].split("Enter the client with")[0]
        commands = [line.strip() for line in printed.splitlines() if line.strip()]
        assert len(commands) == 3
        for command in commands:
            shown = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=20, check=False)
            assert shown.returncode == 0 and shown.stdout, f"{command}\n{shown.stdout}{shown.stderr}"
    finally:
        removed = subprocess.run([*COMMAND, "--remove"], capture_output=True, text=True, timeout=30, check=False)
    assert removed.returncode == 0 and not DEMO.state.exists(), removed.stdout + removed.stderr
