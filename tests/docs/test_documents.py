# SPDX-License-Identifier: BSD-2-Clause
"""What the documents tell a reader to type exists and works: options are looked up, `sh run` is executed."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents import ROOT, Block, all_blocks, blocks_of, commands_of, documents

sys.path.insert(0, str(ROOT / "tests" / "net"))
from environment import build_directory, missing_for_lab  # noqa: E402
from lab import Lab  # noqa: E402
from zones import FULL_ZONE  # noqa: E402

PROGRAMS = {"nearside": "cli/nearside", "nearsided": "agent/nearsided"}
BLOCKS = all_blocks()


def need(missing: str) -> None:
    """Skips with the reason; in CI what is missing is a failure."""
    if missing and os.environ.get("NEARSIDE_NO_SKIP"):
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


@functools.cache
def help_of(*command: str) -> str:
    """What `command --help` prints, which must succeed."""
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=20, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{' '.join(command)} --help fails: {done.stderr or done.stdout}"
    return done.stdout + done.stderr  # bpftool prints its help to stderr


def options_of(text: str) -> set[str]:
    """The options that a help text names."""
    return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))


def check_options(words: list[str], text: str) -> None:
    """Every option among the words is one that the help text names."""
    known = options_of(text) | {"--help", "-h"}
    unknown = [word for word in words if re.match(r"--?[A-Za-z]", word) and word.split("=", 1)[0] not in known]
    assert not unknown, f"{' '.join(unknown)}: no such option; there are {', '.join(sorted(known))}"


def check_program(words: list[str]) -> None:
    """A command line of ours: its verb exists, and so does every option."""
    binary = build_directory() / PROGRAMS[Path(words[0]).name]
    need("" if binary.exists() else f"{binary} is not there: build first (./dev build)")
    text = help_of(str(binary))
    if binary.name == "nearside" and len(words) > 1 and not words[1].startswith("-"):
        text += help_of(str(binary), words[1])
    check_options(words[1:], text)


def check_dev(words: list[str]) -> None:
    """./dev: its command exists, and so does each option that the help text does not leave to another program."""
    if len(words) == 1 or words[1].startswith("-"):
        check_options(words[1:], help_of("./dev"))
        return
    assert re.search(rf"^  {re.escape(words[1])}\b", help_of("./dev"), re.MULTILINE), f"./dev has no {words[1]}"
    text = help_of("./dev", words[1])
    if words[1] in ("demo", "test", "bench"):
        check_options([word for word in words[2:] if word.startswith("--keep")], text)
    else:
        check_options(words[2:], text)


def check_command(words: list[str]) -> None:
    """One command as a document shows it."""
    first = Path(words[0]).name
    if first in PROGRAMS:
        check_program(words)
    elif words[0] == "./dev":
        check_dev(words)
    elif first == "bpftool":
        need("" if shutil.which("bpftool") else "bpftool is not installed (./dev setup installs what is missing)")
        objects = [word for word in words[1:] if not word.startswith("-")]
        assert re.search(rf"\b{re.escape(objects[0])}\b", help_of("bpftool")), f"bpftool has no {objects[0]}"


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_commands_of_a_document_exist(block: Block) -> None:
    """Every command, verb and option in a shell block is one that the program knows."""
    for words in commands_of(block):
        check_command(words)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """An edge node as the documents assume it: running, attached, answering, with servers behind it."""
    need(missing_for_lab())
    with Lab() as made:
        made.write_config(FULL_ZONE)
        made.start_agent()
        made.attach()
        yield made


def shell_in(lab: Lab, block: Block, space: str) -> subprocess.CompletedProcess[str]:
    """Runs a block in the client's or the edge's namespace, with the lab's programs first in PATH, and with its pins."""
    shims = lab.directory / "bin"
    shims.mkdir(exist_ok=True)
    agent = [str(build_directory() / PROGRAMS["nearsided"])]
    for name, arguments in (("nearside", lab.nearside_command()), ("nearsided", agent)):
        shim = shims / name
        shim.write_text('#!/bin/sh\nexec "' + '" "'.join(arguments) + '" "$@"\n')
        shim.chmod(0o755)
    lines = [line.strip().removeprefix("$ ") for line in block.lines]
    script = "\n".join(["set -eu", f'PATH="{shims}:$PATH"', *lines])
    script = script.replace("/sys/fs/bpf/nearside", str(lab.pins))
    return subprocess.run(["nsenter", f"--net=/run/netns/{getattr(lab, space).name}", "sh", "-c", script],
                          capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.run], ids=str)
def test_a_block_marked_run_succeeds_in_the_lab(block: Block, lab: Lab) -> None:
    """`sh run` is executed where the edge node is; a block that only asks (dig, kdig) where its client is."""
    asks = all(Path(words[0]).name in ("dig", "kdig") for words in commands_of(block))
    done = shell_in(lab, block, "client" if asks else "edge")
    assert done.returncode == 0, f"{block}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}"


def test_there_are_documents_with_commands() -> None:
    """An empty list of blocks would make all of the above pass without a look at anything."""
    assert documents()
    assert any(commands_of(block) for block in BLOCKS)


def test_the_version_that_is_shown_is_the_programs() -> None:
    """Version and layout; the libbpf is the host's."""
    printed = subprocess.run([str(build_directory() / "cli" / "nearside"), "version"], capture_output=True, text=True,
                             timeout=20, check=True).stdout
    assert printed.rsplit(",", 1)[0] in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_document_lead_somewhere(path: Path) -> None:
    """Every relative link names a file of the repository."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)", text)
    gone = [target for target in targets if ":" not in target and not (path.parent / target).exists()]
    assert not gone, f"{path.relative_to(ROOT)} links to {', '.join(gone)}"


def _block(*lines: str) -> Block:
    return Block(ROOT / "README.md", 1, False, lines)


def test_blocks_are_found_by_their_mark() -> None:
    """`sh` and `sh run` are ours; other languages and indented output are not."""
    text = "```sh\na\n```\n```\nb\n```\n  ```sh run\nc\nd\n  ```\n```toml\ne\n```\n"
    found = list(blocks_of(ROOT / "README.md", text))
    assert [(block.line, block.run, block.lines) for block in found] == [(1, False, ("a",)), (7, True, ("c", "d"))]


def test_a_block_that_is_never_closed_is_an_error() -> None:
    """Else the rest of the document would be taken for commands, or not be looked at."""
    with pytest.raises(ValueError, match="never closed"):
        list(blocks_of(ROOT / "README.md", "```sh\na\n"))


def test_commands_are_taken_apart() -> None:
    """Prefixes, comments, pipes, redirections and continued lines do not hide a command."""
    block = _block("$ sudo ./dev test \\", "  unit   # quick",
                   "A=1 nearside names --json | head -n 3 > x && dig @::1 www")
    assert commands_of(block) == [["./dev", "test", "unit"], ["nearside", "names", "--json"], ["head", "-n", "3"],
                                  ["x"], ["dig", "@::1", "www"]]


def test_an_unknown_command_is_found() -> None:
    """The check that all documents pass can fail."""
    with pytest.raises(AssertionError, match="has no bild"):
        check_command(["./dev", "bild"])
    with pytest.raises(AssertionError, match="--fats: no such option"):
        check_command(["./dev", "lint", "--fats"])
