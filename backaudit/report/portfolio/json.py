"""The scorecard as JSON for programs, under stable names.

``format`` is the version of this layout; within one, names may be added and none is taken away or changes its meaning.

``scorecards``  one for each back end: ``application`` (the folders of the program, empty where there is but one),
                ``routes`` (how many), ``rows``, ``next`` (keys of the three rows to take up next), ``questions``
``rows``        ``key``, ``title``, ``verdict`` (yes, partly, no, open: the question does not arise), ``reason`` of an
                open one, ``facts`` (``text``, ``source``), ``lacks`` (``text``, ``source``, ``next``)
``questions``   ``ask``, ``answer``, ``known`` (false: the code does not say it), ``source``
``problems``    what could not be analysed: ``path``, ``kind``, ``message``, ``line``
"""

from __future__ import annotations

from typing import Any

import msgspec

from backaudit.portfolio.records import Portfolio, Row, Scorecard
from backaudit.report.jsontext import json_text
from backaudit.report.portfolio.words import where

VERSION = 1


def render(portfolio: Portfolio, **options: object) -> str:
    """The scorecards as indented JSON."""
    data = {
        "format": VERSION,
        "tool": {"name": "backaudit", "version": portfolio.version},
        "root": portfolio.root_name,
        "scorecards": [_card(card) for card in portfolio.cards],
        "problems": [msgspec.structs.asdict(problem) for problem in portfolio.problems],
    }
    return json_text(data)


def _card(card: Scorecard) -> dict[str, Any]:
    return {
        "application": card.application,
        "routes": card.routes,
        "rows": [_row(row) for row in card.rows],
        "next": [row.key for row in card.next],
        "questions": [
            {"ask": one.ask, "answer": one.answer, "known": one.known, "source": where(one.at)}
            for one in card.questions
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "title": row.title,
        "verdict": row.verdict,
        "reason": row.open,
        "facts": [{"text": fact.text, "source": where(fact.at)} for fact in row.facts],
        "lacks": [{"text": lack.text, "source": where(lack.at), "next": lack.step} for lack in row.lacks],
    }
