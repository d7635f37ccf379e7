"""GitHub's ``primaryLocationLineHash``: what code scanning tells alerts apart by as lines move.

A rolling hash over the 100 UTF-16 code units from a line's start, white space dropped, and how often that hash was met
before. Only the lines asked for are hashed; equal hashes are counted by comparing the windows themselves.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection

_WINDOW = 100
_MOD = 37
_MASK = (1 << 64) - 1
_END_OF_FILE = "\uffff"


def line_hashes(text: str, wanted: Collection[int]) -> dict[int, tuple[str, int]]:
    """For each wanted line (1-based) its hash, and the last line that the hash depends on.

    ``text`` is the file as its bytes read in UTF-8, a byte order mark included. Lines that there are not are left out.
    """
    units = _units(text)
    data = units + _END_OF_FILE
    seen: dict[str, int] = {}
    found: dict[int, tuple[str, int]] = {}
    last, start = max(wanted, default=0), 0
    for number, line in enumerate(units.split("\n"), 1):
        if number > last:
            break
        window = data[start : start + _WINDOW]
        seen[window] = met = seen.get(window, 0) + 1
        if number in wanted:
            found[number] = (f"{_hash(window):x}:{met}", number + window.count("\n"))
        start += len(line) + 1
    return found


def _units(text: str) -> str:
    """The text without white space, a character for each UTF-16 code unit."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace(" ", "").replace("\t", "")
    if text.isascii():
        return text
    units = array("H")
    units.frombytes(text.encode("utf-16-le", "surrogatepass"))
    if sys.byteorder == "big":
        units.byteswap()
    return "".join(map(chr, units))


def _hash(window: str) -> int:
    value = 0
    for unit in map(ord, window):
        value = (value * _MOD + unit) & _MASK
    # The file's end is followed by zeros up to the window's size.
    return value * pow(_MOD, _WINDOW - len(window), _MASK + 1) & _MASK
