# SPDX-License-Identifier: BSD-2-Clause
"""A backbone node that starts: whom it refers before the kernel has its rows, and what the kernel has afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from backbone_alone import BackboneAlone, edge_name, missing_for_backbone_alone
from conftest import need
from wait import wait_until

EDGES, ROWS = 20_000, 2


@pytest.fixture
def node() -> Iterator[BackboneAlone]:
    need(missing_for_backbone_alone())
    with BackboneAlone() as alone:
        yield alone


def shown_rows(node: BackboneAlone) -> int:
    """How many rows bpftool shows of IPv4 resolvers."""
    dumped = node.space.run("bpftool", "--json", "map", "dump", "pinned", str(node.pins / "maps" / "mapping4"))
    return len(json.loads(dumped))


def test_a_restarted_node_refers_by_its_store_before_the_kernel_has_it(node: BackboneAlone) -> None:
    """Once with maps made anew, once with those of the agent before; then with a store that has lost half of the edges."""
    last = EDGES - 1
    source = node.resolver_of(last, ROWS)
    node.fill_store(EDGES, ROWS)
    for _ in range(2):
        process = node.begin()
        wait_until("it refers", lambda: node.referred_to(source) == edge_name(last), timeout=30)
        assert "mapping loaded" not in process.text()
        process.wait_for_text(f"mapping loaded rows={EDGES * ROWS}", timeout=60)
        assert node.referred_to(source) == edge_name(last)
        wait_until("people see all rows", lambda: shown_rows(node) == EDGES * ROWS, timeout=20)
        process.kill()
    (node.state / "edges.mdb").unlink()
    node.fill_store(EDGES // 2, ROWS)
    node.begin().wait_for_text(f"mapping loaded rows={EDGES // 2 * ROWS}", timeout=60)
    assert node.referred_to(source) != edge_name(last)
    wait_until("people see the others no more", lambda: shown_rows(node) == EDGES // 2 * ROWS, timeout=20)


def test_a_node_without_any_edge_takes_away_what_an_agent_before_has_left(node: BackboneAlone) -> None:
    """Its store is lost: nobody registers, so there is nothing to be told but that."""
    node.fill_store(10, ROWS)
    process = node.begin()
    process.wait_for_text(f"mapping loaded rows={10 * ROWS}", timeout=20)
    wait_until("people see the rows", lambda: shown_rows(node) == 10 * ROWS)
    process.kill()
    (node.state / "edges.mdb").unlink()
    node.begin().wait_for_text("mapping loaded rows=0", timeout=20)
    wait_until("people see none", lambda: shown_rows(node) == 0)
