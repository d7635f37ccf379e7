"""The pieces of string literals: ``ast`` joins them, and has no places in f-strings before Python 3.12."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_BETWEEN = re.compile(r"(?:[ \t\f]|\\?(?:\r\n?|\n)|#[^\r\n]*|[()])*")
_PLAIN = {
    quote: re.compile(rf"(?:[^\\{quote[0]}]|\\.|{quote[0]}(?!{quote[1:]}))*{quote}" if len(quote) > 1 else
                      rf"(?:[^\\{quote}]|\\.)*{quote}", re.DOTALL)
    for quote in ('"""', "'''", '"', "'")
}  # fmt: skip
_ENDS = frozenset("=!:}")
_PREFIXES = frozenset(("r", "b", "u", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"))


class Field(NamedTuple):
    """A replacement field: its own place, that of its expression, and what follows that."""

    start: int
    end: int
    expression: tuple[int, int]
    conversion: str
    spec: tuple[Text | Field, ...]


class Text(NamedTuple):
    """What stands between fields, as it is written."""

    start: int
    end: int


class Literal(NamedTuple):
    """One literal; ``parts`` is None unless it is an f-string (or a t-string)."""

    start: int
    end: int
    prefix: str
    parts: tuple[Text | Field, ...] | None


def literals(text: str, start: int, end: int) -> Iterator[Literal]:
    """The literals that stand there one after the other."""
    at = start
    while at < end:
        found = _literal(text, at)
        yield found
        between = _BETWEEN.match(text, found.end)
        at = between.end() if between is not None else end


def _literal(text: str, at: int) -> Literal:
    opening = _OPENING.match(text, at)
    if opening is None:
        raise ValueError("no literal stands here")
    prefix, quote = opening[1], opening[2]
    if "f" in prefix.lower() or "t" in prefix.lower():
        parts, behind = _parts(text, opening.end(), quote, raw="r" in prefix.lower())
        return Literal(at, behind + len(quote), prefix, tuple(parts))
    closing = _PLAIN[quote].match(text, opening.end())
    if closing is None:
        raise ValueError("a literal does not end")
    return Literal(at, closing.end(), prefix, None)


def _parts(text: str, at: int, closing: str, *, raw: bool) -> tuple[list[Text | Field], int]:
    """The parts up to ``closing``, and where that stands."""
    parts: list[Text | Field] = []
    start = at
    spec = closing == "}"
    while not text.startswith(closing, at):
        here = text[at]
        if here == "{" and (spec or text[at + 1] != "{"):
            if start < at:
                parts.append(Text(start, at))
            field = _field(text, at, raw=raw)
            parts.append(field)
            start = at = field.end
        elif here == "\\":
            at = _behind_escape(text, at, raw=raw)
        else:
            at += 2 if here in "{}" else 1
    if start < at:
        parts.append(Text(start, at))
    return parts, at


def _behind_escape(text: str, at: int, *, raw: bool) -> int:
    following = text[at + 1]
    if following in "{}":
        return at + 1
    if not raw and following == "N" and text[at + 2] == "{":
        return text.index("}", at) + 1
    return at + 2


def _field(text: str, start: int, *, raw: bool) -> Field:
    end = at = _expression_end(text, start + 1)
    if text[at] == "=":
        at = _behind_blanks(text, at + 1)
    conversion = ""
    if text[at] == "!":
        word = _behind_blanks(text, at + 1)
        conversion = text[word]
        at = _behind_blanks(text, word + 1)
    spec: list[Text | Field] = []
    if text[at] == ":":
        spec, at = _parts(text, at + 1, "}", raw=raw)
    return Field(start, at + 1, (start + 1, end), conversion, tuple(spec))


def _behind_blanks(text: str, at: int) -> int:
    while text[at].isspace():
        at += 1
    return at


def _expression_end(text: str, at: int) -> int:
    """Where the expression of a field ends: at its ``}``, or at what says how it is shown."""
    depth = 0
    while depth or text[at] not in _ENDS or _is_comparison(text, at):
        here = text[at]
        if here in "\"'":
            at = _literal(text, _prefix_start(text, at)).end
        elif here == "#":
            at = min((found for found in (text.find("\n", at), text.find("\r", at)) if found >= 0), default=len(text))
        else:
            depth += (here in "([{") - (here in ")]}")
            at += 2 if not depth and _is_comparison(text, at) else 1
    return at


def _is_comparison(text: str, at: int) -> bool:
    """Whether ``==``, ``!=``, ``<=`` or ``>=`` begins here."""
    return text[at] in "=!<>" and text[at + 1] == "="


def _prefix_start(text: str, at: int) -> int:
    start = at
    while text[start - 1].isalnum() or text[start - 1] == "_":
        start -= 1
    return start if text[start:at].lower() in _PREFIXES else at
