# SPDX-License-Identifier: BSD-2-Clause
"""nearside replay: a line for each change of an answer, and the place of every line that makes no sense."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from command_line import INVALID, NOT_FOUND, OK, Host, refused
from conftest import need
from environment import build_directory
from lab import ZONE, Lab

START = '{"type":"start","isps":["isp0"],"servers":["s0","s1"],"interval_s":5.0,"timeout_s":1.0,"ttl_s":20.0}'
END = '{"type":"end"}'


def sample(t: float, server: str, first_byte: float | None, reason: str = "") -> str:
    """A line of a recording; without a time it is a failure."""
    return json.dumps({"type": "sample", "t": t, "isp": "isp0", "server": server, "ok": first_byte is not None,
                       "first_byte_ms": first_byte, "reason": reason})


def replayed(*lines: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`nearside replay -` over these lines; it needs neither rights nor an agent."""
    program = build_directory() / "cli" / "nearside"
    need("" if program.exists() else f"{program} is not there: build first (./dev build)")
    return subprocess.run([str(program), "replay", "-", *options], input="\n".join(lines) + "\n", capture_output=True,
                          text=True, check=False)


def test_replay_tells_each_change_and_reads_no_further_than_the_end() -> None:
    """The t of the sample that decided; what stands behind the end is of no interest."""
    done = replayed(START, sample(0.5, "s0", 20), sample(1.25, "s1", 40), "", sample(6, "s0", None, "timeout"),
                    sample(7.001, "s0", None, "timeout"), END, "no JSON")
    assert (done.returncode, done.stderr) == (OK, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"t": t, "isp": "isp0", "server": server, "ttl": ttl}
        for t, server, ttl in ((0.5, "s0", 3), (1.25, "s0", 20), (6, "s0", 3), (7.001, "s1", 20))]


def test_replay_adds_the_trace_where_it_is_asked_why() -> None:
    """Each candidate with the rule that removed it."""
    done = replayed(START, sample(0.5, "s0", 20), sample(1.25, "s1", 40), END, options=("--why",))
    why = json.loads(done.stdout.splitlines()[-1])["why"]
    assert [(c["server"], c["rule"], c["first_byte_ms"]) for c in why["candidates"]] == [
        ("s0", "", 20), ("s1", "policy", 40)]
    assert why["ttl_reason"] == "ttl: nothing is pending"


@pytest.mark.parametrize(("line", "sentence"), [
    ("no JSON", "expected a JSON object"),
    ('{"type":"sampel"}', 'expected "type" to be start, sample or end'),
    (START, "start: there was one before"),
    (sample(1, "s2", 20), 'sample: "server": none of those of the start'),
    (sample(0.25, "s0", 20), 'sample: "t" runs backwards'),
    (sample(1, "s0", -1), 'sample: "first_byte_ms": expected .*'),
    (sample(1, "s0", None), 'sample: "reason": expected .*')])
def test_replay_names_the_line_that_makes_no_sense(host: Host, tmp_path: Path, line: str, sentence: str) -> None:
    """By file and number, empty lines counted; what was decided before is still told."""
    recording = tmp_path / "samples.jsonl"
    recording.write_text("\n".join([START, sample(0.5, "s0", 20), "", line, END]))
    done = host.nearside("replay", str(recording))
    assert done.returncode == INVALID
    assert re.fullmatch(rf"nearside: replay: {re.escape(str(recording))}:4: {sentence}\n", done.stderr), done.stderr
    assert json.loads(done.stdout)["server"] == "s0"


def test_replay_of_standard_input_names_it_so() -> None:
    """There is no file to name."""
    refused(replayed(sample(1, "s0", 20)), INVALID, "nearside: replay: standard input:1: a sample before the start")


def test_replay_refuses_what_is_not_there(sampled: Lab, tmp_path: Path) -> None:
    """A file, a name of the configuration; a name without a configuration; servers without checks."""
    config, recording = f"{sampled.directory}/nearsided.toml", tmp_path / "samples.jsonl"
    recording.write_text(f"{START}\n{END}\n")
    for status, sentence, words in (
            (NOT_FOUND, f"{tmp_path}/none: No such file or directory", [f"{tmp_path}/none"]),
            (NOT_FOUND, "no.example: the configuration balances no such name",
             ["--config", config, "--name", "no.example", str(recording)]),
            (INVALID, "--name needs --config", ["--name", "no.example", str(recording)]),
            (INVALID, f"www.{ZONE}: its servers have no checks, nothing to replay",
             ["--config", config, "--name", f"www.{ZONE}", str(recording)])):
        refused(sampled.edge.attempt(*sampled.nearside_command("replay", *words)), status,
                f"nearside: replay: {re.escape(sentence)}")
