"""Text for people: grouped by file, the spot marked in the code, the way it happens, why, and how to mend it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal, get_args
from urllib.parse import quote

from backaudit.evidence import weakest
from backaudit.facts.problem import Problem
from backaudit.facts.requests import Request
from backaudit.issue import ExcerptLine, Issue, Report
from backaudit.report.extent import NO_BACK_END, extent_of
from backaudit.report.mistakes import MISTAKES, in_order
from backaudit.report.plans import lines
from backaudit.report.requests import curl, outcome
from backaudit.report.visible import inert, visible, visible_name
from backaudit.report.wording import by_severity, counted, place_of
from backaudit.rule import SEVERITIES, Severity, Step
from backaudit.ruledoc import RuleDoc, read

Grouping = Literal["file", "rule", "severity"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
MIN_WIDTH, MAX_WIDTH, DEFAULT_WIDTH = 60, 120, 100
TAB = 4
# Lines of code quoted around the marked ones.
CONTEXT = 1
MAX_STEPS = 12
MAX_PROBLEMS = 20

# Marks what `--fix` can mend.
FIXABLE = "[*]"
_INDENT = "    "
_RESET = "\x1b[0m"
_COLOURS: Mapping[str, str] = {
    "critical": "\x1b[1;31m",
    "high": "\x1b[31m",
    "medium": "\x1b[33m",
    "low": "\x1b[36m",
    "path": "\x1b[1m",
    "dim": "\x1b[2m",
    "mark": "\x1b[1;31m",
    "good": "\x1b[32m",
}


def render(
    report: Report,
    *,
    color: bool = False,
    width: int = DEFAULT_WIDTH,
    verbose: bool = False,
    quiet: bool = False,
    group_by: Grouping = "file",
    root: str = "",
    **options: object,
) -> str:
    """The report as lines of at most ``width`` columns, code apart.

    ``color`` adds terminal colours; ``verbose`` lists what is suppressed, accepted and left out; ``quiet`` leaves out
    notes and the summary. With ``root``, the project's absolute path, places are links for terminals that show them.
    """
    return _Text(report, color, min(max(width, MIN_WIDTH), MAX_WIDTH), verbose, quiet, group_by, root).render()


@lru_cache(maxsize=512)
def _doc(text: str) -> RuleDoc:
    return read(text)


class _Text:
    def __init__(
        self, report: Report, color: bool, width: int, verbose: bool, quiet: bool, group_by: Grouping, root: str
    ) -> None:
        self.report = report
        self.color = color
        self.width = width
        self.verbose = verbose
        self.quiet = quiet
        self.group_by = group_by
        self.root = root
        self.new = [issue for issue in report.issues if issue.status == "new"]

    def render(self) -> str:
        parts = [*self._groups(), *self._problems(), *self._accepted(), *self._stale()]
        if not self.quiet:
            parts += [*self._notes(), *self._summary()]
        return inert("\n".join(parts))

    def paint(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self.color and text else text

    def _wrapped(self, text: str, indent: str, lead: str = "") -> str:
        """Running text under ``indent``; ``lead`` opens it, and its later lines stand under what follows the lead."""
        return textwrap.fill(
            visible(text),
            self.width,
            initial_indent=indent + lead,
            subsequent_indent=indent + " " * len(lead),
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _groups(self) -> Iterator[str]:
        """The findings as a reader wants them together; by file they need no title, since each names its place."""
        if self.group_by == "file":
            yield from map(self._issue, self.new)
            return
        for name, issues in self._grouped():
            title = f"{name}: {counted(len(issues), 'finding')}"
            yield self.paint("path", title) + "\n\n" + "\n".join(map(self._issue, issues))

    def _grouped(self) -> Iterator[tuple[str, Sequence[Issue]]]:
        if self.group_by == "severity":
            yield from by_severity(self.new).items()
            return
        ranked = sorted(self.new, key=lambda issue: issue.rule.id)
        for rule, issues in groupby(ranked, key=lambda issue: issue.rule.id):
            yield rule, tuple(issues)

    def _issue(self, issue: Issue) -> str:
        return "\n".join(self._issue_lines(issue)).rstrip() + "\n"

    def _issue_lines(self, issue: Issue) -> Iterator[str]:
        finding, doc = issue.finding, _doc(issue.rule.doc)
        doubt = "" if finding.confidence == "high" else self.paint("dim", f"  ({finding.confidence} confidence)")
        name = f"{self.paint(issue.severity, issue.severity)}  {self.paint('path', issue.rule.id)}"
        mark = f"  {self.paint('good', FIXABLE)}" if issue.fix(unsafe=True) is not None else ""
        yield f"{self._linked(issue)}  {name}{doubt}{mark}"
        yield self._wrapped(finding.message, _INDENT)
        yield from self._excerpt(issue.excerpt)
        yield from self._steps(finding.trace, finding.place.path)
        yield from self._others(finding.related, finding.place.path)
        supposed = weakest(finding.assumed)
        if supposed is not None:
            yield self._wrapped(supposed.text, _INDENT, "assumed: ")
        for line in lines(finding.proof) if finding.proof is not None else ():
            yield self._wrapped(line, _INDENT, "plan: ")
        yield from self._request(finding.request)
        if doc.why:
            yield self._wrapped(_first_sentence(doc.why[0]), _INDENT, "why:  ")
        remedy = finding.remedy or _first_sentence(doc.mend.partition("\n\n")[0])
        if remedy:
            yield self._wrapped(remedy, _INDENT, "mend: ")

    def _request(self, request: Request | None) -> Iterator[str]:
        """What to send: on one line, however long, so that it can be copied."""
        if request is not None:
            yield f"{_INDENT}try:  {visible(curl(request))}"
            yield self._wrapped(outcome(request), _INDENT + " " * 6)

    def _linked(self, issue: Issue) -> str:
        """Where it is, at the start of its line: terminals and editors open it."""
        shown = self.paint("path", place_of(issue))
        if not self.root:
            return shown
        target = quote(f"{self.root}/{issue.finding.place.path}".encode("utf-8", "surrogateescape"))
        return f"\x1b]8;;file://{target}\x1b\\{shown}\x1b]8;;\x1b\\"

    def _excerpt(self, excerpt: Sequence[ExcerptLine]) -> Iterator[str]:
        marked = [line.number for line in excerpt if line.mark]
        if not marked:
            return
        kept = [line for line in excerpt if min(marked) - CONTEXT <= line.number <= max(marked) + CONTEXT]
        gutter = len(str(kept[-1].number))
        margin = min(
            (len(text) - len(text.lstrip()) for line in kept if (text := line.text.expandtabs(TAB)).strip()), default=0
        )
        yield ""
        for line in kept:
            yield self._code(line, gutter, margin)
            if line.mark and line.number == marked[0]:
                yield self._underline(line, gutter, margin)
        yield ""

    def _code(self, line: ExcerptLine, gutter: int, margin: int) -> str:
        sign = self.paint("mark", ">") if line.mark else " "
        text = visible(line.text.expandtabs(TAB)[margin:]).rstrip()
        return f"{_INDENT}{sign} {self.paint('dim', f'{line.number:>{gutter}} |')} {text}".rstrip()

    def _underline(self, line: ExcerptLine, gutter: int, margin: int) -> str:
        assert line.mark is not None
        start, end = (len(visible(line.text[:column].expandtabs(TAB))) for column in line.mark)
        carets = " " * max(0, start - margin) + self.paint("mark", "^" * max(1, end - start))
        return f"{_INDENT}  {' ' * gutter} {self.paint('dim', '|')} {carets}"

    def _steps(self, trace: Sequence[Step], path: str) -> Iterator[str]:
        for number, step in enumerate(trace[:MAX_STEPS], 1):
            yield self._step(step, f"{number}.", path)
        if len(trace) > MAX_STEPS:
            yield f"{_INDENT}… and {len(trace) - MAX_STEPS} more steps"

    def _others(self, related: Sequence[Step], path: str) -> Iterator[str]:
        yield from (self._step(step, "see", path) for step in related[:MAX_STEPS])
        if len(related) > MAX_STEPS:
            yield f"{_INDENT}… and {len(related) - MAX_STEPS} more places: --per-place tells each"

    def _step(self, step: Step, lead: str, path: str) -> str:
        where = f"{visible_name(step.place.path)}:{step.place.span.line}"
        return self._wrapped(f"{where}  {step.text}", _INDENT, f"{lead} ")

    def _problems(self) -> Iterator[str]:
        problems = self.report.problems
        if not problems:
            return
        shown = problems if self.verbose else problems[:MAX_PROBLEMS]
        lines = [self.paint("path", f"Not (wholly) analysed: {counted(len(problems), 'problem')}")]
        lines += [self._problem(problem) for problem in shown]
        if len(problems) > len(shown):
            lines.append(f"  … and {len(problems) - len(shown)} more: -v lists them all")
        yield "\n".join(lines) + "\n"

    def _problem(self, problem: Problem) -> str:
        where = visible_name(problem.path) + (f":{problem.line}" if problem.line else "")
        return self._wrapped(f"{where}: {problem.message}" if where else problem.message, "  ", f"{problem.kind}: ")

    def _accepted(self) -> Iterator[str]:
        if not self.verbose:
            return
        for status, title in (("suppressed", "Suppressed by comments"), ("baseline", "Accepted by the baseline")):
            issues = [issue for issue in self.report.issues if issue.status == status]
            if issues:
                yield "\n".join([self.paint("path", title), *map(self._accepted_line, issues)]) + "\n"

    def _accepted_line(self, issue: Issue) -> str:
        place = issue.finding.place
        why = f": {issue.justification}" if issue.justification else ""
        return self._wrapped(f"{visible_name(place.path)}:{place.span.line}  {issue.rule.id}{why}", "  ")

    def _stale(self) -> Iterator[str]:
        for entries, what in (
            (self.report.stale_baseline, "met nothing: `backaudit baseline --prune` takes them out"),
            (self.report.expired_baseline, "expired: what they accepted counts again"),
        ):
            if entries:
                title = f"{counted(len(entries), 'baseline entry', 'baseline entries')} {what}"
                yield "\n".join([self.paint("path", title), *(f"  {visible_name(entry)}" for entry in entries)]) + "\n"

    def _notes(self) -> Iterator[str]:
        lines = [self._wrapped(note, "", "note: ") for note in self.report.notes]
        if self.verbose:
            lines += [f"left out: {count:,} × {visible(reason)}" for reason, count in self.report.left_out]
        elif self.report.left_out:
            total = sum(count for _, count in self.report.left_out)
            reasons = ", ".join(reason for reason, _ in self.report.left_out)
            lines.append(
                self._wrapped(f"{counted(total, 'file or folder', 'files and folders')} ({reasons})", "", "left out: ")
            )
        if self.new:
            lines.append(f"hint: backaudit explain {self.new[0].rule.id}")
        if lines:
            yield "\n".join(lines) + "\n"

    def _summary(self) -> Iterator[str]:
        counts = Counter(issue.rule.family for issue in self.new)
        ran = {rule.family for rule in self.report.rules}
        rows = [
            (f"Mistake {family.number}" if family.number else "", family.title, family.name)
            for family in in_order({*counts, *({mistake.name for mistake in MISTAKES} & ran)})
        ]
        width = max((len(title) for _, title, _ in rows), default=0)
        lines = [f"  {label:<10} {title:<{width}}  {self._tally(name)}" for label, title, name in rows]
        yield "\n".join([*lines, *([""] if lines else []), self._verdict(), *self._fixable(), ""])

    def _fixable(self) -> Iterator[str]:
        """How many findings a machine can mend, and how it is asked to."""
        safe = sum(issue.fix(unsafe=False) is not None for issue in self.new)
        more = sum(issue.fix(unsafe=True) is not None for issue in self.new) - safe
        if safe and more:
            yield f"{FIXABLE} {safe:,} fixable with --fix, {more:,} more with --fix --unsafe-fixes."
        elif safe or more:
            yield f"{FIXABLE} {safe or more:,} fixable with --fix{'' if safe else ' --unsafe-fixes'}."

    def _tally(self, family: str) -> str:
        counts = Counter(issue.severity for issue in self.new if issue.rule.family == family)
        if not counts:
            return self.paint("good", "none")
        return self._by_severity(counts)

    def _by_severity(self, counts: Mapping[Severity, int]) -> str:
        return ", ".join(self.paint(level, f"{counts[level]} {level}") for level in SEVERITIES if counts.get(level))

    def _verdict(self) -> str:
        more = [
            counted(sum(issue.status == status for issue in self.report.issues), *words)
            for status, words in (
                ("suppressed", ("suppressed", "suppressed")),
                ("baseline", ("in the baseline", "in the baseline")),
            )
            if any(issue.status == status for issue in self.report.issues)
        ]
        files = counted(self.report.files, "file")
        extent = extent_of(self.report)
        if not self.new and extent and extent.startswith(NO_BACK_END):
            return ", ".join([f"{extent} in {files}", *more]) + "."
        found = counted(len(self.new), "finding") if self.new else self.paint("good", "No findings")
        return f"{', '.join([found, *more])} in {files}{f': {extent}' if extent else ''}."


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]
