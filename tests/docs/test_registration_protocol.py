# SPDX-License-Identifier: BSD-2-Clause
"""The commands of docs/registration-protocol.md, typed in their order, against a real backbone node."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from documents import ROOT

sys.path.insert(0, str(ROOT / "tests" / "net"))
from authority import Authority  # noqa: E402
from backbone_io import Node, missing_for_backbone  # noqa: E402

DOCUMENT = ROOT / "docs" / "registration-protocol.md"


def need(missing: str) -> None:
    """Skips with the reason; in CI what is missing is a failure."""
    if missing and os.environ.get("NEARSIDE_NO_SKIP"):
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


def commands() -> list[str]:
    """The blocks marked `shell backbone`."""
    return re.findall(r"^```shell backbone\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_example_with_curl_and_openssl_works(tmp_path: Path) -> None:
    """curl finds the node where it is; dig's part is played by the node, which sees the nonce come from the egress."""
    need(missing_for_backbone())
    blocks = commands()
    assert len(blocks) >= 4
    # The first block makes the authority that the node must know from its start.
    begun = subprocess.run(["sh", "-eu", "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True, timeout=30,
                           check=False)
    assert begun.returncode == 0, begun.stderr
    own = Authority(tmp_path / "backbone")
    own.issue("b1", "DNS:b1.ns.lb.example.com")
    (tmp_path / "backbone-ca.pem").write_bytes(own.ca.read_bytes())
    own.ca = tmp_path / "edges-ca.pem"
    node = Node(own, tmp_path / "log")
    shims = tmp_path / "bin"
    shims.mkdir()
    for pipe in ("asked", "answered"):
        os.mkfifo(tmp_path / pipe)
    (shims / "curl").write_text(
        f'#!/bin/sh\nexec /usr/bin/curl --connect-to b1.ns.lb.example.com:8443:127.0.0.1:{node.port} --fail "$@"\n')
    (shims / "dig").write_text(f'#!/bin/sh\necho "$3" > {tmp_path}/asked\ncat {tmp_path}/answered\n')
    for shim in shims.iterdir():
        shim.chmod(0o755)
    seen: list[str] = []

    def resolve() -> None:
        name = (tmp_path / "asked").read_text().strip()
        seen.append(name)
        label, zone = name.split(".", 1)
        if zone == "b1.who.lb.example.com." and node.ask(f"sight {label} 198.51.100.7")["verified"]:
            (tmp_path / "answered").write_text("198.51.100.7\n")
        else:
            (tmp_path / "answered").write_text(";; no answer\n")
    resolver = threading.Thread(target=resolve, daemon=True)
    resolver.start()
    try:
        done = subprocess.run(["sh", "-eux", "-c", "\n".join(blocks[1:])], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60, check=False, env={**os.environ, "PATH": f"{shims}:{os.environ['PATH']}"})
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{node.text()}"
        assert "198.51.100.7\n" in done.stdout
        assert node.ask("edges")["e17.ns.lb.example.com."]["state"] == "withdrawn"
        assert node.counter("messages", "reported") == 1
        assert seen and len(seen[0].split(".")[0]) == 26
    finally:
        node.stop()


def test_the_words_and_limits_of_the_document_are_those_of_the_api() -> None:
    """Every error word of the API has its line in the table."""
    api = yaml.safe_load((ROOT / "docs" / "registration-api.yaml").read_text(encoding="utf-8"))
    text = DOCUMENT.read_text(encoding="utf-8")
    for word in api["components"]["schemas"]["error"]["properties"]["error"]["enum"]:
        assert f"| `{word}` |" in text, word
    for reason in api["components"]["schemas"]["egress_verdict"]["properties"]["reason"]["enum"]:
        assert reason in text, reason
    for path in api["paths"]:
        assert f"`POST {path}`" in text, path


def test_the_compose_file_is_the_cluster_that_the_tests_run() -> None:
    """Three members, each with its own name and addresses, TLS on both sides."""
    compose = yaml.safe_load((ROOT / "docs" / "examples" / "etcd-compose.yaml").read_text(encoding="utf-8"))
    members = compose["services"]
    assert len(members) == 3
    for name, member in members.items():
        environment = member["environment"]
        assert environment["ETCD_NAME"] == name
        peer = environment["ETCD_INITIAL_ADVERTISE_PEER_URLS"]
        assert f"{name}={peer}" in environment["ETCD_INITIAL_CLUSTER"]
        assert environment["ETCD_LISTEN_CLIENT_URLS"].startswith("https://")
        assert environment["ETCD_PEER_CLIENT_CERT_AUTH"] == "true"
    assert len({member["environment"]["ETCD_LISTEN_CLIENT_URLS"] for member in members.values()}) == 3
