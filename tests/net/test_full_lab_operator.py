# SPDX-License-Identifier: BSD-2-Clause
"""What an operator of the full lab sees and changes: the verbs about the mapping, explanations across both levels, the
kernel's tables by bpftool, reloads of either role."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

import pytest

from full_config import REFERRAL_TTL
from full_lab import FullLab
from full_plan import BACKBONES, ISPS, ZONE
from wait import wait_until

ISP1, ISP2 = ISPS["isp1"], ISPS["isp2"]
WWW, DIRECT = f"www.{ZONE}", f"direct.{ZONE}"


@pytest.fixture
def lab(full: FullLab) -> FullLab:
    """All is well."""
    full.restore()
    return full


def shown(lab: FullLab, node: str, *words: str) -> str:
    """What a verb that asks the agent prints for people."""
    return lab.nodes[node].nearside(*words, "--socket", str(lab.nodes[node].socket))


def test_mappings_shows_the_rows_inside_a_prefix_and_why(lab: FullLab) -> None:
    lines = shown(lab, "b1", "mappings", ISP1.prefixes[0]).splitlines()
    assert lines[0].split()[:3] == ["RESOLVERS", "SITE", "EDGE"], lines
    for egress in ISP1.egresses[0]:
        line = next(line for line in lines if line.startswith(f"{egress}/32 "))
        assert f"{ISP1.edge_name}." in line and "proved" in line and "its nonce was seen from there" in line, line
    assert any("the operator's prefix table" in line for line in lines), lines
    assert not any(line.startswith(ISP2.egresses[0][0]) for line in lines), lines
    few = shown(lab, "b1", "mappings", "--limit", "1").splitlines()
    assert few[-1].startswith("1 of ") and few[-1].endswith("--limit shows more"), few


def test_edges_shows_each_address_of_an_edge_and_what_its_port_53_says(lab: FullLab) -> None:
    lines = shown(lab, "b2", "edges", "e2.*").splitlines()
    assert len(lines) == 3 and lines[1].startswith(f"{ISP2.edge_name}.") and " alive " in lines[1], lines
    assert [address in line and "answers" in line for address, line in zip(ISP2.edge, lines[1:])] == [True, True], lines
    lab.cut_off(ISP2.edge_id)
    wait_until("b2 leaves it out", lambda: " port_dead " in shown(lab, "b2", "edges", "e2.*"), timeout=10)
    lines = shown(lab, "b2", "edges", "e2.*").splitlines()
    assert all(" fails " in line and line.rstrip().endswith("no reply") for line in lines[1:]), lines


def test_egress_shows_what_an_edge_has_found_out_and_who_believes_it(lab: FullLab) -> None:
    text = shown(lab, ISP1.edge_id, "egress")
    assert ISP1.resolver[0] in text and "resolv.conf" in text, text
    for egress in (*ISP1.egresses[0], *ISP1.egresses[1]):
        assert egress in text, (egress, text)
    assert text.count("accepted") == 2 * len((*ISP1.egresses[0], *ISP1.egresses[1])), text
    for backbone in BACKBONES.values():
        assert backbone.ns in text and f"{backbone.address[0]}:8443" in text, text


@pytest.mark.parametrize(("node", "verb"), [("b1", "egress"), ("e1", "mappings"), ("e1", "edges")])
def test_a_verb_of_the_other_role_is_refused(lab: FullLab, node: str, verb: str) -> None:
    refused = lab.nodes[node].space.attempt(*lab.nodes[node].command(verb, "--socket", str(lab.nodes[node].socket)))
    assert refused.returncode == 6 and refused.stderr.startswith(f"nearside: {verb}: "), refused


def test_explain_goes_across_both_levels(lab: FullLab) -> None:
    """Which row and why, which edge, its candidates with figures, what is answered and why."""
    text = shown(lab, "b1", "explain", WWW, "--resolver", ISP1.egresses[0][0])
    for part in ("mode referral, decided by the resolver", f"{ISP1.egresses[0][0]}/32, site", f"{ISP1.edge_name}. (proved",
                 f"edge    {ISP1.edge_name}.: alive", "report ", f"referral to {ISP1.edge_name}. ", "because "):
        assert part in text, (part, text)
    best = next(line.split() for line in text.splitlines() if line.startswith(f"    {ISP1.best} ") and " ipv4 " in line)
    assert best[2:4] == ["up", "yes"] and float(best[4]) < 60, best
    told = lab.nodes["b1"].told("explain", DIRECT, "--resolver", ISP2.egresses[0][0], "--client", ISPS["isp3"].prefixes[0])
    mapping = told["mapping"]
    assert (mapping["mode"], mapping["decided_by"]) == ("direct", "client"), mapping
    assert mapping["client"]["row"]["prefix"] == ISPS["isp3"].prefixes[0] and mapping["client"]["used"], mapping
    assert mapping["answer"]["kind"] == "direct" and mapping["answer"]["scope"] == 24, mapping
    assert mapping["answer"]["ipv4"]["servers"][0] == ISPS["isp3"].best, mapping
    stranger = lab.nodes["b1"].told("explain", WWW, "--resolver", "203.0.113.77")["mapping"]
    assert stranger["row"] is None and stranger["decided_by"] == "default", stranger


@pytest.mark.parametrize(("table", "family"), [("mapping4", 0), ("mapping6", 1)])
def test_bpftool_shows_the_rows_of_the_kernel_by_name(lab: FullLab, table: str, family: int) -> None:
    """Claims 18 and 19: a resolver's address, an edge's address."""
    node = lab.nodes["b1"]

    def rows() -> dict[str, dict]:
        dumped = json.loads(node.space.run("bpftool", "--json", "map", "dump", "pinned", str(node.pins / "maps" / table)))
        return {text_of(row["formatted"]["key"]["resolver"]): row["formatted"] for row in dumped}
    for isp in ISPS.values():
        for egress in isp.egresses[family]:
            key = egress if family == 0 else text_of(bytes_of(egress)[:8] + [0] * 8)
            row = rows()[key]
            assert row["key"]["prefix_length"] == (64 if family else 32), row
            assert text_of(row["value"]["edge6" if family else "edge4"]) == isp.edge[family], row
            assert row["value"]["site"] > 0, row


def text_of(octets: list[int]) -> str:
    return str(ipaddress.ip_address(bytes(octets)))


def bytes_of(address: str) -> list[int]:
    return list(ipaddress.ip_address(address).packed)


@pytest.fixture
def config_of_b1(lab: FullLab) -> Iterator[str]:
    """The configuration of b1, in force again afterwards."""
    node = lab.nodes["b1"]
    before = node.config.read_text()
    yield before
    node.config.write_text(before)
    assert node.control({"verb": "reload"}) == {"reloaded": True}


def reload(lab: FullLab, node: str, text: str) -> dict:
    lab.nodes[node].config.write_text(text)
    return lab.nodes[node].control({"verb": "reload"})


def test_a_reloaded_backbone_node_refers_by_the_new_configuration_and_the_rows_that_it_had(
        lab: FullLab, config_of_b1: str) -> None:
    rows = lab.mappings("b1").keys()
    assert reload(lab, "b1", config_of_b1.replace(f'referral_ttl = "{REFERRAL_TTL}s"', 'referral_ttl = "45s"')) == {
        "reloaded": True}
    for isp in ISPS.values():
        for _ in range(5):  # the agent and the kernel in turn, as frames have room
            told = lab.referral("b1", isp.name)
            assert told.refers and told.ttl == 45 and told.ns[0] == isp.edge_name, told
    assert lab.mappings("b1").keys() == rows
    # A name that was answered directly is referred now.
    changed = config_of_b1.replace('mode = "direct"', 'mode = "referral"')
    assert changed != config_of_b1 and reload(lab, "b1", changed) == {"reloaded": True}
    assert lab.referral("b1", "isp1", DIRECT).refers
    # Registrations go on: nothing has to be told anew.
    def reporting(edge: dict) -> bool:
        return edge["state"] == "alive" and edge["report_age_s"] is not None and edge["report_age_s"] <= 3
    wait_until("reports arrive after the reload",
               lambda: all(reporting(lab.edges("b1")[isp.edge_id]) for isp in ISPS.values()), timeout=10)


@pytest.mark.parametrize("change", ["certificate", "role"])
def test_a_reload_with_a_fault_changes_nothing(lab: FullLab, config_of_b1: str, change: str) -> None:
    if change == "certificate":
        wrong = "".join('key = "/none.pem"\n' if line.startswith("key =") else line
                        for line in config_of_b1.splitlines(keepends=True))
    else:
        wrong = lab.nodes["e1"].config.read_text()
    refused = reload(lab, "b1", wrong)
    assert "error" in refused, refused
    assert ("/none.pem" if change == "certificate" else "restart the agent") in refused["error"], refused
    assert lab.referral("b1", "isp1").ns[0] == ISP1.edge_name
    assert lab.referral("b1", "isp1").ttl == REFERRAL_TTL


def test_a_reloaded_edge_stays_in_its_rows(lab: FullLab) -> None:
    node, before = lab.nodes[ISP1.edge_id], lab.edges("b1")[ISP1.edge_id]["sequence"]
    assert node.control({"verb": "reload"}) == {"reloaded": True}

    def registered() -> bool:
        for backbone in BACKBONES:
            for row in ISP1.rows:
                assert lab.edges_in_row(backbone, row)[:1] == [ISP1.edge_id], (backbone, row)
        return lab.edges("b1")[ISP1.edge_id]["sequence"] > before
    wait_until("it has registered anew", registered, timeout=15)
    assert lab.served_by("isp1") == (ISP1.best,)


def test_a_restarted_edge_keeps_its_rows_all_the_while(lab: FullLab) -> None:
    """A stop says nothing: the kernel answers on, and referrals are unchanged."""
    before = [lab.referral(backbone, "isp1").ns for backbone in BACKBONES]
    lab.stop_agent(ISP1.edge_id)
    assert [lab.referral(backbone, "isp1").ns for backbone in BACKBONES] == before
    lab.start_agent(ISP1.edge_id)
    for _ in range(20):
        assert [lab.referral(backbone, "isp1").ns for backbone in BACKBONES] == before
        assert lab.served_by("isp1") == (ISP1.best,)


def test_an_edge_that_withdraws_is_in_no_referral_and_answers_on(lab: FullLab) -> None:
    """The verb ends when all know, and may be said again."""
    assert lab.nodes[ISP1.edge_id].told("withdraw") == {"withdrawn": True}
    assert {lab.edges(backbone)[ISP1.edge_id]["state"] for backbone in BACKBONES} == {"withdrawn"}
    assert lab.nodes[ISP1.edge_id].told("withdraw") == {"withdrawn": True}

    def out() -> bool:
        return not any(ISP1.edge_name in lab.referral(backbone, "isp1").ns for backbone in BACKBONES)
    wait_until("no backbone node refers to it", out, timeout=3)
    assert lab.at_edge(ISP1.edge_id).addresses, "it answers who asks"
    assert lab.nodes[ISP1.edge_id].control({"verb": "reload"}) == {"reloaded": True}
    wait_until("it is back after a reload", lambda: all(
        lab.referral(backbone, "isp1").ns[:1] == (ISP1.edge_name,) for backbone in BACKBONES), timeout=15)
