"""Markdown for a pull request's comment or a job's summary: the counts, the first findings whole, the rest folded."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from backaudit.issue import ExcerptLine, Issue, Report
from backaudit.report.extent import extent_of
from backaudit.report.mistakes import in_order
from backaudit.report.standards import rule_url
from backaudit.report.visible import clipped, inert, visible, visible_name
from backaudit.report.wording import by_severity, new_issues, remedy_of
from backaudit.rule import SEVERITIES

SHOWN = 10
# GitHub takes comments of 65,536 characters and summaries of a megabyte: more of the rest is left to other formats.
MAX_CHARACTERS = 60_000
MAX_TEXT = 1_000

_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+|!~@<>&:-])")


def render(report: Report, **options: object) -> str:
    """A page of Markdown of at most 60,000 characters."""
    found = [issue for of in by_severity([*new_issues(report)]).values() for issue in of]
    head = ["## backaudit", "", _verdict(report, found), "", *_table(found), *_shown(found[:SHOWN])]
    text = "\n".join(head).rstrip() + "\n"
    rest = _folded(found[SHOWN:], MAX_CHARACTERS - len(text) - 500)
    problems = _problems(report, MAX_CHARACTERS - len(text) - len(rest) - 200)
    return inert(text + rest + problems)


def _verdict(report: Report, found: Sequence[Issue]) -> str:
    extent = extent_of(report)
    counted = f"{len(found):,} finding{'' if len(found) == 1 else 's'}" if found else "No findings"
    return f"**{counted}** in {report.files:,} files{f': {extent}' if extent else ''}."


def _table(found: Sequence[Issue]) -> Iterator[str]:
    """Families by severity, only what there is."""
    counts = Counter((issue.rule.family, issue.severity) for issue in found)
    levels = [level for level in SEVERITIES if any(severity == level for _, severity in counts)]
    if not levels:
        return
    yield "| | " + " | ".join(levels) + " |"
    yield "|---|" + "---:|" * len(levels)
    for family in in_order({family for family, _ in counts}):
        cells = [str(counts[family.name, level] or "") for level in levels]
        yield f"| {_text(family.title)} | " + " | ".join(cells) + " |"
    yield ""


def _shown(found: Sequence[Issue]) -> Iterator[str]:
    for issue in found:
        yield f"#### {_headline(issue)}"
        yield ""
        yield _text(issue.finding.message)
        yield ""
        yield from _code(issue.excerpt)
        yield from _steps(issue)
        if remedy_of(issue):
            yield f"**Mend:** {_text(remedy_of(issue))}"
            yield ""


def _headline(issue: Issue) -> str:
    url = rule_url(issue.rule)
    name = f"[{issue.rule.id}]({url})" if url else _text(issue.rule.id)
    place = issue.finding.place
    return f"{issue.severity}: {name} in {_literal(f'{visible_name(place.path)}:{place.span.line}')}"


def _code(excerpt: Sequence[ExcerptLine]) -> Iterator[str]:
    if not excerpt:
        return
    yield "<pre>"
    for line in excerpt:
        sign = ">" if line.mark else " "
        yield html.escape(visible(f"{sign} {line.number:>4} | {line.text}".rstrip()))
    yield "</pre>"
    yield ""


def _steps(issue: Issue) -> Iterator[str]:
    for number, step in enumerate(issue.finding.trace, 1):
        at = _literal(f"{visible_name(step.place.path)}:{step.place.span.line}")
        yield f"{number}. {at} {_text(step.text)}"
    if issue.finding.trace:
        yield ""


def _folded(found: Sequence[Issue], room: int) -> str:
    if not found:
        return ""
    lines = []
    for number, issue in enumerate(found):
        line = f"- {_headline(issue)}: {_text(issue.finding.message)}"
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- … and {len(found) - number:,} more")
            break
        lines.append(line)
    body = "\n".join(lines)
    return f"\n<details><summary>{len(found):,} more</summary>\n\n{body}\n\n</details>\n"


def _problems(report: Report, room: int) -> str:
    if not report.problems:
        return ""
    lines = []
    for number, problem in enumerate(report.problems):
        where = _literal(visible_name(problem.path)) + " " if problem.path else ""
        line = f"- {where}{problem.kind}: {_text(problem.message)}"
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- … and {len(report.problems) - number:,} more")
            break
        lines.append(line)
    title = f"Not (wholly) analysed: {len(report.problems):,}"
    return "\n".join([f"\n<details><summary>{title}</summary>\n", *lines, "\n</details>\n"])


def _literal(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Running text that stays text: neither markup nor a mention nor a link of whoever wrote the scanned code."""
    flat = " ".join(visible(clipped(text, MAX_TEXT)).split())
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", flat)
