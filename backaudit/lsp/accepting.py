"""Where a comment that accepts a finding belongs."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

# What begins a comment in the files that are read, by the ending of their names; the rest has no plain one.
_HASHED = (".py", ".pyi", ".yml", ".yaml", ".toml", ".env", ".sh", ".cfg", ".ini", ".conf")
_HASHED_NAMES = ("Dockerfile", "Procfile", ".env")
WHY = "TODO: say why"


class Insertion(msgspec.Struct, frozen=True):
    """A text to put at a line and a column (code points), both from 0."""

    line: int
    column: int
    text: str


def accepting(rule: str, path: str, lines: Sequence[str], line: int) -> Insertion | None:
    """The comment that accepts a rule's finding at ``line`` (from 1); None in files that have no such comments."""
    if not _is_hashed(path) or not 1 <= line <= len(lines):
        return None
    comment = f"# backaudit: ignore[{rule}] {WHY}"
    first, last = _statement(lines, line) if path.endswith((".py", ".pyi")) else (line, 0)
    if last:
        return Insertion(last - 1, len(lines[last - 1].rstrip()), f"  {comment}")
    above = lines[first - 1]
    return Insertion(first - 1, 0, f"{above[: len(above) - len(above.lstrip())]}{comment}\n")


def _is_hashed(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.endswith(_HASHED) or name.startswith(_HASHED_NAMES)


def _statement(lines: Sequence[str], line: int) -> tuple[int, int]:
    """The first line of the statement, or header, at ``line``, and the last; 0 for one that has a comment already."""
    first, is_commented = 0, False
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            if token.type == tokenize.NEWLINE:
                if first <= line <= token.start[0] and first:
                    return first, 0 if is_commented else token.start[0]
                first, is_commented = 0, False
            elif token.type == tokenize.COMMENT:
                is_commented = True
            elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING):
                first, is_commented = (first, is_commented) if first else (token.start[0], False)
    except (tokenize.TokenError, SyntaxError):
        pass
    return line, 0
