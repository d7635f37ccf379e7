"""What of a Python text would cost the parser more than it is worth, told before it is parsed.

The parser's time grows with the cube of the links of one expression (``a.b().c()…``, ``a + b + …``), its memory with
their square, its stack with their nesting; a list of numbers takes a thousand times its size. No back end is written
so by hand: generated tables and attacks are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def without_numbers(text: str) -> str:
    """The same lines and columns without the numbers of long lists, but for the first of each."""
    return _NUMBERS.sub(_cut, text) if text.count(",") > MAX_NUMBERS else text


def _cut(run: re.Match[str]) -> str:
    if run[0].count(",") <= MAX_NUMBERS:
        return run[0]
    first = run[0].index(",") + 1
    return run[0][:first] + re.sub(r"[^\r\n]", " ", run[0][first:])


def _branches(text: str) -> int | None:
    """Where an ``if`` goes over the bound of its branches, which nest."""
    counts: dict[str, int] = {}
    for found in _BRANCH.finditer(text):
        indent, word = found[1], found[2]
        counts[indent] = counts.get(indent, 0) + 1 if word == "elif" else 0
        if counts[indent] > MAX_BRANCHES:
            return found.start()
    return None


def excess(text: str) -> tuple[int, str] | None:
    """The line at which a text goes over a bound, and which; None if it keeps all of them."""
    branch = _branches(text) if text.count("elif") > MAX_BRANCHES else None
    if branch is not None:
        return text.count("\n", 0, branch) + 1, f"more than {MAX_BRANCHES} branches of one condition"
    if sum(map(text.count, _LINKING)) + sum(1 for _ in _WORDS.finditer(text)) <= MAX_BRACKETS:
        return None
    for at, what in _excesses(text):
        return text.count("\n", 0, at) + 1, what
    return None


def _excesses(text: str) -> Iterator[tuple[int, str]]:
    links = [0]
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "link":
            links[-1] += len(token[0]) if token[0].strip("-+~") == "" else 1
        elif kind == "word":
            links[-1] += 1
        elif kind == "open":
            links[-1] += 1
            links.append(0)
            if len(links) > MAX_BRACKETS:
                yield token.start(), f"more than {MAX_BRACKETS} brackets in each other"
        elif kind == "close":
            links = links[:-1] or [0]
        elif kind == "next" and (token[0] != "\n" or len(links) == 1):
            links[-1] = 0
        if links[-1] > MAX_LINKS:
            yield token.start(), f"an expression of more than {MAX_LINKS:,} links"
