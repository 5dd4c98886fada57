# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a lab with the full zone that most tests share, and a lab of its own for those that break things."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from command_line import Host
from environment import missing_for_lab, mount_bpffs
from lab import Lab
from zones import FULL_ZONE


def need(missing: str) -> None:
    """Skips with the reason; with NEARSIDE_NO_SKIP set, as in CI, what is missing is a failure."""
    if missing:
        if os.environ.get("NEARSIDE_NO_SKIP"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def edge() -> Iterator[Lab]:
    """The shared lab: nearsided serves the full zone and the program is attached."""
    need(missing_for_lab())
    with Lab() as lab:
        lab.write_config(FULL_ZONE)
        lab.start_agent()
        lab.attach()
        yield lab


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """The namespaces alone, for a test that starts and ends the agent itself."""
    need(missing_for_lab())
    with Lab() as lab:
        yield lab


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with one veth, removed whatever happens."""
    need(missing_for_lab())
    mount_bpffs()
    made = Host()
    try:
        made.add_veth()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def sampled() -> Iterator[Lab]:
    """A lab with agent and program whose every query is sampled."""
    need(missing_for_lab())
    with Lab() as lab:
        lab.write_config("[events]\nsample_interval = 1\n" + FULL_ZONE)
        lab.start_agent()
        lab.attach()
        yield lab
