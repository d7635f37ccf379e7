"""The scorecard as plain data: it holds no code, so it can be kept, and rendered without the project."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.facts.problem import Told
from backaudit.survey.records import TableRow

Verdict = Literal["yes", "partly", "no", "open"]


class Fact(msgspec.Struct, frozen=True):
    """Something that is there, in words, and where it stands."""

    text: str
    at: Place | None = None


class Lack(msgspec.Struct, frozen=True):
    """Something that is missing: ``text`` says what, ``step`` what to do next in this project's own stack.

    ``urgent``: it does harm today, so it goes before what is not there yet.
    """

    text: str
    step: str
    at: Place | None = None
    urgent: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is expected. ``facts``: what is there; ``lacks``: what is missing, the gravest first.

    ``basis``: whether the essential is there, whatever is missing around it; ``open`` says why the question cannot be
    answered here, and is empty where it can.
    """

    key: str
    title: str
    facts: tuple[Fact, ...] = ()
    lacks: tuple[Lack, ...] = ()
    basis: bool = True
    open: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.open:
            return "open"
        if not self.lacks:
            return "yes"
        return "partly" if self.basis else "no"

    @property
    def urgent(self) -> bool:
        return any(lack.urgent for lack in self.lacks)

    @property
    def step(self) -> str:
        """What to do next, empty where nothing is missing."""
        first = sorted(self.lacks, key=lambda lack: not lack.urgent)
        return first[0].step if first else ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an interviewer would ask, and what the code answers; ``known`` is False where it does not say."""

    ask: str
    answer: str
    at: Place | None = None
    known: bool = True


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one back end. ``application``: the folders that it is started from, where there are several.

    ``routes``: how many there are; none, and there is nothing to judge.
    """

    rows: tuple[Row, ...] = ()
    questions: tuple[Question, ...] = ()
    tables: tuple[TableRow, ...] = ()
    routes: int = 0
    application: str = ""

    @property
    def next(self) -> tuple[Row, ...]:
        """The three rows to take up next: what does harm, then what is missing, then what is half there."""
        ranked = sorted(self.lacking, key=lambda row: (not row.urgent, row.verdict != "no"))
        return tuple(ranked[:3])

    @property
    def lacking(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.verdict in ("no", "partly"))

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict for row in self.rows)


class Portfolio(Told, frozen=True, kw_only=True):
    """The scorecards of a repository, one for each back end. ``languages``: what else it is written in."""

    cards: tuple[Scorecard, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def is_back_end(self) -> bool:
        return any(card.routes for card in self.cards)
