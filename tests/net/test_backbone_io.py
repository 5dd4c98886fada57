# SPDX-License-Identifier: BSD-2-Clause
"""Registration over real TLS: who gets in, what is refused, what is proved and kept."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority import Authority, Certificate
from backbone_io import Edge, Node, nonce_label
from registration_document import check
from wait import wait_until

REPORT = {"servers": ["fra1"], "figures": [[0, 4, "up", 11.75, 0, 0.8]],
          "answers": [{"names": ["www.lb.example.com."], "family": 4, "ttl": 20, "rank": [0]}]}


@pytest.fixture(scope="module")
def node(ca: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node(ca, tmp_path_factory.mktemp("node") / "log")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def edge(ca: Authority) -> Edge:
    return Edge(ca, "e17")


def curl(node: Node, ca: Authority, target: str, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What a person would type."""
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", str(ca.ca), "--data-binary", body, *options,
         f"https://127.0.0.1:{node.port}{target}"], capture_output=True, text=True, timeout=20, check=False)


def as_client(certificate: Certificate) -> list[str]:
    return ["--cert", str(certificate.certificate), "--key", str(certificate.key)]


# ---- who gets in ----

def test_an_edge_registers_with_curl(node: Node, ca: Authority, edge: Edge) -> None:
    """The answer is what the API says, and the node knows the edge."""
    done = curl(node, ca, "/v1/register", json.dumps(edge.message(
        lifetime=300, addresses=["192.0.2.17", "2001:db8:17::53"], egresses=[])), *as_client(edge.certificate))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    check("registered", answer)
    assert answer["lifetime"] == 300
    assert answer["nonce_zone"] == "b1.who.lb.example.com."
    assert node.ask("edges")[edge.name]["accepted_by"] == "b1.ns.lb.example.com."


def test_a_client_without_a_certificate_is_refused_in_the_handshake(node: Node, ca: Authority) -> None:
    """It never gets as far as HTTP; counted and logged."""
    before = node.counter("https", "no_certificate")
    done = curl(node, ca, "/v1/register", "{}")
    assert done.returncode != 0 and done.stdout == ""
    assert "certificate required" in done.stderr
    assert node.counter("https", "no_certificate") == before + 1
    assert 'reason="no client certificate"' in node.text()


def test_a_certificate_of_another_authority_is_refused_in_the_handshake(node: Node, ca: Authority, tmp_path: Path) -> None:
    """The same name, signed by somebody else."""
    before = node.counter("https", "bad_certificate")
    other = Authority(tmp_path / "other").issue("e17", "DNS:e17.ns.lb.example.com")
    done = curl(node, ca, "/v1/register", "{}", *as_client(other))
    assert done.returncode != 0 and "unknown ca" in done.stderr
    assert node.counter("https", "bad_certificate") == before + 1


def test_an_expired_certificate_is_refused_in_the_handshake(node: Node, ca: Authority) -> None:
    """Its time is over."""
    before = node.counter("https", "bad_certificate")
    done = curl(node, ca, "/v1/register", "{}", *as_client(ca.issue("old", "DNS:old.ns.lb.example.com", days=-1)))
    assert done.returncode != 0 and "certificate expired" in done.stderr
    assert node.counter("https", "bad_certificate") == before + 1
    assert "certificate has expired" in node.text()


def test_the_node_shows_a_certificate_that_clients_can_verify(node: Node, edge: Edge, tmp_path: Path) -> None:
    """A client that expects another authority does not go on."""
    done = curl(node, Authority(tmp_path / "other"), "/v1/register", "{}", *as_client(edge.certificate))
    assert done.returncode == 60, done.stderr


def test_other_files_are_in_force_at_once(ca: Authority, tmp_path: Path) -> None:
    """Who was connected must come again, and meets the new authority."""
    files = tmp_path / "files"
    first = Authority(files, "the first")
    node = Node(first, tmp_path / "log")
    try:
        edge = Edge(first, "e17")
        assert edge.register(node)[0] == 200
        second = Authority(tmp_path / "second", "the second")
        first.ca.write_bytes(second.ca.read_bytes())
        node.ask("tls")
        with pytest.raises((OSError, http.client.HTTPException)):  # closed under our hands
            edge.register(node)
        before = node.counter("https", "bad_certificate")
        renewed = Edge(first, "e18", second.issue("e18", "DNS:e18.ns.lb.example.com"))
        edge.context = lambda: without_verifying(edge)  # type: ignore[method-assign]
        renewed.context = lambda: without_verifying(renewed)  # type: ignore[method-assign]
        with pytest.raises(OSError):
            edge.register(node)
        assert node.counter("https", "bad_certificate") == before + 1
        assert renewed.register(node)[0] == 200
    finally:
        node.stop()


