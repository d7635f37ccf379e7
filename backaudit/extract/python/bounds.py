"""What of a Python text would cost more than it is worth: blanked before it is parsed, and told.

libcst's time grows with the cube of the links of one expression (``a.b().c()…``, ``a + b + …``), its memory with their
square; the stack of every parser, and of what comes behind it, grows with their nesting; a list of numbers takes a
hundred times its size. No back end is written so by hand: generated tables and attacks are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

# Links of one expression, brackets in brackets (Python itself refuses 200), and numbers one after the other.
MAX_LINKS = 1_000
MAX_BRACKETS = 100
MAX_BRANCHES = 500
MAX_NUMBERS = 2_000

_NUMBERS = re.compile(r"(?:[-+]?(?:\d[\w.]*|\.\d\w*)[ \t]*,[ \t]*(?:\r?\n[ \t]*)?){64,}")
_LINKING = ".([{+-*/%@&|^<>=~"
_BRANCH = re.compile(r"^([ \t]*)(if|elif)\b", re.MULTILINE)
_WORDS = re.compile(r"\b(?:not|lambda|await|if|and|or|in|is)\b")
_TOKEN = re.compile(
    r"\"\"\"(?:[^\\\"]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^\\']|\\.|'(?!''))*'''"
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*|\\\r?\n"
    r"|(?P<word>\b(?:not|lambda|await|if|and|or|in|is)\b)|(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|(?P<next>[,;\n])|(?P<link>[-.+*/%@&|^<>=~]+)",
    re.DOTALL,
)


# Shorter than this nothing goes over a bound: each link and each bracket is a character.
_SHORT = 2 * MAX_BRACKETS
# Lines that begin a statement, and cannot stand within one but in a text of several lines.
_STATEMENT = re.compile(
    r"^[ \t]*(?:@|(?:def|class|return|try|raise|import|while|except|assert|del|with|async|pass|continue|break)\b)",
    re.MULTILINE,
)
# A statement that others belong to cannot be blanked by itself.
_HEADER = re.compile(r"\s*(?:(?:if|elif|else|for|while|with|def|class|async|try|except|finally|match|case)\b|@)")


class Cut(NamedTuple):
    """What was not read: from which line (1-based) on, and what it is."""

    line: int
    what: str


def affordable(text: str) -> tuple[str | None, tuple[Cut, ...]]:
    """The text without what is too dear, the same lines and columns, and what that is; None for a file as a whole."""
    branch = _branches(text) if text.count("elif") > MAX_BRANCHES else None
    if branch is not None:
        what = f"this file, since a condition has more than {MAX_BRANCHES} branches."
        return None, (Cut(text.count("\n", 0, branch) + 1, what),)
    short, numbers = _without_numbers(text)
    found = list(_dear(short)) if _may_be_dear(short) else []
    for start, end, what in found[::-1]:
        if _HEADER.match(short, start, end):
            return None, (Cut(_line_at(short, start, end), f"this file, since {what}."),)
        short = short[:start] + _blank(short[start:end]) + short[end:]
    statements = (Cut(_line_at(text, start, end), f"this statement, since {what}.") for start, end, what in found)
    return short, tuple(sorted([*numbers, *statements]))


def is_affordable(text: str) -> bool:
    """Whether nothing of a text goes over a bound, whatever hides in its strings."""
    return _branches(text) is None and next(_dear(text), None) is None


def _line_at(text: str, start: int, end: int) -> int:
    """The line of what stands there, not counting what only separates it from what is before."""
    return text.count("\n", 0, end - len(text[start:end].lstrip())) + 1


def _blank(statement: str) -> str:
    """An empty statement in a statement's place."""
    rest = statement.lstrip()
    indent = statement[: len(statement) - len(rest)]
    return indent + "pass" + re.sub(r"[^\r\n]", " ", rest[len("pass") :])


def _without_numbers(text: str) -> tuple[str, list[Cut]]:
    """The text without the numbers of long lists, but for the first of each."""
    cuts: list[Cut] = []

    def cut(run: re.Match[str]) -> str:
        count = run[0].count(",")
        if count <= MAX_NUMBERS:
            return run[0]
        cuts.append(Cut(text.count("\n", 0, run.start()) + 1, f"{count:,} numbers in a row, but for the first."))
        first = run[0].index(",") + 1
        return run[0][:first] + re.sub(r"[^\r\n]", " ", run[0][first:])

    return (_NUMBERS.sub(cut, text) if text.count(",") > MAX_NUMBERS else text), cuts


def _branches(text: str) -> int | None:
    """Where an ``if`` goes over the bound of its branches, which nest."""
    counts: dict[str, int] = {}
    for found in _BRANCH.finditer(text):
        indent, word = found[1], found[2]
        counts[indent] = counts.get(indent, 0) + 1 if word == "elif" else 0
        if counts[indent] > MAX_BRANCHES:
            return found.start()
    return None


def _may_be_dear(text: str) -> bool:
    """Whether a statement may be over a bound, by what stands between lines that only begin statements."""
    starts = [0, *(found.start() for found in _STATEMENT.finditer(text)), len(text)]
    return any(behind - start > _SHORT and _is_over(text, start, behind) for start, behind in pairwise(starts))


def _is_over(text: str, start: int, end: int) -> bool:
    if sum(text.count(bracket, start, end) for bracket in "([{") > MAX_BRACKETS:
        return True
    if end - start <= MAX_LINKS:
        return False  # each link is a character at least
    links = sum(text.count(link, start, end) for link in _LINKING)
    return links > MAX_LINKS or links + len(_WORDS.findall(text, start, end)) > MAX_LINKS


def _dear(text: str) -> Iterator[tuple[int, int, str]]:
    """The statements that go over a bound: where each begins and ends, and which bound."""
    links, start, what = [0], 0, ""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "next" and len(links) == 1 and token[0] != ",":
            if what:
                yield start, token.start(), what
            links, start, what = [0], token.end(), ""
        elif kind is not None:
            _count(links, kind, token[0])
            what = what or _over(links)
    if what:
        yield start, len(text), what


def _count(links: list[int], kind: str, token: str) -> None:
    """One more token of a statement whose open brackets have so many links each."""
    if kind == "link":
        links[-1] += len(token) if token.strip("-+~") == "" else 1
    elif kind == "word":
        links[-1] += 1
    elif kind == "open":
        links[-1] += 1
        links.append(0)
    elif kind == "close" and len(links) > 1:
        links.pop()
    elif kind == "next" and token != "\n":
        links[-1] = 0


def _over(links: list[int]) -> str:
    if len(links) > MAX_BRACKETS:
        return f"it has more than {MAX_BRACKETS} brackets in each other"
    return f"an expression has more than {MAX_LINKS:,} links" if links[-1] > MAX_LINKS else ""
