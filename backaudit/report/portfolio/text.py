"""The scorecard for the terminal: a line a row, what is missing below it, then what to do next and what to discuss."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from backaudit.portfolio.records import Fact, Lack, Portfolio, Question, Row, Scorecard
from backaudit.report.portfolio.words import DISCUSS, NEXT, UNKNOWN, VERDICTS, counts, heading, where
from backaudit.report.visible import inert, visible_name

MIN_WIDTH, MAX_WIDTH, DEFAULT_WIDTH = 60, 120, 100
_RESET = "\x1b[0m"
_COLOURS: Mapping[str, str] = {
    "title": "\x1b[1m", "dim": "\x1b[2m", "yes": "\x1b[32m", "partly": "\x1b[33m", "no": "\x1b[31m", "open": "\x1b[2m",
}  # fmt: skip
_INDENT = " " * 11


def render(
    portfolio: Portfolio, *, color: bool = False, width: int = DEFAULT_WIDTH, quiet: bool = False, **options: object
) -> str:
    """The scorecards as lines of at most ``width`` columns; ``quiet`` leaves out what is there and the questions."""
    made = _Text(color, min(max(width, MIN_WIDTH), MAX_WIDTH), quiet)
    cards = ("\n".join(made.card(portfolio, card)) for card in portfolio.cards)
    return inert("\n\n".join(cards) + "\n")


class _Text:
    def __init__(self, color: bool, width: int, quiet: bool) -> None:
        self.color, self.width, self.quiet = color, width, quiet

    def card(self, portfolio: Portfolio, card: Scorecard) -> Iterator[str]:
        title = visible_name(heading(portfolio.root_name, card))
        yield f"{self.paint('title', f'Scorecard of {title}')}  {self.paint('dim', counts(card))}"
        yield ""
        for row in card.rows:
            yield from self.row(row)
        if card.next:
            yield ""
            yield self.paint("title", NEXT)
            for number, row in enumerate(card.next, 1):
                yield from self.filled(f"{number}. {row.title}: {row.step}", "  ", "     ")
        if card.questions and not self.quiet:
            yield ""
            yield self.paint("title", DISCUSS)
            for question in card.questions:
                yield from self.question(question)

    def row(self, row: Row) -> Iterator[str]:
        word = VERDICTS[row.verdict]
        yield f"  {self.paint(row.verdict, f'{word:<9}')}{row.title}"
        if row.open:
            yield from self.filled(row.open, _INDENT, _INDENT)
        for fact in row.facts if not self.quiet else ():
            yield from (self.paint("dim", line) for line in self.said(fact, "+"))
        for lack in row.lacks:
            yield from self.said(lack, "-")

    def said(self, told: Fact | Lack, sign: str) -> Iterator[str]:
        at = where(told.at)
        yield from self.filled(f"{sign} {told.text}{f'  {at}' if at else ''}", _INDENT, _INDENT + "  ")

    def question(self, question: Question) -> Iterator[str]:
        yield from self.filled(question.ask, "  ", "  ")
        at = where(question.at)
        known = "" if question.known else f" {UNKNOWN}"
        answer = f"{question.answer}{known}{f'  {at}' if at else ''}"
        yield from (self.paint("dim", line) for line in self.filled(answer, "    ", "    "))

    def filled(self, text: str, first: str, rest: str) -> list[str]:
        return textwrap.wrap(
            visible_name(text), self.width, initial_indent=first, subsequent_indent=rest, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip

    def paint(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self.color and text.strip() else text
