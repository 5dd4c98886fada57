# SPDX-License-Identifier: BSD-2-Clause
"""A demo from its command line to its exit status, whatever it shows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import kept
from namespaces import Namespace
from show import Show, Untrue
from stage import Stage

LabT = TypeVar("LabT", bound=Stage)


@dataclass(frozen=True)
class Demo(Generic[LabT]):
    """What one demo has of its own."""

    command: str                               # "./dev demo"
    description: str
    state: Path                                # where it is written down what --keep left
    missing: Callable[[], str]                 # why the lab can't be here; "": it can
    first_step: str
    lab: Callable[..., LabT]
    tell: Callable[[Show, LabT], None]         # raises when something is not so
    next_without_lab: list[str]                # commands, beside the same with --keep
    next_in_lab: Callable[[LabT], list[str]]   # commands, for a lab that was left up
    places: Callable[[LabT], dict[str, Namespace]]  # that a user may want to enter, by what they are to him

    def main(self) -> int:
        """Runs it as its arguments say; the exit status."""
        parser = argparse.ArgumentParser(prog=self.command, description=self.description)
        parser.add_argument("--keep", action="store_true", help="leave the lab up and say how to enter it")
        parser.add_argument("--remove", action="store_true", help="remove what --keep left")
        options = parser.parse_args()
        if options.remove:
            kept.remove(self.state)
            return 0
        if missing := self.missing():
            print(f"demo: {missing}", file=sys.stderr)
            return 1
        if options.keep and self.state.exists():
            print(f"demo: one is up already; remove it first with {self.command} --remove", file=sys.stderr)
            return 1
        try:
            self._run(options.keep)
        except (Untrue, RuntimeError, AssertionError) as problem:
            print(f"\n   ✗ {problem}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted; everything is removed.", file=sys.stderr)
            return 130
        return 0

    def _run(self, keep: bool) -> None:
        show = Show()
        show.step(self.first_step)
        with self.lab(keep=keep) as lab:
            try:
                self.tell(show, lab)
            except BaseException:
                lab.keep = False
                raise
            show.end()
            if not keep:
                print("\nTry next:")
                for line in (f"{self.command} --keep      the same, left up for you to look around in", *self.next_without_lab):
                    print(f"   {line}")
                return
            kept.remember(self.state, lab)
            print("\nThe lab is up. Try next:")
            for line in self.next_in_lab(lab):
                print(f"   {line}")
            print()
            for place, space in self.places(lab).items():
                print(f"Enter {place} with   {' '.join(space.enter)} bash")
            print(f"Logs and configuration are in {lab.directory}\n"
                  f"Remove it with          {self.command} --remove")
