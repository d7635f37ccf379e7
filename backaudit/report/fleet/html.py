"""The page of a fleet: one file that loads and sends nothing, in the dress of the scan's report.

Whatever a repository says is escaped and made visible where the template writes it (:mod:`backaudit.report.html`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec
from markupsafe import Markup

from backaudit.report.fleet.parts import FamilyCount, best, families, said_of, worst
from backaudit.report.fleet.records import Entry, Repository, Summary
from backaudit.report.html import asset, environment, policy
from backaudit.report.mistakes import Family, in_order
from backaudit.report.standards import PROJECT_URL

# More than this is for the table and the store: a page has to open.
MOST_LISTED = 300
MOST_PAGES = 2_000
MOST_FINDINGS = 200
MOST_RANKED = 8
_WIDTH, _HEIGHT = 640, 120


class Ranked(msgspec.Struct, frozen=True):
    """A finding list that may be cut: the first of it, and how many more there are."""

    entries: tuple[Entry, ...]
    more: int


class Part(msgspec.Struct, frozen=True):
    """The page of one repository: its findings by family."""

    repository: Repository
    families: tuple[tuple[Family, tuple[Entry, ...]], ...]
    more: int


class Trend(msgspec.Struct, frozen=True):
    """The open findings after each run as a line: its points, and the highest value."""

    line: str
    area: str
    dots: tuple[tuple[float, float, str], ...]
    most: int
    first: str
    last: str
    width: int = _WIDTH
    height: int = _HEIGHT


def render(summary: Summary) -> str:
    """The whole document. The same summary gives the same bytes."""
    env = environment()
    env.filters.update(source=source_of, share=_share)
    css = asset(env, "report.css") + asset(env, "fleet.css")
    script = asset(env, "report.js") + asset(env, "fleet.js")
    shown = _shown(summary.repositories)
    return env.get_template("fleet.html.j2").render(
        summary=summary,
        said=said_of(summary),
        cards=families(summary),
        parts=[_part(repository) for repository in shown],
        paged={repository.id for repository in shown},
        new=_cut(summary.new),
        fixed=_cut(summary.fixed),
        worst=worst(summary.repositories)[:MOST_RANKED],
        best=best(summary.repositories)[:MOST_RANKED],
        trend=_trend(summary),
        labels=sorted({label for one in summary.repositories for label in one.labels}),
        project_url=PROJECT_URL,
        css=Markup(css),
        script=Markup(script),
        policy=policy(css, script),
    )


def source_of(entry: Entry, repository: Repository) -> str:
    """Where a finding's line is shown on the web; empty where that is not known."""
    parts = urlsplit(repository.url)
    if parts.scheme != "https" or not re.fullmatch(r"[0-9a-f]{40,64}", repository.commit):
        return ""
    way = {"github": "blob", "gitlab": "-/blob"}.get((parts.hostname or "").split(".")[0])
    if way is None:
        return ""
    base = f"https://{parts.netloc}{quote(parts.path.removesuffix('/').removesuffix('.git'))}"
    return f"{base}/{way}/{repository.commit}/{quote(entry.path)}#L{entry.line}"


def _share(card: FamilyCount, total: int) -> str:
    return f"{card.repositories:,} of {total:,} repositories" if total != 1 else ""


def _shown(repositories: Sequence[Repository]) -> list[Repository]:
    """The repositories that have a page: all, or the worst of very many."""
    if len(repositories) <= MOST_PAGES:
        return list(repositories)
    kept = {one.id for one in sorted(repositories, key=lambda one: (-one.total, one.name))[:MOST_PAGES]}
    return [one for one in repositories if one.id in kept]


def _part(repository: Repository) -> Part:
    shown = repository.findings[:MOST_FINDINGS]
    named = in_order(entry.family for entry in shown)
    by_family = tuple((family, tuple(one for one in shown if one.family == family.name)) for family in named)
    return Part(repository, by_family, len(repository.findings) - len(shown))


def _cut(entries: Sequence[Entry]) -> Ranked:
    return Ranked(tuple(entries[:MOST_LISTED]), max(0, len(entries) - MOST_LISTED))


def _trend(summary: Summary) -> Trend | None:
    """A line from the first run to the last; none where there is but one."""
    points = summary.points
    if len(points) < 2:
        return None
    most = max(point.total for point in points) or 1
    places = [
        (round(_WIDTH * n / (len(points) - 1), 1), round(_HEIGHT - (_HEIGHT - 8) * point.total / most, 1))
        for n, point in enumerate(points)
    ]
    line = " ".join(f"{x},{y}" for x, y in places)
    dots = tuple((x, y, f"{point.day}: {point.total:,}") for (x, y), point in zip(places, points, strict=True))
    area = f"0,{_HEIGHT} {line} {_WIDTH},{_HEIGHT}"
    return Trend(line, area, dots, most, points[0].day, points[-1].day)