def without_verifying(edge: Edge) -> ssl.SSLContext:
    """The node's certificate is the first authority's still."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(edge.certificate.certificate, edge.certificate.key)
    return context


# ---- what is refused ----

def refused(node: Node, word: str) -> int:
    return node.counter("messages", "refused", word)


def test_an_edge_cannot_speak_for_another(node: Node, ca: Authority, edge: Edge) -> None:
    """A good certificate for another name; and a service address that is not among the certificate's."""
    before = refused(node, "not_allowed")
    thief = Edge(ca, "e66")
    thief.name = edge.name
    for target, more in (("/v1/register", {"lifetime": 60, "addresses": ["192.0.2.66"], "egresses": []}),
                         ("/v1/renew", {"lifetime": 60}), ("/v1/withdraw", {}), ("/v1/report", REPORT)):
        status, answer = thief.post(node, target, thief.message(**more))
        assert (status, answer["error"]) == (403, "not_allowed")
        check("error", answer)
    bound = Edge(ca, "e67", ca.issue("e67", "DNS:e67.ns.lb.example.com,IP:192.0.2.67"))
    assert bound.register(node, ["192.0.2.66"])[0] == 403
    assert bound.register(node, ["192.0.2.67"])[0] == 200
    assert refused(node, "not_allowed") == before + 5
    assert 'word=not_allowed target="/v1/register" edge="e17.ns.lb.example.com."' in node.text()
    assert node.ask("edges")[edge.name]["services"][0]["address"] != "192.0.2.66"


def test_a_replay_changes_nothing(node: Node, edge: Edge) -> None:
    """The same octets a second time, and anything older, are told the newest number."""
    before = refused(node, "stale_sequence")
    body = json.dumps(edge.message(lifetime=300, addresses=["192.0.2.17"], egresses=[])).encode()
    assert edge.post(node, "/v1/register", body)[0] == 200
    status, answer = edge.post(node, "/v1/register", body)
    assert (status, answer["error"], answer["newest"]) == (409, "stale_sequence", edge.sequence)
    check("error", answer)
    late = {"edge": edge.name, "sequence": edge.sequence - 1}
    assert edge.post(node, "/v1/withdraw", late)[0] == 409
    assert node.ask("edges")[edge.name]["state"] != "withdrawn"
    assert refused(node, "stale_sequence") == before + 2


def test_a_late_registration_does_not_bring_a_withdrawn_edge_back(node: Node, ca: Authority) -> None:
    """The withdrawal's number counts."""
    edge = Edge(ca, "e18")
    late = json.dumps(edge.message(lifetime=300, addresses=["192.0.2.18"], egresses=[])).encode()
    assert edge.register(node, ["192.0.2.18"])[0] == 200
    status, answer = edge.post(node, "/v1/withdraw", edge.message())
    assert (status, answer) == (200, {})
    assert edge.post(node, "/v1/register", late)[0] == 409
    assert edge.post(node, "/v1/renew", edge.message(lifetime=60))[1]["error"] == "unknown_edge"
    assert edge.register(node, ["192.0.2.18"])[0] == 200


def test_who_is_not_known_is_told_to_register(node: Node, ca: Authority) -> None:
    """Renewal and report."""
    edge = Edge(ca, "e19")
    for target, more in (("/v1/renew", {"lifetime": 60}), ("/v1/report", REPORT)):
        status, answer = edge.post(node, target, edge.message(**more))
        assert (status, answer["error"]) == (404, "unknown_edge")
        check("error", answer)


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b"{", b'{"edge":"e17.ns.lb.example.com."}', b"\xff\xfe", b'{"edge":1,"sequence":1,"lifetime":60}',
    b'{"edge":"e17.ns.lb.example.com.","sequence":-1,"lifetime":60}',
    b'{"edge":"e17.ns.lb.example.com.","sequence":1.5,"lifetime":60}',
    b'{"edge":"e17.ns.lb.example.com.","sequence":9007199254740992,"lifetime":60}',
    b'{"edge":"e17.ns.lb.example.com.","sequence":1,"lifetime":9}',
    b'{"edge":"e17.ns.lb.example.com.","sequence":1,"lifetime":3601}', b'{"a":' * 5000], ids=lambda body: repr(body)[:40])
