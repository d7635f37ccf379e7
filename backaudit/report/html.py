"""The report as one HTML file: nothing to install, nothing to fetch, readable without JavaScript, printable.

The Content-Security-Policy admits one style sheet and one script, both by hash; everything else, any request included,
is refused by the browser itself. Whatever the scanned project says is escaped, and made visible, at one place.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from backaudit.evidence import weakest
from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.issue import ExcerptLine, Issue, Report
from backaudit.report.extent import extent_of
from backaudit.report.map.page import page
from backaudit.report.mistakes import MISTAKES, Family, in_order
from backaudit.report.plans import steps, told
from backaudit.report.requests import curl, outcome
from backaudit.report.standards import PROJECT_URL, Link, standards
from backaudit.report.visible import inert_markup, visible, visible_name
from backaudit.rule import SEVERITIES, Rule, Severity
from backaudit.ruledoc import RuleDoc, read
from backaudit.survey.records import Survey

MAX_LINE = 400
LEAD = 120


class Tally(msgspec.Struct, frozen=True):
    """How many findings of each severity, the most severe first, without zeros."""

    counts: tuple[tuple[Severity, int], ...]

    @property
    def total(self) -> int:
        return sum(number for _, number in self.counts)

    @property
    def bars(self) -> tuple[tuple[Severity, int, int], ...]:
        """Severity, start and width of each stretch of a bar that is ``total`` wide."""
        starts = [sum(number for _, number in self.counts[:index]) for index in range(len(self.counts))]
        return tuple((severity, start, number) for start, (severity, number) in zip(starts, self.counts, strict=True))


class RulePart(msgspec.Struct, frozen=True):
    """A rule with what it found: the documentation is told once, above its findings."""

    rule: Rule
    doc: RuleDoc
    links: tuple[Link, ...]
    issues: tuple[Issue, ...]


class FamilyPart(msgspec.Struct, frozen=True):
    """A family with its rules that found something, the most severe first."""

    family: Family
    tally: Tally
    rules: tuple[RulePart, ...]


def render(report: Report, *, survey: Survey | None = None, **options: object) -> str:
    """The whole document; with the survey, sections show routes and tables. The same report gives the same bytes."""
    env = environment()
    css, script = asset(env, "report.css"), asset(env, "report.js")
    shown = [issue for issue in report.issues if issue.status == "new"]
    parts = [_family_part(family, shown) for family in in_order(issue.rule.family for issue in shown)]
    return inert_markup(
        env.get_template("report.html.j2").render(
            report=report,
            page=page(survey) if survey is not None and (survey.routes or survey.tables) else None,
            project_url=PROJECT_URL,
            css=Markup(css),
            script=Markup(script),
            policy=policy(css, script),
            tally=_tally(shown),
            cards=[_card(family, parts) for family in MISTAKES],
            others=[part for part in parts if not part.family.number],
            parts=parts,
            files=sorted(Counter(visible_name(issue.finding.place.path) for issue in shown).items()),
            extent=extent_of(report),
            crashed=any(problem.kind == "crash" for problem in report.problems),
            accepted=[issue for issue in report.issues if issue.status in ("suppressed", "baseline")],
        )
    )


def environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("backaudit.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    env.filters.update(
        brief=_brief,
        where=_where,
        pieces=_pieces,
        spot=_spot,
        anchor=_anchor,
        count=_count,
        opening=_opening,
        name=visible_name,
        steps=steps,
        curl=curl,
        outcome=outcome,
        told=told,
        weakest=weakest,
    )
    return env


def _shown(value: Any) -> Any:
    """What a template writes: any text but our own markup is made visible, and then escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def asset(env: jinja2.Environment, name: str) -> str:
    assert env.loader is not None
    return env.loader.get_source(env, name)[0]


def policy(css: str, script: str) -> str:
    """Nothing may be loaded, sent or framed; our own style and script may run because their text has these hashes."""
    return (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# --- grouping


def _tally(issues: Iterable[Issue]) -> Tally:
    counts = Counter(issue.severity for issue in issues)
    return Tally(tuple((severity, counts[severity]) for severity in SEVERITIES if counts[severity]))


def _card(family: Family, parts: Iterable[FamilyPart]) -> FamilyPart:
    """The family's part, an empty one where nothing was found: the five stand in every report."""
    return next((part for part in parts if part.family == family), FamilyPart(family, Tally(()), ()))


def _family_part(family: Family, issues: Iterable[Issue]) -> FamilyPart:
    own = [issue for issue in issues if issue.rule.family == family.name]
    by_rule: dict[str, list[Issue]] = {}
    for issue in own:
        by_rule.setdefault(issue.rule.id, []).append(issue)
    groups = sorted(by_rule.values(), key=lambda group: (min(map(_rank, group)), group[0].rule.id))
    return FamilyPart(family, _tally(own), tuple(_rule_part(group) for group in groups))


def _rank(issue: Issue) -> int:
    return SEVERITIES.index(issue.severity)


def _rule_part(issues: Sequence[Issue]) -> RulePart:
    rule = issues[0].rule
    doc = read(rule.doc)
    links = (*standards(rule), *(Link(re.sub(r"^https?://", "", url), url) for url in doc.links))
    return RulePart(rule, doc, tuple(link for link in links if _web(link.url)), tuple(sorted(issues, key=_rank)))


# --- what the template asks for


def _where(place: Place) -> str:
    """``path:line``, or the path alone where the whole file is meant."""
    path = visible_name(place.path)
    return path if place.span == WHOLE_FILE else f"{path}:{place.span.line}"


def _anchor(issue: Issue) -> str:
    return "f-" + re.sub(r"[^0-9A-Za-z]+", "-", issue.fingerprint)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _brief(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _opening(text: str) -> str:
    """Running text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Text cut at its backticks: (piece, whether it is code)."""
    cut = re.split(r"``(.+?)``|`([^`]+)`", text)
    return [(piece, index % 3 != 0) for index, piece in enumerate(cut) if piece]


def _spot(line: ExcerptLine) -> tuple[str, str, str]:
    """The line before, in and after its mark; of a very long line the stretch around the mark."""
    start, end = line.mark or (0, 0)
    left, right = 0, len(line.text)
    if right > MAX_LINE:
        left = max(0, start - LEAD)
        right = min(right, left + MAX_LINE)
    before = ("…" if left else "") + line.text[left:start]
    after = line.text[min(end, right) : right] + ("…" if right < len(line.text) else "")
    return before, line.text[start : min(end, right)], after
