# SPDX-License-Identifier: BSD-2-Clause
"""Backbone nodes that share their edges through a cluster of three etcd members, with TLS and users."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority import Authority
from backbone_io import Edge, EtcdCluster, Node, has_etcd, nonce_label
from conftest import need
from wait import wait_until

SHARED_WITHIN = 1.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[EtcdCluster]:
    """With users: what a node may do, it may do below its prefix only."""
    need(has_etcd())
    made = EtcdCluster(tmp_path_factory.mktemp("etcd"))
    made.enable_users()
    yield made
    made.stop_all()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Of its own for each test."""
    return f"/nearside/{request.node.name}/"


@pytest.fixture
def nodes(cluster: EtcdCluster, ca: Authority, prefix: str, tmp_path: Path) -> Iterator[list[Node]]:
    """Two, which know each other only by way of etcd."""
    made = [Node(ca, tmp_path / f"{name}.log", *cluster.options(), "--etcd-prefix", prefix, name=name)
            for name in ("b1", "b2")]
    for node in made:
        wait_until("the node has joined", lambda node=node: node.counter("etcd", "connected"), 20)
    yield made
    for node in made:
        node.stop()


def has(node: Node, edge: Edge, state: str = "alive") -> bool:
    known = node.ask("edges").get(edge.name)
    return known is not None and known["state"] == state


def stored(cluster: EtcdCluster, prefix: str, member: int = 0) -> dict[str, dict]:
    """What etcd has, by edge."""
    begin, end = (base64.b64encode(text.encode()).decode() for text in (prefix, prefix[:-1] + "0"))
    found = cluster.call("/v3/kv/range", {"key": begin, "range_end": end}, cluster.token(member), member)
    return {base64.b64decode(one["key"]).decode().removeprefix(prefix): json.loads(base64.b64decode(one["value"]))
            for one in found.get("kvs", [])}


def put(cluster: EtcdCluster, key: str, value: bytes) -> None:
    """As another program would."""
    cluster.call("/v3/kv/put", {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value).decode()},
                 cluster.token())


def test_what_one_node_accepts_the_other_has_within_a_second(nodes: list[Node], ca: Authority, cluster: EtcdCluster,
                                                            prefix: str) -> None:
    """A registration with a row, and a withdrawal; a row is there as it was proved."""
    edge = Edge(ca, "e17")
    answer = edge.register(nodes[0])[1]
    label = nonce_label(answer, 1)
    nodes[0].ask(f"sight {label} 198.51.100.7")
    status, _ = edge.register(nodes[0], egresses=[{"address": "198.51.100.7", "nonce": label, "rtt_us": 4200}])
    assert status == 200
    begun = time.monotonic()
    wait_until("the other node has the row", lambda: nodes[1].ask("rows")["rows"] == 1, SHARED_WITHIN)
    took = time.monotonic() - begun
    assert has(nodes[1], edge)
    assert nodes[1].ask("edges")[edge.name]["accepted_by"] == "b1.ns.lb.example.com."
    record = stored(cluster, prefix)[edge.name]
    assert record["egresses"][0]["who"] == "198.51.100.7/32"
    assert edge.post(nodes[0], "/v1/withdraw", edge.message())[0] == 200
    wait_until("the other node has the withdrawal", lambda: has(nodes[1], edge, "withdrawn"), SHARED_WITHIN)
    print(f"shared after {1000 * took:.0f} ms")


def test_a_replay_at_the_other_node_is_refused(nodes: list[Node], ca: Authority) -> None:
    """What the first took, the second has heard of."""
    edge = Edge(ca, "e17")
    body = json.dumps(edge.message(lifetime=300, addresses=["192.0.2.17"], egresses=[])).encode()
    assert edge.post(nodes[0], "/v1/register", body)[0] == 200
    wait_until("the other node has it", lambda: has(nodes[1], edge), SHARED_WITHIN)
    assert edge.post(nodes[1], "/v1/register", body)[0] == 409