def test_what_makes_no_sense_is_malformed(node: Node, edge: Edge, body: bytes) -> None:
    """With the member's name, counted, and the node goes on."""
    before = refused(node, "malformed")
    status, answer = edge.post(node, "/v1/renew", body)
    assert (status, answer["error"]) == (400, "malformed")
    check("error", answer)
    assert refused(node, "malformed") == before + 1


def test_only_the_four_targets_are_there(node: Node, ca: Authority, edge: Edge) -> None:
    """By POST."""
    before = refused(node, "unknown_target")
    for target in ("/", "/v1", "/v1/registe", "/v1/register/", "/v2/register", "//v1/register"):
        status, answer = edge.post(node, target, {})
        assert (status, answer["error"]) == (404, "unknown_target")
        check("error", answer)
    done = curl(node, ca, "/v1/register", "", *as_client(edge.certificate), "--request", "GET", "--write-out", "%{http_code}")
    assert done.stdout.endswith("405")
    assert refused(node, "unknown_target") == before + 7


def test_a_body_beyond_its_bound_is_too_large(node: Node, edge: Edge) -> None:
    """64 KiB as it is sent, and 1 MiB as it inflates: a small bomb is refused like a large body."""
    status, answer = edge.post(node, "/v1/register", b" " * 65537)
    assert (status, answer["error"]) == (413, "too_large")
    check("error", answer)
    bomb = zlib.compress(b" " * 50_000_000, 9)
    assert len(bomb) < 65536
    before = refused(node, "too_large")
    status, answer = edge.post(node, "/v1/report", bomb, {"Content-Encoding": "deflate"})
    assert (status, answer["error"]) == (413, "too_large")
    assert refused(node, "too_large") == before + 1


def test_too_many_members_are_too_large(node: Node, edge: Edge) -> None:
    """Nine addresses, 257 egresses."""
    assert edge.register(node, [f"192.0.2.{i}" for i in range(1, 10)])[1]["error"] == "too_large"
    many = [{"address": f"198.51.{i >> 8}.{i & 255}"} for i in range(257)]
    assert edge.register(node, None, many)[1]["error"] == "too_large"


def test_a_report_may_be_deflated_and_nothing_else(node: Node, edge: Edge) -> None:
    """zlib's format; broken or unknown codings are malformed."""
    edge.register(node)
    status, answer = edge.post(node, "/v1/report", zlib.compress(json.dumps(edge.message(**REPORT)).encode()),
                               {"Content-Encoding": "deflate"})
    assert (status, answer) == (200, {})
    check("nothing", answer)
    assert node.ask("edges")[edge.name]["reported"]
    whole = json.dumps(edge.message(**REPORT)).encode()
    for body, coding in ((whole, "deflate"), (zlib.compress(whole)[:-5], "deflate"), (whole, "gzip")):
        assert edge.post(node, "/v1/report", body, {"Content-Encoding": coding})[0] == 400
    renewal = zlib.compress(json.dumps(edge.message(lifetime=60)).encode())
    assert edge.post(node, "/v1/renew", renewal, {"Content-Encoding": "deflate"})[0] == 400


# ---- proofs ----

def test_an_egress_counts_where_its_nonce_was_seen(node: Node, ca: Authority) -> None:
    """Not before, not with another edge's nonce, not from another address."""
    edge, other = Edge(ca, "e31"), Edge(ca, "e32")
    answer = edge.register(node)[1]
    foreign = nonce_label(other.register(node)[1], 1)
    label = nonce_label(answer, 1)
    check("nonce", label)

    def verdicts(*claims: dict[str, Any]) -> list[tuple[str, str]]:
        status, said = edge.register(node, egresses=list(claims))
        assert status == 200
        check("registered", said)
        return [(one["state"], one.get("reason", "")) for one in said["egresses"]]

    claim = {"address": "198.51.100.31", "nonce": label, "rtt_us": 4200}
    assert verdicts(claim) == [("refused", "not_seen")]
    assert not node.ask(f"sight {label[:-1]}0 198.51.100.31")["verified"] or label.endswith("0")
    assert node.ask(f"sight {label} 198.51.100.31")["verified"]
    assert verdicts(claim, {"address": "198.51.100.99", "nonce": label},
                    {"address": "198.51.100.31", "nonce": foreign})[:2] == [("accepted", ""), ("refused", "not_seen")]
    # A stolen certificate: its bearer can register as the edge, but not claim what does not ask with its nonces.
    assert node.ask(f"sight {foreign} 198.51.100.32")["verified"]
    assert verdicts({"address": "198.51.100.32", "nonce": foreign}) == [("refused", "bad_nonce")]
    assert node.ask("edges")[edge.name]["egresses"] == 0


