"""Path templates of all frameworks, read into one notation: ``/users/{id}`` and the types of the placeholders."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Style = Literal["braces", "angle", "angle-reversed", "colon", "regex"]

_INT = ("builtins.int",)
_CONVERTERS: dict[str, tuple[str, ...]] = {
    "int": _INT, "integer": _INT, "float": ("builtins.float",), "number": ("builtins.float",), "uuid": ("uuid.UUID",),
    "UUID": ("uuid.UUID",), "date": ("datetime.date",), "dt": ("datetime.datetime",), "ymd": ("datetime.date",),
}  # fmt: skip
_BRACES = re.compile(r"\{(\w+)(?::([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}")
_ANGLE = re.compile(r"<(?:([^<>]*?):)?([^<>:]*)>")
_REVERSED = re.compile(r"<(\w*)(?::([^<>]*))?>")
_COLON = re.compile(r"(?<!:):(\w+)(?:<([^>]*)>)?")
_DIGITS = re.compile(r"^(\\d|\[0-9\]|\[\\d\]|\[1-9\])(\+|\*|\{[\d,]+\})?(\\d\+|\\d\*|\[0-9\]\+|\[0-9\]\*)?$")


class Template(msgspec.Struct, frozen=True):
    """``text`` with placeholders as ``{name}``; ``types`` by placeholder, empty for unrestricted text.

    ``bounded`` names the placeholders whose pattern admits only some texts (``[a-z]{2}``), unnamed groups count from 0.
    ``restrictions``: each placeholder's converter or pattern as written, empty for none.
    """

    text: str
    types: dict[str, tuple[str, ...]]
    bounded: frozenset[str] = frozenset()
    restrictions: tuple[tuple[str, str], ...] = ()


def parse(text: str, style: Style) -> Template:
    """A route's path as its framework writes it."""
    if style == "regex":
        return _regex(text)
    types: dict[str, tuple[str, ...]] = {}
    bounded: set[str] = set()
    written: dict[str, str] = {}

    def put(name: str, restriction: str) -> str:
        name = name.strip()
        written[name] = restriction.strip()
        types[name] = _types(restriction)
        if types[name] or restriction.startswith(("any(", "enum(", "re:", "[")):
            bounded.add(name)
        return "{" + name + "}"

    if style == "braces":
        shown = _BRACES.sub(lambda m: put(m[1], m[2] or ""), text)
    elif style == "colon":
        shown = _COLON.sub(lambda m: put(m[1], m[2] or ""), text)
        shown = _ANGLE.sub(lambda m: put(m[1] or m[2], m[2] if m[1] else ""), shown)
    elif style == "angle-reversed":
        shown = _REVERSED.sub(lambda m: put(m[1], m[2] or ""), text)
    else:
        shown = _ANGLE.sub(lambda m: put(m[2], m[1] or ""), text)
    return Template(shown, types, frozenset(bounded), tuple(written.items()))


def _types(restriction: str) -> tuple[str, ...]:
    name = restriction.partition("(")[0].strip()
    known = _CONVERTERS.get(name)
    if known is not None:
        return known
    pattern = restriction.removeprefix("re:").strip("^$()")
    return _INT if _DIGITS.match(pattern) else ()


def _regex(text: str) -> Template:
    """A regular expression: groups become placeholders, anchors and escapes go."""
    types: dict[str, tuple[str, ...]] = {}
    bounded: set[str] = set()
    written: dict[str, str] = {}
    shown: list[str] = []
    at, unnamed = 0, 0
    source = text.removeprefix("^").removesuffix("$").removesuffix("\\Z")
    while at < len(source):
        char = source[at]
        if char == "(":
            end = _closing(source, at)
            body = source[at + 1 : end]
            named = re.match(r"\?P<(\w+)>", body)
            if body.startswith("?:"):
                shown.append("")
            else:
                name = named[1] if named else str(unnamed)
                unnamed += 0 if named else 1
                pattern = body[named.end() :] if named else body
                types[name] = _types(pattern)
                written[name] = pattern
                if types[name] or admits_some(pattern):
                    bounded.add(name)
                shown.append("{" + name + "}")
            at = end + 1
        elif char == "\\":
            shown.append(source[at + 1 : at + 2])
            at += 2
        else:
            shown.append("" if char in "?^$" else char)
            at += 1
    return Template("".join(shown), types, frozenset(bounded), tuple(written.items()))


def admits_some(pattern: str) -> bool:
    """Whether a pattern admits only some texts, and not whatever stands between two slashes."""
    return re.search(r"[.][*+]|\[\^", pattern) is None


def admits_slashes(restriction: str) -> bool:
    """Whether what a placeholder is restricted to, a converter's name or a pattern, can hold a slash."""
    name = restriction.partition("(")[0]
    if not restriction or name in _CONVERTERS or name in ("str", "string", "slug"):
        return False
    if name.isidentifier():
        return True
    try:
        return any(re.fullmatch(restriction, text) for text in ("a/b", "/", "../a", "0/0"))
    except re.error:
        return True


def _closing(text: str, start: int) -> int:
    depth, at = 0, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return len(text)


def join(*parts: str) -> str:
    """Prefixes and a path, with single slashes between and one in front."""
    whole = "/".join(part.strip("/") for part in parts if part.strip("/"))
    tail = "/" if whole and parts and parts[-1].endswith("/") else ""
    return f"/{whole}{tail}"
