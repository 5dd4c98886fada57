# SPDX-License-Identifier: BSD-2-Clause
"""The shell commands that the documents show: fenced blocks marked `sh` (read) or `sh run` (executed in the lab)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+|~~~+) *(?P<info>.*?) *$")
# What follows a command on its line and is not part of it: redirections and the next command.
_STOPS = ("|", "||", "&&", ";", "&", ">", ">>", "2>", "<", "2>&1", "#")
# What may stand before a command without changing which command it is.
_PREFIXES = ("sudo", "env", "exec", "time")


@dataclass(frozen=True)
class Block:
    """A fenced block of shell commands: where it begins, whether the lab executes it, and its lines."""

    path: Path
    line: int
    run: bool
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path}:{self.line}"


def documents() -> list[Path]:
    """README.md, CONTRIBUTING.md and all below docs/."""
    top = [path for name in ("README.md", "CONTRIBUTING.md") if (path := ROOT / name).exists()]
    return top + sorted((ROOT / "docs").rglob("*.md"))


def blocks_of(path: Path, text: str) -> Iterator[Block]:
    """The shell blocks of one document, in order. A fence that is never closed raises ValueError."""
    opened: tuple[str, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, lines = (fence["ticks"], fence["info"], number), []
        elif fence and fence["ticks"].startswith(opened[0]) and not fence["info"]:
            words = opened[1].split()
            if words[:1] == ["sh"]:
                yield Block(path, opened[2], words[1:2] == ["run"], tuple(lines))
            opened = None
        else:
            lines.append(line)
    if opened:
        raise ValueError(f"{path}:{opened[2]}: this block is never closed")


def all_blocks() -> list[Block]:
    """The shell blocks of all documents."""
    return [block for path in documents() for block in blocks_of(path, path.read_text(encoding="utf-8"))]


def commands_of(block: Block) -> list[list[str]]:
    """The simple commands of a block, as words: lines joined, pipes and lists taken apart, `$ ` and sudo removed."""
    commands: list[list[str]] = []
    for line in "\n".join(block.lines).replace("\\\n", " ").splitlines():
        line = line.strip().removeprefix("$ ").removeprefix("# ")
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in _STOPS:
                words.append(word)
                continue
            while words and (words[0] in _PREFIXES or re.fullmatch(r"[A-Za-z_]+=.*", words[0])):
                words.pop(0)
            if words:
                commands.append(words)
            words = []
    return commands
