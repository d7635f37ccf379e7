"""GitHub's ``primaryLocationLineHash``: what code scanning tells alerts apart by as lines move.

A rolling hash over the 100 UTF-16 code units from a line's start, white space dropped, and how often that hash was met
before. Only the lines asked for are hashed; equal hashes are counted by comparing the windows themselves.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection

_WINDOW = 100
_MOD = 37
_MASK = (1 << 64) - 1
_END_OF_FILE = 65535
_UNIT = 2


def line_hashes(text: str, wanted: Collection[int]) -> dict[int, tuple[str, int]]:
    """For each wanted line (1-based) its hash, and the last line that the hash depends on.

    ``text`` is the file as its bytes read in UTF-8, a byte order mark included. Lines that there are not are left out.
    """
    units = array("H")
    units.frombytes(_squeezed(text).encode("utf-16-le", "surrogatepass"))
    units.append(_END_OF_FILE)
    data = units.tobytes()
    starts = _line_starts(units)
    seen: Counter[bytes] = Counter()
    found: dict[int, tuple[str, int]] = {}
    for line, start in enumerate(starts, 1):
        window = data[start * _UNIT : (start + _WINDOW) * _UNIT]
        seen[window] += 1
        if line in wanted:
            content = units[start : start + _WINDOW]
            found[line] = (f"{_hash(content):x}:{seen[window]}", line + content.count(10))
    return found


def _squeezed(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace(" ", "").replace("\t", "")


def _line_starts(units: array[int]) -> list[int]:
    return [0, *(index + 1 for index, unit in enumerate(units) if unit == 10)]


def _hash(window: array[int]) -> int:
    value = 0
    for unit in window:
        value = (value * _MOD + unit) & _MASK
    # The file's end is followed by zeros up to the window's size.
    return value * pow(_MOD, _WINDOW - len(window), _MASK + 1) & _MASK
