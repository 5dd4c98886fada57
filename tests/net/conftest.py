# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a lab with the full zone that most tests share, and a lab of its own for those that break things."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority import Authority
from backbone_io import Node as BackboneNode
from backbone_io import missing_for_backbone
from command_line import Host
from environment import missing_for_lab, mount_bpffs
from full_lab import FullLab
from full_stage import missing_for_full_lab
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


class Held:
    """The full lab between the modules that use it."""

    def __init__(self) -> None:
        self.undo = contextlib.ExitStack()
        self.lab: FullLab | None = None


@pytest.fixture(scope="session")
def held() -> Iterator[Held]:
    """It is down at the end of the session, if not before."""
    made = Held()
    try:
        yield made
    finally:
        made.undo.close()


@pytest.fixture(scope="module")
def full(request: pytest.FixtureRequest, held: Held) -> Iterator[FullLab]:
    """The full lab, settled: brought up for the first module that wants it, taken down after the last."""
    need(missing_for_full_lab())
    if held.lab is None:
        with contextlib.ExitStack() as undo:
            lab = undo.enter_context(FullLab())
            lab.bring_up()
            print(f"settled after {lab.wait_settled():.1f} s")
            held.lab, held.undo = lab, undo.pop_all()
    yield held.lab
    items = request.session.items
    last = max(number for number, item in enumerate(items) if item.path == request.path)
    if not any("full" in getattr(item, "fixturenames", ()) for item in items[last + 1:]):
        held.lab = None
        held.undo.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What the nodes of the full lab have logged belongs to the report of a failure."""
    report = (yield).get_result()  # type: ignore[attr-defined]
    lab = getattr(item, "funcargs", {}).get("full")
    if report.failed and isinstance(lab, FullLab):
        report.sections += [(f"log of {name}", node.log()[-3000:]) for name, node in lab.nodes.items() if node.agent]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    need(missing_for_backbone())
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def own_node(ca: Authority, tmp_path: Path) -> Iterator[BackboneNode]:
    """A backbone node without DNS, for a test that stops it, or fills it."""
    made = BackboneNode(ca, tmp_path / "log", "--store", str(tmp_path / "edges.mdb"))
    yield made
    made.stop()
