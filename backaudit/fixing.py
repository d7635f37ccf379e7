"""``--fix`` and ``--diff``: fixes are made in a private copy, the copy is scanned again, and what is proven is kept.

A fix is withdrawn where its finding is still there afterwards, where a new one has come, or where the file is no Python
any more. Nothing of the project is touched before all that is settled.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from backaudit.facts.place import Place
from backaudit.fix.applying import applied, chosen, line_after
from backaudit.issue import Issue, Report
from backaudit.masking import Masks
from backaudit.output import replace_files
from backaudit.regular import leads_inside, read_regular
from backaudit.report.visible import visible_name
from backaudit.rule import Edit, Fix
from backaudit.source import Limits, Source, digest_of, read
from backaudit.usage import UsageError

# Fixes that meet wait for the next round, and some are told apart only by trying fewer: each try is a scan.
MAX_TRIES = 32
_LARGEST = 1 << 29
# An encoding that is written back as it was read: the others have a byte order of their own.
_WIDE = ("utf-16", "utf-32")

NOT_WRITABLE = "the file is not as it was scanned, or lies outside the project"
NOT_GONE = "the finding would still be there"
NEW_FINDING = "another finding would come of it"
MEETS_OTHERS = "it meets other fixes again and again"


class Changed(msgspec.Struct, frozen=True):
    """A file before and after; ``before`` is None where there was none."""

    path: str
    before: Source | None
    after: str
    encoding: str = "utf-8"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the fixes: files to write, how many findings are gone, and those that a fix could not mend."""

    changed: tuple[Changed, ...]
    fixed: int
    left: tuple[tuple[Issue, str], ...]


class _Made(msgspec.Struct, frozen=True):
    issue: Issue
    fix: Fix


def fixed(
    report: Report,
    *,
    root: Path,
    copy: Path,
    again: Callable[[], Report],
    unsafe: bool,
    original: Path | None = None,
    analysed: Mapping[str, bytes] | None = None,
) -> Outcome:
    """Make the fixes of a report in ``copy``, a private copy of the project at ``root``, until nothing is left to do.

    ``again`` scans the copy. ``original``: the folder that will be written to, where the report is about something
    else (what is staged): a file that is not the same there is left alone, and so is one that is not ``analysed`` as it
    is now.
    """
    return _Fixing(report, root, copy, again, unsafe, original or root, analysed or {}).run()


