"""Findings become issues: deduplicated, masked, fingerprinted, suppressed, held against the baseline, and sorted.

Pure: what it needs of files comes in as text. It knows no rule by name.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec

from backaudit.baseline import Baseline, Entry, Met
from backaudit.config.folders import named_within
from backaudit.directives import FileDirectives, Suppressions
from backaudit.evidence import Assumption, doubt, severity
from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.facts.problem import Problem
from backaudit.facts.requests import Request
from backaudit.grouping import leads, together
from backaudit.issue import BackEnd, Before, ExcerptLine, Issue, Report, Status
from backaudit.linehash import line_hashes
from backaudit.masking import MASK, Masks
from backaudit.rule import SEVERITIES, Finding, Fix, Rule, Severity, Step
from backaudit.rulenames import RuleNames
from backaudit.source import Source, lines

if TYPE_CHECKING:
    from backaudit.config import Config
    from backaudit.config.folders import Folders

CONTEXT_LINES = 2
MAX_MARKED_LINES = 8
MAX_LINE = 240
_CUT = "…"


class Selection(msgspec.Struct, frozen=True):
    """Which rules run. ``named``: those that the user selected one by one, and so are shown though strict."""

    rules: tuple[Rule, ...]
    named: frozenset[str]


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has found out, as triage needs it.

    ``sources``: the text of every file that a finding speaks of. ``is_reported``: whether the user asked about a path,
    with a second argument of True about its past.
    ``veiled``: what is no finding's secret, and is quoted nowhere all the same.
    ``paths``: of all files, None where only some were looked at.
    ``renamed``: path to the path by which its findings are known. ``crashed``: rules whose findings are not complete.
    The rest goes into the report as it is.
    """

    root_name: str
    version: str
    selection: Selection
    findings: Sequence[tuple[Rule, Finding]]
    sources: Mapping[str, Source]
    veiled: Sequence[Place] = ()
    directives: Sequence[FileDirectives] = ()
    problems: Sequence[Problem] = ()
    crashed: Collection[str] = ()
    is_reported: Callable[..., bool] = lambda path, past=False: True
    files: int = 0
    paths: Collection[str] | None = None
    renamed: Mapping[str, str] = {}
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    git_prefix: str = ""
    back_end: BackEnd | None = None


def select(names: RuleNames, config: Config) -> Selection:
    """The rules that the configuration asks for: all, or those selected, without those ignored.

    The more exact name wins: a rule selected by its own name runs though its family is ignored, and the other way
    round. A strict rule runs under ``strict`` or when it is named itself, never because its family is.
    """
    wanted = _exactness(config.select, names)
    unwanted = _exactness(config.ignore, names)
    named = frozenset(id for id, exact in wanted.items() if exact == _BY_NAME)
    chosen = []
    for rule in names.rules:
        want = wanted.get(rule.id, 0) if config.select else _BY_DEFAULT
        is_shown = rule.shown == "core" or (rule.shown == "strict" and config.strict) or rule.id in named
        if is_shown and want > unwanted.get(rule.id, 0):
            chosen.append(rule)
    return Selection(tuple(chosen), named)


_BY_DEFAULT, _BY_FAMILY, _BY_NAME = 0.5, 1, 2


def _exactness(called: Iterable[str], names: RuleNames) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in called:
        exact = _BY_FAMILY if names.is_family(name) else _BY_NAME
        for rule in names.find(name):
            found[rule.id] = max(exact, found.get(rule.id, 0))
    return found


def select_any(names: RuleNames, configs: Iterable[Config]) -> Selection:
    """The rules that any of several configurations asks for."""
    several = [select(names, config) for config in configs]
    wanted = {rule.id for one in several for rule in one.rules}
    rules = tuple(rule for rule in names.rules if rule.id in wanted)
    return Selection(rules, frozenset().union(*(one.named for one in several)))


