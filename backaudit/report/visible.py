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
_HALVES = re.compile("[\ud800-\udfff]")
_TO_SHOW = re.compile("[" + re.escape("".join(map(chr, sorted(_STAND_INS)))) + "\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with every character that acts instead of showing replaced by one that shows."""
    if not _TO_SHOW.search(text):
        return text
    return encodable(text).translate(_STAND_INS)


def encodable(text: str) -> str:
    """``text`` as UTF-8 can hold it."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def clipped(text: str, limit: int) -> str:
    """``text``, or its first ``limit`` code points and an ellipsis."""
    return text if len(text) <= limit else text[:limit] + "…"
