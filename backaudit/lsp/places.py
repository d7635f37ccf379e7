"""Where something stands: lines and columns of a report as an editor counts them, and where edits have moved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import msgspec
from lsprotocol.types import Position, Range
from pygls.workspace import PositionCodec

from backaudit.report.json import FindingRecord, Spot


def range_of(spot: Spot, lines: Sequence[str], codec: PositionCodec) -> Range:
    """The range of a spot in a text of these lines; one that lies outside of it is its nearest end."""
    start = _position(spot.line, spot.column, lines, codec)
    end = _position(spot.end_line, spot.end_column, lines, codec)
    return Range(start=start, end=max(start, end))


def _position(line: int, column: int, lines: Sequence[str], codec: PositionCodec) -> Position:
    number = min(max(line - 1, 0), max(len(lines) - 1, 0))
    before = lines[number][: max(column - 1, 0)] if lines else ""
    return Position(line=number, character=codec.client_num_units(before))


def moved(findings: Sequence[FindingRecord], before: Sequence[str], after: Sequence[str]) -> list[FindingRecord]:
    """The findings where an edit has moved them; what it changed itself is for the next scan to say."""
    lines = _line_after(before, after)
    return [shifted for finding in findings if (shifted := _shifted(finding, lines)) is not None]


def _line_after(before: Sequence[str], after: Sequence[str]) -> Mapping[int, int]:
    """Line numbers, from 1, of what is still there."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return {one.a + offset + 1: one.b + offset + 1 for one in blocks for offset in range(one.size)}


def _shifted(finding: FindingRecord, lines: Mapping[int, int]) -> FindingRecord | None:
    kept = [lines.get(number) for number in range(finding.line, finding.end_line + 1)]
    first, last = kept[0], kept[-1]
    if first is None or last is None or last - first != len(kept) - 1:
        return None
    return msgspec.structs.replace(finding, line=first, end_line=last)
