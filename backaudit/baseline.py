"""The baseline: findings that a project has accepted, so that only new ones count.

A JSON object with one finding a line, sorted; no line numbers, times or versions, so that it merges and stays put.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from backaudit.usage import UsageError

VERSION = 1


class Entry(msgspec.Struct, frozen=True, order=True):
    """An accepted finding: it absorbs ``count`` findings of this fingerprint. ``path`` is relative, POSIX."""

    path: str
    rule: str
    fingerprint: str
    count: int = 1


class Baseline:
    """Accepted findings, counted down as a run meets them."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(sorted(entries))
        self._left: Counter[str] = Counter()
        for entry in self.entries:
            self._left[entry.fingerprint] += entry.count

    def absorb(self, fingerprint: str) -> bool:
        """Whether a finding is accepted; it uses up one of its entry's count."""
        if self._left[fingerprint] <= 0:
            return False
        self._left[fingerprint] -= 1
        return True

    def stale(self, judged: Callable[[Entry], bool]) -> tuple[Entry, ...]:
        """The entries, with the count that nothing used, of those that this run could have met."""
        found = []
        left = Counter(self._left)
        for entry in reversed(self.entries):
            unused = min(left[entry.fingerprint], entry.count)
            left[entry.fingerprint] -= unused
            if unused and judged(entry):
                found.append(msgspec.structs.replace(entry, count=unused))
        return tuple(reversed(found))


def load(path: Path) -> Baseline:
    """The baseline in a file; UsageError where it cannot be read or is not one."""
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The baseline {path} is not valid JSON: write it anew with --write-baseline.") from error
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("findings"), list):
        raise UsageError(f"{path} is not a baseline of version {VERSION}: write it anew with --write-baseline.")
    return Baseline(_entry(item, path, number) for number, item in enumerate(data["findings"], 1))


def dump(entries: Iterable[Entry]) -> str:
    """The text of a baseline: equal fingerprints are one entry with their counts added."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        counts[(entry.path, entry.rule, entry.fingerprint)] += entry.count
    lines = [json.dumps(_item(*key, count), ensure_ascii=False) for key, count in sorted(counts.items())]
    body = ",\n".join(lines)
    return (
        f'{{"version": {VERSION}, "findings": [\n{body}\n]}}\n'
        if lines
        else f'{{"version": {VERSION}, "findings": []}}\n'
    )


def _item(path: str, rule: str, fingerprint: str, count: int) -> dict[str, Any]:
    item: dict[str, Any] = {"path": path, "rule": rule, "fingerprint": fingerprint}
    return {**item, "count": count} if count != 1 else item


def _entry(item: object, path: Path, number: int) -> Entry:
    try:
        entry = msgspec.convert(item, _Item)
    except msgspec.ValidationError:
        entry = _Item("", "", "", 0)
    if not (entry.path and entry.rule and entry.fingerprint and entry.count > 0):
        message = (
            f"The baseline {path} is broken: its finding {number} is not one. Write it anew with --write-baseline."
        )
        raise UsageError(message)
    return Entry(entry.path, entry.rule, entry.fingerprint, entry.count)


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    rule: str
    fingerprint: str
    count: int = 1
