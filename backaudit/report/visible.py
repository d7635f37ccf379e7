"""Quoting text of a scanned project so that it shows what it is and does nothing.

Terminal escapes, NULs and the direction marks that make source read differently from what it does become visible
stand-ins; half a surrogate pair, which no UTF-8 file can hold, becomes the replacement character.
"""

from __future__ import annotations

import re

_DIRECTION = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_STAND_INS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **{code: f"<U+{code:04X}>" for code in _DIRECTION},
    **dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"),
}
_ACTING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COMMAND = re.compile(r"(?m)(^[^\S\n]*(?=::\w)|##\w*(?=\[))")
_COLONS, _HASHES = re.compile(r"(?m)^([^\S\n]*):(?=:\w)"), re.compile(r"#(?=#\w*\[)")
_HALVES = re.compile("[\ud800-\udfff]")
_TO_SHOW = re.compile("[" + re.escape("".join(map(chr, sorted(_STAND_INS)))) + "\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with every character that acts instead of showing replaced by one that shows."""
    if not _TO_SHOW.search(text):
        return text
    return encodable(text).translate(_STAND_INS)


def visible_name(text: str) -> str:
    """A name (of a file, of a route) on one line, with what no name should hold written as escapes."""
    if not _ACTING.search(text):
        return visible(text)
    return visible(_ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text))


def inert(text: str) -> str:
    """Lines for people with what a build system would take for its own commands made unfit for that.

    Names and code are quoted as they are: one of them may begin a line with ``::error::``, or hold ``##vso[``.
    """
    return _COMMAND.sub(r"\1\\", text) if "::" in text or "##" in text else text


def inert_markup(text: str) -> str:
    """The same for HTML and XML, which shows what it showed."""
    return _HASHES.sub("&#35;", _COLONS.sub(r"\1&#58;", text))


def shown(text: str) -> str:
    """Lines for people that say what they are and do nothing, neither on a terminal nor in a build."""
    return inert(visible(text))


def encodable(text: str) -> str:
    """``text`` as UTF-8 can hold it."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def clipped(text: str, limit: int) -> str:
    """``text``, or its first ``limit`` code points and an ellipsis."""
    return text if len(text) <= limit else text[:limit] + "…"
