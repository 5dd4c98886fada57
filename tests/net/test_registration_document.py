# SPDX-License-Identifier: BSD-2-Clause
"""docs/registration-api.yaml is true: its examples are taken, what its schemas refuse is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from authority import Authority
from backbone_io import Edge, Node
from registration_document import API, check, schema_of


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, methods["post"]) for path, methods in API["paths"].items()]


def request_schema(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["requestBody"]["content"]["application/json"]


def test_the_documents_schemas_are_schemas() -> None:
    """Of JSON Schema 2020-12, as OpenAPI 3.1 wants them; every reference leads somewhere."""
    for schema in API["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)
    for reference in references(API):
        there: Any = API
        for part in reference.removeprefix("#/").split("/"):
            there = there[part]
        assert there


def test_the_documents_examples_are_valid_and_the_node_takes_them(own_node: Node, ca: Authority) -> None:
    """In the order of the document; answers of errors are valid too."""
    edge = Edge(ca, "e17")
    for path, operation in operations():
        name = request_schema(operation)["schema"]["$ref"].rsplit("/", 1)[1]
        for example in request_schema(operation)["examples"].values():
            check(name, example["value"])
            if path == "/v1/report":  # after the withdrawal
                edge.sequence = example["value"]["sequence"] - 2
                assert edge.register(own_node)[0] == 200
            status, answer = edge.post(own_node, path, example["value"])
            assert status == 200, answer
    for name, response in API["components"]["responses"].items():
        content = response["content"]["application/json"]
        if "example" in content:
            check("error", content["example"])
            assert content["example"]["error"] == name
    check("registered", API["paths"]["/v1/register"]["post"]["responses"]["200"]["content"]["application/json"]
          ["examples"]["whole"]["value"])


def broken(value: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The message without each member, and with each member of another type, or just beyond its bound."""
    for member in value:
        yield {key: inner for key, inner in value.items() if key != member}
        for other in (None, True, -1, 1e30, "", [[]], {}, "x" * 2000, [0] * 5000):
            yield {**value, member: other}
    if name == "registration":
        yield {**value, "addresses": ["192.0.2.1", "192.0.2.1"]}
        for address in ("192.0.2.256", "x", "0.0.0.0/0", ""):
            yield {**value, "addresses": [address]}
        yield {**value, "egresses": [{"address": "198.51.100.7", "rtt_us": 60_000_001}]}
        yield {**value, "egresses": [{"nonce": "x"}]}
        yield {**value, "egresses": [{"address": "198.51.100.7", "nonce": "x" * 64}]}
    if name == "report":
        yield {**value, "figures": [[0, 5, "up", 1, 0, 0]]}
        yield {**value, "figures": [[0, 4, "well", 1, 0, 0]]}
        yield {**value, "figures": [[0, 4, "up", 1, 1.5, 0]]}
        yield {**value, "figures": [[0, 4, "up", 1, 0]]}
        yield {**value, "answers": [{"names": [], "family": 4, "ttl": 1, "rank": []}]}
        yield {**value, "answers": [{"names": ["x."], "family": 4, "ttl": 172801, "rank": []}]}
        yield {**value, "answers": [{"names": ["x."], "family": 4, "ttl": 1, "rank": [0, 0]}]}


@pytest.mark.parametrize("path", list(API["paths"]))
def test_what_the_schemas_refuse_the_node_refuses(own_node: Node, ca: Authority, path: str) -> None:
    """As malformed or too large, and never takes it."""
    operation = API["paths"][path]["post"]
    name = request_schema(operation)["schema"]["$ref"].rsplit("/", 1)[1]
    edge = Edge(ca, "e17")
    validator = jsonschema.Draft202012Validator(schema_of(name))
    example = list(request_schema(operation)["examples"].values())[-1]["value"]
    differing = []
    for message in broken(example, name):
        edge.register(own_node)
        if message.get("sequence") == example["sequence"]:
            message["sequence"] = edge.next()
        valid = validator.is_valid(message)
        status, answer = edge.post(own_node, path, message)
        if not valid and status not in (400, 413):
            differing.append((message, status, answer))
        if status != 200:
            check("error", answer)
    assert not differing, differing[:3]


def test_the_longest_messages_of_the_document_are_taken(own_node: Node, ca: Authority) -> None:
    """8 addresses, 256 egresses; and a report of 1,000 names and 64 ranked servers, deflated."""
    edge = Edge(ca, "e51")
    egresses = [{"address": f"2001:db8:{i:x}::ffff:ffff:ffff:ffff"[:45], "nonce": "v" * 26, "rtt_us": 60_000_000}
                for i in range(256)]
    status, answer = edge.register(own_node, [f"2001:db8::{i}" for i in range(8)], egresses, 3600)
    assert status == 200, answer
    check("registered", answer)
    report = edge.message(
        servers=[f"s{i}.example.net" for i in range(64)],
        figures=[[i, family, "up", 12.25, 0.125, 3.5] for i in range(64) for family in (4, 6)],
        answers=[{"names": [f"n{i}.lb.example.com."], "family": family, "ttl": 20, "rank": list(range(64))}
                 for i in range(1000) for family in (4, 6)])
    check("report", report)
    body = zlib.compress(json.dumps(report, separators=(",", ":")).encode(), 9)
    assert len(body) < 65536
    status, answer = edge.post(own_node, "/v1/report", body, {"Content-Encoding": "deflate"})
    assert status == 200, answer
