# SPDX-License-Identifier: BSD-2-Clause
"""What the demo prints: numbered steps, and the facts below them. A fact is checked before it is shown."""

from __future__ import annotations

import os
import sys
import time


class Untrue(Exception):
    """Something that the demo was about to show is not so."""


class Show:
    """Numbered steps, and the facts below them, each with a tick."""

    def __init__(self) -> None:
        self._number = 0
        self._began = time.monotonic()
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._bold, self._green, self._dim, self._plain = (
            ("\033[1m", "\033[32m", "\033[2m", "\033[0m") if colours else ("", "", "", ""))

    def step(self, text: str) -> None:
        self._number += 1
        print(f"\n{self._bold}{self._number}. {text}{self._plain}", flush=True)

    def line(self, text: str) -> None:
        print(f"   {text}", flush=True)

    def command(self, text: str) -> None:
        print(f"   {self._dim}${self._plain} {text}", flush=True)

    def fact(self, true: bool, text: str, instead: str = "") -> None:
        """Shows the fact, or ends the demo with what was found in its place."""
        if not true:
            raise Untrue(f"not so: {text}" + (f"; instead: {instead}" if instead else ""))
        print(f"   {self._green}✓{self._plain} {text}", flush=True)

    def must(self, true: bool, instead: str) -> None:
        """Ends the demo with what was found where something is not so that is not worth a line."""
        if not true:
            raise Untrue(instead)

    def end(self) -> None:
        print(f"\nAll of it true, in {time.monotonic() - self._began:.1f} s.", flush=True)