def triage(
    scan: Scan, names: RuleNames, folders: Folders, baseline: Baseline | None = None, before: Before | None = None
) -> Report:
    """The report of a run, held against what the project accepts and what an earlier commit had."""
    return _Triage(scan, names, folders, baseline or Baseline(), before or Before("", frozenset())).report()


def accepted(report: Report) -> list[Entry]:
    """The entries of a baseline that accepts every issue of a report that no comment suppresses."""
    return [
        Entry(
            issue.finding.place.path,
            issue.rule.id,
            issue.fingerprint,
            issue.content,
            issue.severity,
            " ".join(issue.finding.message.split()),
        )
        for issue in report.issues
        if issue.status != "suppressed"
    ]


def judged(scan: Scan) -> Callable[[Entry], bool]:
    """Whether a run could have met a baseline's entry: its rule ran to the end, and its path was asked about."""
    ran = {rule.id for rule in scan.selection.rules} - set(scan.crashed)
    return lambda entry: entry.rule in ran and scan.is_reported(entry.path)


class _Triage:
    def __init__(self, scan: Scan, names: RuleNames, folders: Folders, baseline: Baseline, before: Before) -> None:
        self.scan = scan
        self.names = names
        self.folders = folders
        self.baseline = baseline
        self.before = before
        self.lines_of = lru_cache(maxsize=None)(self._lines_of)
        secrets = (place for _, finding in scan.findings for place in finding.secrets)
        self.masks = Masks((*secrets, *scan.veiled), self.lines_of)
        self.visibility = _Visibility(scan, names, folders)
        self.ran = {rule.id for rule in scan.selection.rules} - set(scan.crashed)

    def report(self) -> Report:
        issues = self._issues()
        return Report(
            root_name=self.scan.root_name,
            version=self.scan.version,
            rules=self.scan.selection.rules,
            issues=tuple(self._hashed(issues)),
            problems=tuple(sorted(set(map(self._masked_problem, self.scan.problems)))),
            files=self.scan.files,
            left_out=self.scan.left_out,
            notes=tuple(map(self.masks.text, [*self.scan.notes, *self._known(issues)])),
            stale_baseline=tuple(map(_shown, self.baseline.stale(judged(self.scan)))),
            expired_baseline=tuple(f"{_shown(entry)} on {entry.expires}" for entry in self.baseline.expired()),
            git_prefix=self.scan.git_prefix,
            since=self.before.reference,
            back_end=self.scan.back_end,
        )

    def _known(self, issues: Sequence[Issue]) -> Iterator[str]:
        """What is left out because the other commit has it."""
        known = sum(issue.status == "before" for issue in issues)
        if self.before.reference:
            noun = "finding is" if known == 1 else "findings are"
            yield f"{known:,} {noun} left out: {self.before.reference} has {'it' if known == 1 else 'them'} already."

    def _lines_of(self, path: str) -> Sequence[str]:
        source = self.scan.sources.get(path)
        return lines(source.text) if source else ()

    def _issues(self) -> list[Issue]:
        """All issues that are to be shown, in the report's order; the baseline has been held against the hidden too."""
        suppressions = Suppressions(self.scan.directives, self.names)
        found = self._explained(suppressions)
        known = self._marks([(rule, finding) for rule, finding, _ in found])
        issues = []
        accepted = self._accepted([(finding, reason) for _, finding, reason in found], known)
        for (rule, finding, reason), mark, entry in zip(found, known, accepted, strict=True):
            status = self._status(mark, entry, is_suppressed=reason is not None)
            why = reason or (entry.reason if entry is not None else "")
            if self.visibility.shows(rule, finding):
                issues.append(self._issue(rule, finding, status, mark, why))
        told = issues if self.folders.root.per_place else together(issues)
        return sorted(told, key=_report_order)

    def _explained(self, suppressions: Suppressions) -> list[tuple[Rule, Finding, str | None]]:
        """All findings, with the reason of the comment that suppresses them, or what stands for them."""
        unique = _unique(self.scan.findings)
        reasons = [None if finding.commit else suppressions.reason_for(rule, finding.place) for rule, finding in unique]
        by_cause = {
            (rule.id, finding.place): reason
            for (rule, finding), reason in zip(unique, reasons, strict=True)
            if leads(finding)
        }
        found = [
            (rule, finding, by_cause.get((rule.id, finding.cause)) if reason is None and finding.cause else reason)
            for (rule, finding), reason in zip(unique, reasons, strict=True)
        ]
        engine = [(rule, finding) for rule, finding in suppressions.findings(self.ran) if rule.id in self.ran]
        return found + [(rule, one, suppressions.reason_for(rule, one.place)) for rule, one in _unique(engine)]

    def _accepted(self, findings: Sequence[tuple[Finding, str | None]], known: Sequence[Met]) -> list[Entry | None]:
        """The baseline's entry for each finding: none for those that a comment suppresses."""
        open_ones = [mark for (_, reason), mark in zip(findings, known, strict=True) if reason is None]
        entries = iter(self.baseline.accepts(open_ones, self.scan.paths))
        return [next(entries) if reason is None else None for _, reason in findings]

    def _status(self, mark: Met, entry: Entry | None, *, is_suppressed: bool) -> Status:
        if is_suppressed:
            return "suppressed"
        if entry is not None:
            return "baseline"
        return "before" if mark.fingerprint in self.before.fingerprints else "new"

    def _issue(self, rule: Rule, finding: Finding, status: Status, mark: Met, reason: str) -> Issue:
        return Issue(
            rule=rule,
            finding=self._masked(finding),
            severity=self._severity(rule, finding),
            status=status,
            fingerprint=mark.fingerprint,
            content=mark.content,
            excerpt=_past_line(self.masks, finding) if finding.commit else self._excerpt(finding.place),
            justification=self.masks.text(reason),
        )

    def _severity(self, rule: Rule, finding: Finding) -> Severity:
        """The configuration's word, by the rule's name before its family's; else the finding's own, else the rule's.

        Of what is not known at every step, only the configuration may say that it is grave.
        """
        told = self.folders.of(finding.place.path).severities
        exact = [value for name, value in told.items() if self.names.one(name) is rule]
        family = [value for name, value in told.items() if name == rule.family]
        claimed = severity(finding.severity or rule.severity, finding.assumed)
        return next(iter([*exact, *family]), claimed)

    def _masked(self, finding: Finding) -> Finding:
        text = self.masks.text

        def steps(given: tuple[Step, ...]) -> tuple[Step, ...]:
            return tuple(Step(step.place, text(step.text)) for step in given)

        return msgspec.structs.replace(
            finding,
            message=text(finding.message),
            remedy=text(finding.remedy),
            evidence=text(finding.evidence),
            beside=text(finding.beside),
            trace=steps(finding.trace),
            related=steps(finding.related),
            assumed=tuple(Assumption(one.kind, text(one.text)) for one in finding.assumed),
            fixes=tuple(fix for fix in finding.fixes if not self._tells(fix)),
            request=finding.request if not self._shows(finding.request) else None,
        )

    def _tells(self, fix: Fix) -> bool:
        """Whether a fix would show a secret."""
        return any(map(self.masks.hides_in, (fix.summary, *(edit.text for edit in fix.edits))))

    def _shows(self, request: Request | None) -> bool:
        """Whether a request has to hold a secret: then it is not told."""
        parts = (*request.query, *request.headers, (request.path, request.body)) if request is not None else ()
        return any(self.masks.hides_in(unquote_plus(text)) for pair in parts for text in pair)

    def _masked_problem(self, problem: Problem) -> Problem:
        return msgspec.structs.replace(problem, message=self.masks.text(problem.message))

    def _marks(self, found: Sequence[tuple[Rule, Finding]]) -> list[Met]:
        """How each finding is known, in their order: what two findings have in common is told apart by occurrence."""
        met: Counter[tuple[str, ...]] = Counter()
        result = []
        for rule, finding in found:
            path = finding.place.path
            quoted = finding.evidence if finding.commit else self._snippet(path, finding.place.span)
            known_by = self.scan.renamed.get(path, path)
            identity = (rule.id, known_by, self.masks.text(finding.scope), "".join(quoted.split()))
            occurrence = str(met[identity])
            met[identity] += 1
            rule_id, _, scope, text = identity
            result.append(Met(path, _digest(*identity, occurrence), _digest(rule_id, scope, text, occurrence)))
        return result

    def _snippet(self, path: str, span: Span) -> str:
        """The masked text of a span without its white space, which formatters change; empty for a whole file."""
        if span == WHOLE_FILE:
            return ""
        parts = []
        for number, start, end in _marked(span, self.lines_of(path)):
            text, mark = self.masks.line(path, number, self.lines_of(path)[number - 1], (start, end))
            if mark is not None:
                parts.append(text[mark[0] : mark[1]])
        return "".join(parts)

    def _excerpt(self, place: Place) -> tuple[ExcerptLine, ...]:
        source = self.scan.sources.get(place.path)
        if source is None or place.span == WHOLE_FILE or source.kind == "key":
            return ()
        content = self.lines_of(place.path)
        # The lines around a value of an .env file are other values.
        context = 0 if source.kind == "env" else CONTEXT_LINES
        marks = {number: (start, end) for number, start, end in _marked(place.span, content)[:MAX_MARKED_LINES]}
        if not marks:
            return ()
        last = len(content) - (content[-1] == "")
        first = max(1, min(marks) - context)
        return tuple(
            _cut(number, *self.masks.line(place.path, number, content[number - 1], marks.get(number)))
            for number in range(first, min(last, max(marks) + context) + 1)
        )

    def _hashed(self, issues: list[Issue]) -> Iterable[Issue]:
        """The issues with GitHub's hash of their line, where no secret has a part in it."""
        wanted: dict[str, set[int]] = {}
        for issue in issues:
            if not _is_unhashed(issue.finding):
                wanted.setdefault(issue.finding.place.path, set()).add(issue.finding.place.span.line)
        hashes = {path: self._safe_hashes(path, numbers) for path, numbers in wanted.items()}
        for issue in issues:
            place = issue.finding.place
            line_hash = "" if _is_unhashed(issue.finding) else hashes[place.path].get(place.span.line, "")
            yield msgspec.structs.replace(issue, line_hash=line_hash)

    def _safe_hashes(self, path: str, numbers: Collection[int]) -> dict[int, str]:
        source = self.scan.sources.get(path)
        if source is None or not source.encoding.startswith("utf-8"):
            return {}
        text = "\ufeff" + source.text if source.encoding == "utf-8-sig" else source.text
        return {
            number: value
            for number, (value, last) in line_hashes(text, numbers).items()
            if not (self.masks.touches(path, number, last) or self._shows_value(path, number, last))
        }

    def _shows_value(self, path: str, first: int, last: int) -> bool:
        """Whether a value that stands masked elsewhere is on these lines too."""
        return any(map(self.masks.hides_in, self.lines_of(path)[first - 1 : last]))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _shown(entry: Entry) -> str:
    return f"{entry.path}: {entry.rule} ({entry.fingerprint})"