class _Fixing:
    def __init__(
        self,
        report: Report,
        root: Path,
        copy: Path,
        again: Callable[[], Report],
        unsafe: bool,
        original: Path,
        analysed: Mapping[str, bytes],
    ) -> None:
        self.analysed = analysed
        self.first = self.report = report
        self.root, self.copy, self.original = root, copy, original
        self.again, self.unsafe = again, unsafe
        self.refused: dict[tuple[str, str], tuple[Issue, str]] = {}
        self.before: dict[str, Source | None] = {}
        self.now: dict[str, str] = {}
        self.tries = 0

    def run(self) -> Outcome:
        while self.tries < MAX_TRIES:
            waiting = [*self._waiting()]
            if not waiting:
                break
            fits = chosen(made.fix for made in waiting)
            self._round([made for made, is_chosen in zip(waiting, fits, strict=True) if is_chosen])
        for made in self._waiting():
            self._refuse(made, MEETS_OTHERS)
        return Outcome(
            changed=tuple(self._changed()),
            fixed=max(0, _new(self.first) - _new(self.report)),
            left=tuple(self.refused.values()),
        )

    def _waiting(self) -> Iterator[_Made]:
        for issue in self.report.issues:
            fix = issue.fix(unsafe=self.unsafe)
            if fix is None or (issue.rule.id, issue.fingerprint) in self.refused:
                continue
            made = _Made(issue, fix)
            if all(map(self._may_change, {edit.place.path for edit in fix.edits})):
                yield made
            else:
                self._refuse(made, NOT_WRITABLE)

    def _refuse(self, made: _Made, why: str) -> None:
        self.refused[made.issue.rule.id, made.issue.fingerprint] = (made.issue, why)

    def _may_change(self, path: str) -> bool:
        """Whether a file is, where it will be written, what was scanned (or not there, where it is to be made)."""
        if path in self.before:
            return True
        if path.startswith("/") or ".." in path.split("/") or not leads_inside(self.original / path, self.original):
            return False
        scanned = read(self.root, path, Limits({}, default=_LARGEST)) if os.path.lexists(self.root / path) else None
        if scanned is not None and (not isinstance(scanned, Source) or scanned.encoding.startswith(_WIDE)):
            return False
        found = scanned.digest if scanned is not None else None
        if _digest(self.original / path) != found or self.analysed.get(path, found) != found:
            return False
        self.before[path] = scanned
        self.now[path] = scanned.text if scanned is not None else ""
        return True

    def _round(self, made: Sequence[_Made]) -> None:
        """Make some of these fixes, at least one or none for good; the others wait for what is found then.

        Where all are to blame together, fewer are tried: those of one rule, then the half of them, until it is known
        which of them it is.
        """
        while made and self.tries < MAX_TRIES:
            kept = dict(self.now)
            self._make(made)
            self.tries += 1
            after = self.again()
            failed = _failed(made, self.report, after, kept, self.now)
            if not failed:
                self.report = after
                return
            self._restore(kept)
            if len(failed) == len(made) > 1:
                made = _fewer(made)
                continue
            for each, why in failed:
                self._refuse(each, why)
            bad = {id(each) for each, _ in failed}
            made = [each for each in made if id(each) not in bad]

    def _make(self, made: Iterable[_Made]) -> None:
        for path, edits in _by_path(made).items():
            self.now[path] = applied(self.now[path], edits)
            self._write(path)

    def _restore(self, kept: Mapping[str, str]) -> None:
        for path, text in kept.items():
            if text != self.now[path]:
                self.now[path] = text
                self._write(path)

    def _write(self, path: str) -> None:
        target = self.copy / path
        before = self.before[path]
        if before is None and not self.now[path]:
            target.unlink()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.now[path].encode(before.encoding if before is not None else "utf-8"))

    def _changed(self) -> Iterator[Changed]:
        for path, before in sorted(self.before.items()):
            after = self.now[path]
            if after != (before.text if before is not None else ""):
                yield Changed(path, before, after, before.encoding if before is not None else "utf-8")


def _new(report: Report) -> int:
    return sum(issue.status == "new" for issue in report.issues)


def _digest(path: Path) -> bytes | None:
    """What a file is; None where there is none; nothing that any file is where it cannot be read."""
    if not os.path.lexists(path):
        return None
    try:
        return digest_of(read_regular(path, _LARGEST))
    except OSError:
        return b""