def test_renewals_that_say_nothing_new_are_not_written(nodes: list[Node], ca: Authority) -> None:
    """Each node gets them by itself; etcd is only told again when half of the lease has passed, or something changed."""
    edge = Edge(ca, "e17")
    assert edge.register(nodes[0])[0] == 200
    wait_until("the other node has it", lambda: has(nodes[1], edge), SHARED_WITHIN)
    for _ in range(10):
        for node in nodes:
            assert edge.post(node, "/v1/renew", edge.message(lifetime=300))[0] == 200
    wait_until("nothing waits", lambda: all(node.counter("etcd", "waiting") == 0 for node in nodes))
    assert sum(node.counter("etcd", "written") for node in nodes) == 1
    assert sum(node.counter("etcd", "spared") for node in nodes) > 0
    assert edge.register(nodes[1], ["192.0.2.18"])[0] == 200
    wait_until("a change is written", lambda: nodes[0].ask("edges")[edge.name]["services"][0]["address"] == "192.0.2.18")


def test_a_node_that_comes_later_gets_all(nodes: list[Node], ca: Authority, cluster: EtcdCluster, prefix: str,
                                          tmp_path: Path) -> None:
    """More than a page of them."""
    edge = Edge(ca, "e0", ca.issue("many", ",".join(f"DNS:e{i}.ns.lb.example.com" for i in range(600))))
    for i in range(600):
        edge.name = f"e{i}.ns.lb.example.com."
        assert edge.register(nodes[0])[0] == 200
    wait_until("all is written", lambda: nodes[0].counter("etcd", "waiting") == 0, 10)
    late = Node(ca, tmp_path / "b3.log", *cluster.options(), "--etcd-prefix", prefix, name="b3")
    try:
        wait_until("the late node has all", lambda: len(late.ask("edges")) == 600, 10)
    finally:
        late.stop()


def test_values_that_are_no_records_harm_nobody(nodes: list[Node], ca: Authority, cluster: EtcdCluster,
                                                prefix: str) -> None:
    """Not JSON, another edge's record, and nothing; counted and logged."""
    edge = Edge(ca, "e17")
    edge.register(nodes[0])
    wait_until("it is written", lambda: edge.name in stored(cluster, prefix))
    record = json.dumps(stored(cluster, prefix)[edge.name]).encode()
    for key, value in (("e66.ns.lb.example.com.", b"\xff"), ("e66.ns.lb.example.com.", record), ("", b"{}"),
                       ("e67.ns.lb.example.com.", b'{"edge":"e67.ns.lb.example.com."}')):
        put(cluster, prefix + key, value)
    for node in nodes:
        wait_until("they are counted", lambda node=node: node.counter("etcd", "malformed") == 4)
        assert "etcd value refused" in node.text()
        assert set(node.ask("edges")) == {edge.name}
        assert node.counter("etcd", "connected")


def test_an_older_record_in_etcd_is_written_over(nodes: list[Node], ca: Authority, cluster: EtcdCluster,
                                                 prefix: str) -> None:
    """By a node that was away, say: who knows better says so again."""
    edge = Edge(ca, "e17")
    edge.register(nodes[0], ["192.0.2.17"])
    wait_until("it is written", lambda: edge.name in stored(cluster, prefix))
    old = stored(cluster, prefix)[edge.name]
    edge.register(nodes[0], ["192.0.2.18"])
    wait_until("the newer is written", lambda: stored(cluster, prefix)[edge.name]["addresses"] == ["192.0.2.18"])
    put(cluster, prefix + edge.name, json.dumps(old).encode())
    wait_until("the newer stands again", lambda: stored(cluster, prefix)[edge.name]["addresses"] == ["192.0.2.18"])
    for node in nodes:
        assert node.ask("edges")[edge.name]["services"][0]["address"] == "192.0.2.18"


def test_a_member_that_is_killed_is_left_for_the_next(nodes: list[Node], ca: Authority, cluster: EtcdCluster) -> None:
    """Registrations go on all the while, and are shared a few seconds later at the latest."""
    in_use = cluster.clients.index(int(nodes[0].counter("etcd", "endpoint").rsplit(":", 1)[1]))
    cluster.stop(in_use)
    edge = Edge(ca, "e17")
    assert edge.register(nodes[0])[0] == 200
    wait_until("the other node has it", lambda: has(nodes[1], edge), 15)
    cluster.start(in_use)
    cluster.wait_for_quorum(member=in_use)


