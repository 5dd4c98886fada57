#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sums the reports of ctest and pytest into the last line of ./dev test: `N passed, N failed, N skipped`."""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Tally:
    """How many test cases ended which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_case(case: ElementTree.Element) -> Tally:
    """One test case of a JUnit report: what went wrong is a child element; ctest tells it by a status as well."""
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return Tally(failed=1)
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return Tally(skipped=1)
    return Tally(passed=1)


def of_program(case: ElementTree.Element, counts: Path) -> Tally:
    """A program under ctest: its own count of cases where it wrote one. A crash leaves none, and is one failure."""
    outcome = of_case(case)
    skip = case.find("skipped")
    if skip is not None and "Unable to find executable" in skip.get("message", ""):
        return Tally(failed=1)  # ctest calls a program that was never built a test not run
    try:
        passed, failed, skipped = (int(word) for word in counts.read_text().split())
    except (OSError, ValueError):
        return outcome
    counted = Tally(passed, failed, skipped)
    if outcome.failed and not counted.failed:
        counted.failed = 1
    if counted == Tally():
        counted.failed = 1  # a program without a single test case proves nothing
    return counted


def of_report(report: Path, build: Path) -> Tally:
    """One report. PRESET-LABELS.ctest.xml finds the programs' own counts in build/PRESET/test-results."""
    total = Tally()
    try:
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Tally(failed=1)
    counts = build / report.name.split("-", 1)[0] / "test-results"
    for case in cases:
        if report.name.endswith(".ctest.xml"):
            total.add(of_program(case, counts / f"{case.get('name')}.count"))
        else:
            total.add(of_case(case))
    return total if cases else Tally(failed=1)


def main() -> int:
    """Arguments: the directory of the reports, the directory of the builds."""
    reports, build = Path(sys.argv[1]), Path(sys.argv[2])
    total = Tally()
    found = sorted(reports.glob("*.xml"))
    for report in found:
        tally = of_report(report, build)
        print(f"{report.name.removesuffix('.xml'):32} {tally}")
        total.add(tally)
    if not found:
        total.failed = 1
    print(total, flush=True)
    if total.failed or total.passed == 0:
        return 1
    return 1 if total.skipped and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