# ---- clients that do not play by the rules ----

def test_clients_that_stall_keep_nobody_out(own_node: Node, edge: Edge) -> None:
    """Connections that never shake hands."""
    stalled = [socket.create_connection(("127.0.0.1", own_node.port)) for _ in range(200)]
    try:
        def registers() -> bool:
            try:
                return Edge(edge.ca, "e17", edge.certificate).register(own_node)[0] == 200
            except OSError:
                return False
        # All come from one address, which has half of the places: until those that stall are given up.
        wait_until("an edge can register", registers, 10, 0.1)
        assert own_node.counter("https", "crowded") > 0
    finally:
        for one in stalled:
            one.close()


def test_a_connection_carries_many_messages(node: Node, edge: Edge) -> None:
    """One handshake for all of them."""
    edge.close()
    before = node.counter("https", "accepted")
    for _ in range(50):
        assert edge.register(node)[0] == 200
    assert node.counter("https", "accepted") == before + 1


def test_sessions_are_resumed_with_the_edges_certificate(node: Node, ca: Authority, edge: Edge, tmp_path: Path) -> None:
    """By openssl's own client: a ticket of TLS 1.3, and the name is still the edge's."""
    session = tmp_path / "session"
    edge.register(node)

    def ask(*options: str) -> str:
        body = json.dumps(edge.message(lifetime=60))
        request = f"POST /v1/renew HTTP/1.1\r\nHost: b1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{node.port}", "-CAfile", str(ca.ca), "-cert",
             str(edge.certificate.certificate), "-key", str(edge.certificate.key), "-ign_eof", *options],
            input=request, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout
    assert "HTTP/1.1 200" in ask("-sess_out", str(session))
    before = node.counter("https", "resumed")
    again = ask("-sess_in", str(session))
    assert "Reused, TLSv1.3" in again and "HTTP/1.1 200" in again
    assert node.counter("https", "resumed") == before + 1


# ---- what is kept ----

def test_a_killed_node_knows_its_edges_when_it_is_back(own_node: Node, ca: Authority) -> None:
    """kill -9 after a moment: records are there, are in use, and replays are still refused."""
    edge = Edge(ca, "e41")
    answer = edge.register(own_node)[1]
    label = nonce_label(answer, 1)
    own_node.ask(f"sight {label} 198.51.100.41")
    body = json.dumps(edge.message(lifetime=300, addresses=["192.0.2.41"], egresses=[
        {"address": "198.51.100.41", "nonce": label}])).encode()
    assert edge.post(own_node, "/v1/register", body)[0] == 200
    wait_until("all is written", lambda: own_node.counter("store", "waiting") == 0 and own_node.counter("store", "written") > 0)
    own_node.kill()
    own_node.start()
    assert own_node.ready["loaded"] == 1
    known = own_node.ask("edges")[edge.name]
    assert (known["state"], known["egresses"], own_node.ask("rows")["rows"]) == ("alive", 1, 1)
    edge.close()
    assert edge.post(own_node, "/v1/register", body)[0] == 409
    assert edge.post(own_node, "/v1/renew", edge.message(lifetime=300))[0] == 200


def test_the_log_is_bounded(own_node: Node, edge: Edge) -> None:
    """A thousand refusals are a few lines, and all are counted."""
    begun = time.monotonic()
    for _ in range(1000):
        edge.post(own_node, "/v1/renew", b"{}")
    took = time.monotonic() - begun
    lines = own_node.text().count("word=malformed")
    assert 1 <= lines <= 11 + took
    assert refused(own_node, "malformed") == 1000