def test_while_etcd_is_away_each_goes_on_and_afterwards_catches_up(nodes: list[Node], ca: Authority,
                                                                    cluster: EtcdCluster) -> None:
    """Writes wait, the newest of each edge; what happened meanwhile is known within seconds of the return."""
    before = Edge(ca, "e1")
    assert before.register(nodes[0])[0] == 200
    wait_until("the other node has it", lambda: has(nodes[1], before), SHARED_WITHIN)
    cluster.stop_all()
    for node in nodes:
        wait_until("the node has noticed", lambda node=node: not node.counter("etcd", "connected"), 10)
        assert has(node, before)
    first, second = Edge(ca, "e2"), Edge(ca, "e3")
    begun = time.monotonic()
    for i in range(20):
        assert first.register(nodes[0], [f"192.0.2.{i + 1}"])[0] == 200
    assert second.register(nodes[1])[0] == 200
    assert time.monotonic() - begun < 2, "etcd must not hold up a registration"
    assert nodes[0].counter("etcd", "waiting") == 1
    for number in range(3):
        cluster.start(number)
    cluster.wait_for_quorum()
    begun = time.monotonic()
    wait_until("the second node has the first edge", lambda: has(nodes[1], first), 20)
    wait_until("the first node has the second edge", lambda: has(nodes[0], second), 20)
    print(f"caught up {time.monotonic() - begun:.1f} s after etcd was back")
    assert nodes[1].ask("edges")[first.name]["services"][0]["address"] == "192.0.2.20"


def test_a_watch_that_is_compacted_away_reads_all_anew(nodes: list[Node], ca: Authority, cluster: EtcdCluster,
                                                      prefix: str) -> None:
    """A node whose session broke, and whose revision is gone when it comes back."""
    edge, other = Edge(ca, "e17"), Edge(ca, "e18")
    edge.register(nodes[0])
    wait_until("the other node has it", lambda: has(nodes[1], edge), SHARED_WITHIN)
    for member in range(3):
        cluster.stop(member)
    wait_until("both have noticed", lambda: not any(n.counter("etcd", "connected") for n in nodes), 10)
    for member in range(3):
        cluster.start(member)
    cluster.wait_for_quorum()
    for i in range(5):
        put(cluster, "/nearside/elsewhere", str(i).encode())
    revision = cluster.call("/v3/kv/range", {"key": base64.b64encode(b"/x").decode()}, cluster.token())["header"]["revision"]
    cluster.call("/v3/kv/compaction", {"revision": revision, "physical": True}, cluster.token())
    for node in nodes:
        wait_until("the node is back", lambda node=node: node.counter("etcd", "connected"), 20)
    other.register(nodes[0])
    wait_until("the other node has the new edge", lambda: has(nodes[1], other), 5)


def test_a_session_outlives_its_token(nodes: list[Node], ca: Authority, cluster: EtcdCluster) -> None:
    """A member that starts anew has forgotten all tokens: the node logs in again by itself."""
    for member in range(3):
        cluster.stop(member)
        cluster.start(member)
        cluster.wait_for_quorum(member=member)
    edge = Edge(ca, "e17")
    assert edge.register(nodes[0])[0] == 200
    wait_until("the other node has it", lambda: has(nodes[1], edge), 20)


def test_a_wrong_password_is_said_and_the_node_goes_on_alone(ca: Authority, cluster: EtcdCluster, tmp_path: Path) -> None:
    """It tries again, with growing pauses."""
    options = [word if word != "not a secret" else "wrong" for word in cluster.options()]
    node = Node(ca, tmp_path / "b4.log", *options, name="b4")
    try:
        wait_until("it is said", lambda: "authentication failed" in node.text(), 10)
        assert Edge(ca, "e17").register(node)[0] == 200
        assert not node.counter("etcd", "connected")
    finally:
        node.stop()


def test_a_member_with_a_certificate_of_another_authority_is_not_believed(ca: Authority, cluster: EtcdCluster,
                                                                         tmp_path: Path) -> None:
    """Whoever answers at etcd's port must be etcd."""
    options = [word if word != str(cluster.ca.ca) else str(ca.ca) for word in cluster.options()]
    node = Node(ca, tmp_path / "b5.log", *options, name="b5")
    try:
        wait_until("it is said", lambda: "unknown issuer" in node.text(), 10)
        assert not node.counter("etcd", "connected")
    finally:
        node.stop()