class _Visibility:
    """What the user asked to see."""

    def __init__(self, scan: Scan, names: RuleNames, folders: Folders) -> None:
        self._is_reported = scan.is_reported
        self._folders = folders
        several = [(config, select(names, config)) for config in folders.all()]
        self._selections = [(*one, frozenset(rule.id for rule in one[1].rules)) for one in several]
        self._ignores = [
            (folder, pattern, frozenset(rule.id for name in called for rule in names.find(name)))
            for folder, pattern, called in folders.ignores()
        ]

    def shows(self, rule: Rule, finding: Finding) -> bool:
        path = finding.place.path
        if not (self._is_reported(path, True) if finding.commit else self._is_reported(path)):
            return False
        if any(rule.id in ids and _matches(folder, pattern, path) for folder, pattern, ids in self._ignores):
            return False
        config, selection, ids = self._selection(path)
        if rule.id not in ids:
            return False
        if config.strict:
            return True
        is_core = (finding.shown or rule.shown) == "core" or rule.id in selection.named
        return is_core and finding.confidence != "low"

    def _selection(self, path: str) -> tuple[Config, Selection, frozenset[str]]:
        """What holds for a path, and the rules that run there."""
        asked = self._folders.of(path)
        return next(one for one in self._selections if one[0] is asked)


