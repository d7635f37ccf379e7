"""The summary for a chat: what is open, what came and went, the worst, and what could not be scanned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backaudit.report.fleet.parts import FamilyCount, families, said_of, worst
from backaudit.report.fleet.records import Entry, Repository, Summary
from backaudit.report.visible import clipped, visible_name

SHOWN = 10
_MOST_TEXT = 160
_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+|!~@<>&:])")


def render(summary: Summary) -> str:
    """A few lines of Markdown."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    yield f"**{said_of(summary)}**"
    yield ""
    yield "| | findings | repositories | new | fixed |"
    yield "|---|---:|---:|---:|---:|"
    for family in families(summary):
        yield _row(family)
    yield from _listed("New since the last run", [_finding(one) for one in summary.new])
    yield from _listed("The gravest", [f"{_text(one.name)}: {_counts(one)}" for one in worst(summary.repositories)[:5]])
    yield from _listed("Not scanned", [f"{_text(one.name)}: {_text(one.reason)}" for one in summary.failed])


def _row(family: FamilyCount) -> str:
    cells = [family.total, family.repositories, family.new, family.fixed]
    return f"| {_text(family.family.title)} | " + " | ".join(f"{cell:,}" for cell in cells) + " |"


def _counts(repository: Repository) -> str:
    return ", ".join(f"{number:,} {severity}" for severity, number in repository.severities.items() if number)


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"**{title}**" if len(lines) <= SHOWN else f"**{title}** ({SHOWN} of {len(lines):,})"
    yield ""
    yield from (f"- {line}" for line in lines[:SHOWN])


def _finding(entry: Entry) -> str:
    place = f"{_text(entry.repository)} {_text(entry.path)}\\:{entry.line}"
    return f"{entry.severity} {_text(entry.rule)} in {place}: {_text(entry.message)}"


def _text(text: str) -> str:
    """Text that is shown as it is, and calls nobody."""
    return _ACTIVE.sub(r"\\\1", clipped(visible_name(text), _MOST_TEXT))
