"""``.env`` files: names with their values and where these stand.

The dialects agree on most lines. Read here as python-dotenv does (so do pydantic-settings, environs and Flask):
``export`` before the name, spaces around ``=``, values in single quotes (the backslash and the quote can be escaped) or
double quotes (more escapes), both over several lines, and bare values up to a ``#`` after white space. docker's
``--env-file``, decouple and django-environ take a line as it is; what python-dotenv refuses (text after a closing
quote, a quote that is never closed) is given in that reading, with ``refused`` set. Variables (``${NAME}``) stay.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import msgspec

_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"(?:export[^\S\r\n]+)?(?:'(?P<quoted>[^']+)'|(?P<name>[^=#\s'][^=#\s]*))[^\S\r\n]*")
_EQUALS = re.compile(r"=(?P<space>[^\S\r\n]*)")
_SINGLE = re.compile(r"'(?P<value>(?:\\.|[^'\\])*)'", re.DOTALL)
_DOUBLE = re.compile(r'"(?P<value>(?:\\.|[^"\\])*)"', re.DOTALL)
_BARE = re.compile(r"[^\r\n]*")
_COMMENT = re.compile(r"\s+#.*")
_END = re.compile(r"(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|\Z)")
_REST = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)?")
_ESCAPES = {"'": re.compile(r"\\[\\']"), '"': re.compile(r"\\[\\'\"abfnrtv]")}


class EnvPair(msgspec.Struct, frozen=True):
    """``value``: as a program gets it; ``start`` and ``end``: offsets of what is written for it, without its quotes."""

    name: str
    value: str
    start: int
    end: int
    refused: bool = False


def parse_env(text: str) -> Iterator[EnvPair]:
    """The names that are given a value, in order; a name that is given several is met several times."""
    at = _end(_BLANK, text, 0)
    while at < len(text):
        name = _NAME.match(text, at)
        equals = _EQUALS.match(text, name.end()) if name is not None else None
        if name is None or equals is None:
            at = _after(text, at, name)
        else:
            pair, at = _value(text, name["quoted"] or name["name"], equals)
            yield pair
        at = _end(_BLANK, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, name: re.Match[str] | None) -> int:
    """Where the next line begins that may give a name a value: a bare name, a comment or a broken line is passed."""
    if name is None:
        return max(_end(_REST, text, at), at + 1)
    ended = _END.match(text, name.end())
    return ended.end() if ended else _end(_REST, text, name.end())


def _value(text: str, name: str, equals: re.Match[str]) -> tuple[EnvPair, int]:
    start = equals.end()
    mark = text[start : start + 1]
    if mark == "#" and equals["space"]:
        return EnvPair(name, "", start, start), _end(_REST, text, start)
    if mark not in ("'", '"'):
        return _bare(text, name, start)
    found = (_SINGLE if mark == "'" else _DOUBLE).match(text, start)
    closed = _END.match(text, found.end()) if found else None
    if found is None or closed is None:
        pair, _ = _bare(text, name, start)
        here = found.end() if found else start
        return msgspec.structs.replace(pair, refused=True), _end(_REST, text, here)
    value = _ESCAPES[mark].sub(lambda escape: codecs.decode(escape[0], "unicode-escape"), found["value"])
    return EnvPair(name, value, *found.span("value")), closed.end()


def _bare(text: str, name: str, start: int) -> tuple[EnvPair, int]:
    written = _COMMENT.sub("", _BARE.match(text, start)[0]).rstrip()  # type: ignore[index]
    return EnvPair(name, written, start, start + len(written)), _end(_REST, text, start)
