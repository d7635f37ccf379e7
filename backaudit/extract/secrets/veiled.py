"""Passwords that look like a template (``s3cr%rt-91``, ``pa{55}word9``): too doubtful to be told, and never quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.extract.secrets.names import kind_of_name
from backaudit.extract.secrets.values import judge
from backaudit.facts.place import Span
from backaudit.source import Source, lines

# A name and what is put there, on one line: ``PASSWORD = "…"``, ``"password": "…"``, ``PASSWORD=…``, ``password: …``.
_NAME = r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{1,80})[\"'\]]{0,2}[ \t]{0,20}[:=][ \t]{0,20}"
_QUOTED = r"[A-Za-z]{0,2}(?P<quote>[\"'])(?P<text>[^\"'\n]{6,200})(?P=quote)"
_IN_CODE = re.compile(_NAME + _QUOTED)
_IN_DATA = re.compile(rf"{_NAME}(?:{_QUOTED}|(?P<bare>[^\s\"'#,;]{{6,200}}))")
_HOLES = re.compile(r"\$\{[^{}]*\}|\{\{[^{}]*\}\}|<[^<>]*>|\{[^{}]*\}|\$\(|%\(|%[sdr]|#\{|^\$")


def veiled(source: Source) -> Iterator[Span]:
    """What stands under the name of a credential, is taken for a template, and has more to it than a template has."""
    pattern = _IN_CODE if source.kind == "python" else _IN_DATA
    for number, line in enumerate(lines(source.text), 1):
        for found in pattern.finditer(line):
            group = "text" if found["text"] is not None else "bare"
            if _is_veiled(found[group]) and kind_of_name(found["name"]) is not None:
                yield Span(number, found.start(group), number, found.end(group))


def _is_veiled(value: str) -> bool:
    rest = _HOLES.sub("", value)
    if rest == value or len(rest) < 6 or judge(value) != "none":
        return False
    is_mixed = any(map(str.isdigit, rest)) and any(map(str.isalpha, rest))
    return is_mixed and judge(rest) in ("weak", "strong")