@lru_cache(maxsize=4096)
def _matches(folder: str, pattern: str, path: str) -> bool:
    return named_within(folder, (pattern,), path)


def _unique(findings: Iterable[tuple[Rule, Finding]]) -> list[tuple[Rule, Finding]]:
    """One finding for a rule at a place, the surest and fullest, in order of path, place and rule."""
    best: dict[tuple[object, ...], tuple[Rule, Finding]] = {}
    for rule, finding in sorted(findings, key=_finding_order):
        past = finding.evidence if finding.commit else ""
        # One place may want for several things, each of which others want for too.
        cause = None if leads(finding) else finding.cause
        best.setdefault((rule.id, finding.place, finding.commit, past, cause), (rule, finding))
    return list(best.values())


def _finding_order(item: tuple[Rule, Finding]) -> tuple[object, ...]:
    rule, finding = item
    sureness = (doubt(finding.assumed), finding.shown == "strict", -len(finding.trace))
    return (finding.place, rule.id, sureness, finding.message, finding.remedy, finding.scope, repr(finding.trace))


def _is_unhashed(finding: Finding) -> bool:
    """Whether GitHub's hash of the line would tell of a secret, or be that of another version's line."""
    return bool(finding.secrets or finding.commit)


def _past_line(masks: Masks, finding: Finding) -> tuple[ExcerptLine, ...]:
    """The line of an earlier version, which the rule has masked and quotes as its evidence."""
    text = masks.text(finding.evidence)
    at = text.find(MASK)
    mark = (at, at + len(MASK)) if at >= 0 else (0, len(text))
    return (_cut(finding.place.span.line, text, mark),) if text else ()


