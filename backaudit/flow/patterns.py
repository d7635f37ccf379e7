"""What a regular expression that matched says about the whole text."""

from __future__ import annotations

import re

from backaudit.project import Node

_ANYTHING = frozenset({".*", ".+", "(.*)", "(.+)", ""})
_PATH_OF_SITE = re.compile(r"\(?(\?:)?/(\w|\[(?!\^)[^\]/\\.]+\](?![*?]))")
_HOST = re.compile(r"\(?(\?:)?https?\??://((\\[.-])|[\w-])+(:\d+)?/")


def pattern_of(test: Node) -> str | None:
    """The constant pattern that a call of ``match``, ``fullmatch`` or ``search`` uses."""
    project = test.code.project
    receiver = test.receiver
    compiled = project.resolved(receiver) if receiver is not None else None
    given = compiled.arg(0) if compiled is not None and compiled.method == "compile" else test.arg(0)
    constant = project.constant(given) if given is not None else None
    return constant.text if constant is not None else None


def pins_down(test: Node) -> bool:
    """Whether a regular expression that matched says what the whole text is; an unknown one is believed."""
    pattern = pattern_of(test)
    if pattern is None:
        return True
    return is_whole(pattern, begins=test.method != "search", ends=test.method == "fullmatch")


def is_whole(pattern: str, *, begins: bool = False, ends: bool = False) -> bool:
    """Whether a pattern says what the whole text is. ``begins``, ``ends``: it has to match there without saying so."""
    body = _without_flags(pattern)
    begins = begins or body.startswith(("^", "\\A"))
    ends = ends or (body.endswith(("$", "\\Z", "\\z")) and not body.endswith("\\$"))
    inside = body.removeprefix("^").removeprefix("\\A").removesuffix("$").removesuffix("\\Z")
    return begins and ends and inside not in _ANYTHING


def fixes_beginning(test: Node) -> bool:
    """Whether a text that matched begins with a host that the pattern names, or with a path of this site."""
    body = _without_flags(pattern_of(test) or "")
    anchored = body.startswith(("^", "\\A"))
    if not (anchored or test.method != "search"):
        return False
    rest = body.removeprefix("^").removeprefix("\\A")
    return "|" not in rest and bool(_PATH_OF_SITE.match(rest) or _HOST.match(rest))


def _without_flags(pattern: str) -> str:
    body = pattern.strip()
    while body.startswith("(?") and body[2:3].isalpha() and ")" in body:
        body = body.partition(")")[2]
    return body
