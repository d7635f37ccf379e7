"""The scorecard as one HTML file in the dress of the scan's report, with the drawing of the tables."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from backaudit.portfolio.records import Portfolio, Scorecard
from backaudit.report.html import asset, environment, policy
from backaudit.report.map.drawing import Drawing, drawing
from backaudit.report.portfolio import words
from backaudit.report.standards import PROJECT_URL
from backaudit.report.visible import inert_markup


class CardPart(msgspec.Struct, frozen=True):
    """A scorecard with its heading and the drawing of its tables."""

    card: Scorecard
    heading: str
    drawing: Drawing | None


def render(portfolio: Portfolio, **options: object) -> str:
    """The whole document. Deterministic: the same scorecards give the same bytes."""
    env = environment()
    env.filters.update(at=words.where)
    css, script = asset(env, "report.css"), asset(env, "report.js")
    return inert_markup(
        env.get_template("portfolio.html.j2").render(
            portfolio=portfolio,
            parts=[_part(portfolio, card) for card in portfolio.cards],
            words=words,
            project_url=PROJECT_URL,
            css=Markup(css),
            script=Markup(script),
            policy=policy(css, script),
        )
    )


def _part(portfolio: Portfolio, card: Scorecard) -> CardPart:
    return CardPart(card, words.heading(portfolio.root_name, card), drawing(card.tables) if card.tables else None)
