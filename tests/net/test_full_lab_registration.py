# SPDX-License-Identifier: BSD-2-Clause
"""Registrations that no honest edge would make, at a backbone node of the full lab: each is refused, counted and logged,
and no row changes."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from full_lab import FullLab
from full_plan import BACKBONES, EDGES, ISPS
from full_stage import EXPIRED, FOREIGN, STOLEN, STOLEN_EDGE
from registration_client import nonce, registration
from wait import wait_until

B1 = "b1"
HOME = EDGES["e1"]
# Somewhere in the core, where nobody answers DNS.
NOWHERE = ("192.0.2.254",)


@pytest.fixture(scope="module")
def lab(full: FullLab) -> FullLab:
    """All is well; nothing here changes that."""
    full.restore()
    return full


@contextlib.contextmanager
def refused(lab: FullLab, counter: str, logged: str = "") -> Iterator[None]:
    """In the block b1 refuses something, by that counter: it is counted and logged, and no row is another one.

    Lines of one kind are so many a second at most: what was said of an earlier one will do.
    """
    before, table = lab.refusals(B1)[counter], edges_of_rows(lab)
    yield
    wait_until(f"b1 counts a refusal ({counter})", lambda: lab.refusals(B1)[counter] > before)
    wait_until("b1 has logged it", lambda: (logged or f"word={counter}") in lab.nodes[B1].log())
    assert edges_of_rows(lab) == table


def edges_of_rows(lab: FullLab) -> dict[str, list[str]]:
    return {prefix: [claim["edge"] for claim in claims] for prefix, claims in lab.mappings(B1).items()}


@pytest.mark.parametrize("identity", ["", FOREIGN, EXPIRED], ids=["none", "another CA's", "expired"])
def test_a_registration_without_a_good_certificate_is_refused(lab: FullLab, identity: str) -> None:
    """The handshake fails: not a word of it is read."""
    with refused(lab, "handshake", "handshake refused"):
        said = lab.post(B1, "/v1/register", registration(HOME.edge_name, HOME.edge, {}), identity)
    assert said.status == 0, said


def test_a_certificate_speaks_for_its_own_edge_only(lab: FullLab) -> None:
    """The edge of isp4 registers as that of isp1, withdraws it, reports for it."""
    for path, body in (("/v1/register", registration(HOME.edge_name, HOME.edge, {})),
                       ("/v1/renew", {"edge": HOME.edge_name, "sequence": time.time_ns() // 1000, "lifetime": 10}),
                       ("/v1/withdraw", {"edge": HOME.edge_name, "sequence": time.time_ns() // 1000}),
                       ("/v1/report", {"edge": HOME.edge_name, "sequence": time.time_ns() // 1000, "servers": [],
                                       "figures": [], "answers": []})):
        with refused(lab, "not_allowed"):
            said = lab.post(B1, path, body, "e4")
        assert (said.status, said.error) == (403, "not_allowed"), said
    assert lab.referral(B1, "isp1").ns[0] == HOME.edge_name


def test_a_certificate_with_addresses_is_for_no_others(lab: FullLab) -> None:
    """The edge of isp4 gives the address of isp1's as its own."""
    edge = EDGES["e4"]
    with refused(lab, "not_allowed"):
        said = lab.post(B1, "/v1/register", registration(edge.edge_name, HOME.edge, {}), "e4")
    assert (said.status, said.error) == (403, "not_allowed"), said


def test_a_replayed_registration_is_refused(lab: FullLab) -> None:
    """The same body twice, and an older one after it."""
    body = registration(STOLEN_EDGE, NOWHERE, {})
    assert lab.post(B1, "/v1/register", body, STOLEN).status == 200
    for again in (body, body | {"sequence": body["sequence"] - 1}):
        with refused(lab, "stale_sequence"):
            said = lab.post(B1, "/v1/register", again, STOLEN)
        assert (said.status, said.error) == (409, "stale_sequence"), said


def test_a_stolen_certificate_cannot_claim_the_egress_of_another(lab: FullLab) -> None:
    """Its own nonce was never seen from there; a made-up one, or one for another node, proves nothing."""
    first = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, {}), STOLEN)
    other = lab.post("b2", "/v1/register", registration(STOLEN_EDGE, NOWHERE, {}), STOLEN)
    assert (first.status, other.status) == (200, 200), (first, other)
    wanted = HOME.egresses[0][0]
    for label, reason in ((nonce(first.body, 1), "not_seen"), (nonce(other.body, 1), "bad_nonce"),
                          ("a" * 26, "bad_nonce")):
        with refused(lab, "egress", reason):
            said = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, {wanted: label}), STOLEN)
        assert said.status == 200, said
        assert (said.egress(wanted)["state"], said.egress(wanted)["reason"]) == ("refused", reason), said
    assert lab.edges_in_row(B1, f"{wanted}/32") == ["e1"]
    assert lab.referral(B1, "isp1").ns[0] == HOME.edge_name


def test_an_egress_that_a_thief_can_ask_through_is_still_of_no_use_to_him(lab: FullLab) -> None:
    """He is a client of isp2's resolver and proves its egress: but nobody answers at the address that he gives, so the
    row's first edge is who it was."""
    isp = ISPS["isp2"]
    first = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, {}), STOLEN)
    label = nonce(first.body, 7)
    assert lab.ask("isp2", f"{label}.v4.{BACKBONES[B1].nonce_zone}").addresses == isp.egresses[0]
    said = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, {isp.egresses[0][0]: label}), STOLEN)
    assert said.egress(isp.egresses[0][0])["state"] == "accepted", said
    for _ in range(5):
        told = lab.referral(B1, "isp2")
        assert told.ns[0] == isp.edge_name and STOLEN_EDGE not in told.ns, told
    bye = lab.post(B1, "/v1/withdraw", {"edge": STOLEN_EDGE, "sequence": time.time_ns() // 1000}, STOLEN)
    assert bye.status == 200 and lab.edges_in_row(B1, isp.rows[0]) == [isp.edge_id]


def test_known_public_resolvers_cannot_be_claimed(lab: FullLab) -> None:
    """They serve many ISPs."""
    first = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, {}), STOLEN)
    claims = {address: nonce(first.body, 2) for address in ("8.8.8.8", "1.1.1.1", "9.9.9.9", "2001:4860:4860::8888")}
    with refused(lab, "egress", "public_resolver"):
        said = lab.post(B1, "/v1/register", registration(STOLEN_EDGE, NOWHERE, claims), STOLEN)
    assert {one["reason"] for one in said.body["egresses"]} == {"public_resolver"}, said


@pytest.mark.parametrize(("path", "body", "status", "word"), [
    ("/v1/register", "{", 400, "malformed"),
    ("/v1/register", json.dumps({"edge": STOLEN_EDGE, "sequence": "1", "lifetime": 10}), 400, "malformed"),
    ("/v1/register", json.dumps({"edge": STOLEN_EDGE, "filler": "x" * 70_000}), 413, "too_large"),
    ("/v1/renew", json.dumps({"edge": STOLEN_EDGE, "sequence": 2 ** 52, "lifetime": 10}), 404, "unknown_edge")],
    ids=["no JSON", "a sequence that is a text", "too large", "a renewal of nothing"])
def test_what_is_no_message_is_refused_by_its_word(lab: FullLab, path: str, body: str, status: int, word: str) -> None:
    lab.post(B1, "/v1/withdraw", {"edge": STOLEN_EDGE, "sequence": time.time_ns() // 1000}, STOLEN)
    with refused(lab, word):
        said = lab.post(B1, path, body, STOLEN)
    assert (said.status, said.error) == (status, word), said
