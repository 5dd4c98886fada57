# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for a condition with a deadline, in place of sleeping for a time that someone guessed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TimedOut(AssertionError):
    """The condition did not come true in time; the message says which one."""


def wait_until(what: str, condition: Callable[[], T], timeout: float = 5.0, pause: float = 0.02) -> T:
    """Calls `condition` until its value is true and returns that value; raises TimedOut after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {timeout:g} s for this and it did not happen: {what}")
        time.sleep(pause)


def wait_settled(what: str, read: Callable[[], T], still: float = 0.1, timeout: float = 5.0) -> T:
    """Reads until the value has not changed for `still` seconds and returns it."""
    deadline = time.monotonic() + timeout
    value, since = read(), time.monotonic()
    while time.monotonic() - since < still:
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {timeout:g} s for this to settle and it did not: {what}")
        time.sleep(0.02)
        if (now := read()) != value:
            value, since = now, time.monotonic()
    return value