def _fewer(made: Sequence[_Made]) -> list[_Made]:
    """The fixes of the first one's rule; of one rule the first half."""
    alike = [each for each in made if each.issue.rule.id == made[0].issue.rule.id]
    return alike if len(alike) < len(made) else list(made[: len(made) // 2])


def _by_path(made: Iterable[_Made]) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for each in made:
        for edit in each.fix.edits:
            found.setdefault(edit.place.path, []).append(edit)
    return found


# --- what proves a fix


def _failed(
    made: Sequence[_Made], before: Report, after: Report, old: Mapping[str, str], new: Mapping[str, str]
) -> list[tuple[_Made, str]]:
    """The fixes that did not mend their finding, or brought another one."""
    edits = _by_path(made)

    def moved(place: Place) -> tuple[str, int]:
        path, line = place.path, place.span.line
        return path, line_after(line, old[path], new[path], edits[path]) if path in edits else line

    there = {(issue.rule.id, issue.finding.place.path, issue.finding.place.span.line) for issue in _counted(after)}
    failed = {id(each): NOT_GONE for each in made if (each.issue.rule.id, *moved(each.issue.finding.place)) in there}
    known = {(issue.rule.id, *moved(issue.finding.place)) for issue in _counted(before)}
    known |= _told_beside(before, after, moved)
    for path in _come(before, after, made, known):
        blamed = [each for each in made if any(edit.place.path == path for edit in each.fix.edits)]
        failed |= {id(each): NEW_FINDING for each in blamed or made if id(each) not in failed}
    return [(each, failed[id(each)]) for each in made if id(each) in failed]


def _told_beside(before: Report, after: Report, moved: Callable[[Place], tuple[str, int]]) -> set[tuple[str, str, int]]:
    """Places that a finding spoke of beside its own: what is told there when it is mended was there before.

    One index serves several queries, and another rule of the family may be the one that tells of the next.
    """
    rules = {issue.rule.id for issue in after.issues}
    known: set[tuple[str, str, int]] = set()
    for issue in _counted(before):
        family = issue.rule.id.partition("/")[0]
        places = [moved(step.place) for step in issue.finding.related]
        for rule in rules:
            if rule.startswith(f"{family}/"):
                known |= {(rule, *place) for place in places}
    return known


def _counted(report: Report) -> list[Issue]:
    return [issue for issue in report.issues if issue.status != "suppressed"]


def _come(before: Report, after: Report, made: Sequence[_Made], known: set[tuple[str, str, int]]) -> Iterator[str]:
    """The paths where something is that was not there: more findings of a rule than were left, or a new problem."""
    had = Counter(issue.rule.id for issue in _counted(before))
    had.subtract(each.issue.rule.id for each in made)
    has = Counter(issue.rule.id for issue in _counted(after))
    for issue in _counted(after):
        place = issue.finding.place
        more = has[issue.rule.id] > max(0, had[issue.rule.id])
        if more and (issue.rule.id, place.path, place.span.line) not in known:
            yield place.path
    old = {(problem.path, problem.kind) for problem in before.problems}
    yield from (problem.path for problem in after.problems if (problem.path, problem.kind) not in old)


# --- what comes of it


def write_changed(root: Path, changed: Iterable[Changed]) -> None:
    """Put the changed files in place, each whole; none if one of them is not as it was any more."""
    several = list(changed)
    for each in several:
        expected = each.before.digest if each.before is not None else None
        if _digest(root / each.path) != expected:
            raise UsageError(f"{each.path} changed while its fixes were tried: nothing was written.")
    replace_files((root / each.path, each.after.encode(each.encoding)) for each in several)


def diff(changed: Iterable[Changed], masks: Masks) -> str:
    """The changes as one unified diff; no secret is shown, so that a diff that takes one out cannot be applied."""
    return "".join(line for each in changed for line in _diff(each, masks))


def _diff(each: Changed, masks: Masks) -> Iterator[str]:
    old = [] if each.before is None else _lines(each.before.text)
    names = ("/dev/null" if each.before is None else _quoted(f"a/{each.path}"), _quoted(f"b/{each.path}"))
    told = difflib.unified_diff(old, _lines(each.after), *names)
    yield from islice(told, 2)
    number = 0
    for line in told:
        if line.startswith("@@"):
            number = int(line.split()[1].lstrip("-").partition(",")[0])
        else:
            is_old = not line.startswith("+")
            line = line[0] + masks.line(each.path, number if is_old else 0, line[1:])[0]
            number += is_old
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _quoted(name: str) -> str:
    """A name as git writes it in a diff: what would end its line, or act on a terminal, as octal escapes."""
    if visible_name(name) == name and not set(name) & set('"\\'):
        return name
    told = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in os.fsencode(name))
    return f'"{"".join(told)}"'


def _lines(text: str) -> list[str]:
    """The lines with their ends, as git counts them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
