# SPDX-License-Identifier: BSD-2-Clause
"""docs/registration-api.yaml, and whether a value is what it says."""

from __future__ import annotations

from typing import Any

import jsonschema
import yaml

from environment import ROOT

API = yaml.safe_load((ROOT / "docs" / "registration-api.yaml").read_text())


def schema_of(name: str) -> dict[str, Any]:
    """A schema of the API, with what it refers to."""
    return {"$ref": f"#/components/schemas/{name}", "components": API["components"]}


def check(name: str, value: Any) -> None:
    """Raises where the value is not what the API says."""
    jsonschema.Draft202012Validator(schema_of(name)).validate(value)
