"""The baseline: findings that a project has accepted, so that only new ones count.

JSON lines, one finding a line, sorted, without line numbers or times: both sides of a merge conflict may be kept as
they are. A reason and a day on which it expires are the user's, and stay when the file is written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from backaudit.regular import leads_inside, read_named, read_regular
from backaudit.report.visible import inert, visible_name
from backaudit.usage import UsageError

# Half a million accepted findings.
_LARGEST = 1 << 28
_REPAIR = "--write-baseline writes it anew, with what is sound in it"


class Met(msgspec.Struct, frozen=True):
    """How a baseline knows a finding: by its fingerprint, or by its ``content`` where its file has gone elsewhere."""

    path: str
    fingerprint: str
    content: str


class Entry(msgspec.Struct, frozen=True, order=True, omit_defaults=True, forbid_unknown_fields=True):
    """An accepted finding. ``path`` is relative, POSIX; ``expires`` is the first day (ISO) on which it counts again."""

    path: str
    rule: str
    fingerprint: str
    content: str = ""
    severity: str = ""
    message: str = ""
    reason: str = ""
    expires: str = ""


class Baseline:
    """Accepted findings; ``today`` says which have expired."""

    def __init__(self, entries: Iterable[Entry] = (), today: date = date.min) -> None:
        unique = {entry.fingerprint: entry for entry in sorted(entries)}
        self.entries = tuple(sorted(unique.values()))
        self._today = today.isoformat()
        self._met: set[str] = set()

    def accepts(self, findings: Sequence[Met], present: Collection[str] | None) -> list[Entry | None]:
        """The entry that accepts each finding, or None. ``present``: the paths of the project's files, None if unknown.

        An entry whose file is no longer there follows the same finding into another file.
        """
        by_fingerprint = {entry.fingerprint: entry for entry in self.entries}
        found = [by_fingerprint.get(finding.fingerprint) for finding in findings]
        self._met.update(entry.fingerprint for entry in found if entry is not None)
        moved = self._moved(present)
        for number, finding in enumerate(findings):
            waiting = moved.get(finding.content, [])
            if found[number] is None and waiting:
                found[number] = waiting.pop(0)
        self._met.update(entry.fingerprint for entry in found if entry is not None)
        return [None if entry is None or self._has_expired(entry) else entry for entry in found]

    def stale(self, judged: Callable[[Entry], bool]) -> tuple[Entry, ...]:
        """The entries that met nothing, of those that this run could have met."""
        return tuple(entry for entry in self.entries if entry.fingerprint not in self._met and judged(entry))

    def expired(self) -> tuple[Entry, ...]:
        """The entries that accept nothing any more."""
        return tuple(entry for entry in self.entries if self._has_expired(entry))

    def _moved(self, present: Collection[str] | None) -> dict[str, list[Entry]]:
        moved: dict[str, list[Entry]] = {}
        if present is None:
            return moved
        for entry in self.entries:
            if entry.content and entry.fingerprint not in self._met and entry.path not in present:
                moved.setdefault(entry.content, []).append(entry)
        return moved

    def _has_expired(self, entry: Entry) -> bool:
        return bool(entry.expires) and entry.expires <= self._today


def load(path: Path, today: date = date.min, *, repair: bool = False, within: Path | None = None) -> Baseline:
    """The baseline in a file. UsageError where it cannot be read or, unless ``repair`` is asked, a line is no entry.

    ``within``: the project whose plain file it has to be, unless the user named it.
    """
    try:
        data = read_named(path, _LARGEST) if within is None else _own(path, within)
        text = data.decode("utf-8-sig", "replace" if repair else "strict")
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The baseline {path} is not UTF-8: {_REPAIR}.") from error
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        entry, fault = _entry(line)
        if fault and not repair:
            raise UsageError(f"The baseline {path} is broken in line {number}: {fault}; {_REPAIR}.")
        if entry is not None:
            entries.append(entry)
    return Baseline(entries, today)


def _own(path: Path, project: Path) -> bytes:
    if not leads_inside(path, project):
        raise UsageError(f"The baseline {path} lies outside of the project: name it by --baseline.")
    return read_regular(path, _LARGEST, within=project)


def dump(entries: Iterable[Entry]) -> str:
    """The text of a baseline."""
    unique = {entry.fingerprint: entry for entry in sorted(entries)}
    return "".join(f"{_line(entry)}\n" for entry in sorted(unique.values()))


def merged(fresh: Sequence[Entry], old: Baseline, present: Collection[str] | None) -> list[Entry]:
    """Today's entries with the reasons of the old ones that accept them, and with their days, unless these are over."""
    accepted = old.accepts([Met(entry.path, entry.fingerprint, entry.content) for entry in fresh], present)
    return [
        entry if by is None else msgspec.structs.replace(entry, reason=by.reason, expires=by.expires)
        for entry, by in zip(fresh, accepted, strict=True)
    ]


def listing(baseline: Baseline, stale: Collection[Entry]) -> str:
    """The entries under their rules, each with its state, its reason and the day until which it holds."""
    expired = set(baseline.expired())
    lines = []
    for rule, entries in groupby(sorted(baseline.entries, key=lambda entry: (entry.rule, entry)), attrgetter("rule")):
        lines.append(visible_name(rule))
        for entry in entries:
            state = "stale" if entry in stale else "expired" if entry in expired else "accepted"
            until = f" (until {entry.expires})" if entry.expires else ""
            lines.append(f"  {state:<8}  {visible_name(entry.path)}  {visible_name(entry.message)}{until}")
            if entry.reason:
                lines.append(f"            reason: {visible_name(entry.reason)}")
    return inert("".join(f"{line}\n" for line in lines))


def _line(entry: Entry) -> str:
    return json.dumps(msgspec.to_builtins(entry), ensure_ascii=False)


def _entry(line: str) -> tuple[Entry | None, str]:
    """The entry of a line, or what is wrong with it; neither for an empty one."""
    if not line.strip():
        return None, ""
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        return None, "a merge conflict is not solved (both sides' lines may stay, without the marks)"
    try:
        entry = msgspec.json.decode(line.encode("utf-8", "replace"), type=Entry)
    except (msgspec.DecodeError, RecursionError) as error:
        return None, f"it is no entry ({error})"
    if not (entry.path and entry.rule and entry.fingerprint):
        return None, "path, rule and fingerprint belong to an entry"
    return (entry, "") if _is_day(entry.expires) else (None, 'expires must be a day such as "2027-01-31"')


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