def _report_order(issue: Issue) -> tuple[object, ...]:
    return (issue.finding.place, SEVERITIES.index(issue.severity), issue.rule.id)


def _marked(span: Span, content: Sequence[str]) -> list[tuple[int, int, int]]:
    """The part of each line that a span covers: (number, start, end), indentation left out."""
    found = []
    for number in range(span.line, min(span.end_line, len(content)) + 1):
        text = content[number - 1]
        start = span.column if number == span.line else len(text) - len(text.lstrip())
        end = span.end_column if number == span.end_line else len(text)
        found.append((number, min(start, len(text)), max(min(start, len(text)), min(end, len(text)))))
    return found


def _cut(number: int, text: str, mark: tuple[int, int] | None) -> ExcerptLine:
    """A line of bearable length, around the marked spot."""
    if len(text) <= MAX_LINE:
        return ExcerptLine(number, text, mark)
    start = max(0, mark[0] - MAX_LINE // 4) if mark else 0
    lead = _CUT if start else ""
    kept = lead + text[start : start + MAX_LINE] + (_CUT if start + MAX_LINE < len(text) else "")
    if mark is None:
        return ExcerptLine(number, kept)
    shift = len(lead) - start
    return ExcerptLine(number, kept, (mark[0] + shift, min(mark[1] + shift, len(kept))))
