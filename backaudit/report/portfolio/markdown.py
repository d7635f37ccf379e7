"""The scorecard as a page for the repository (``PORTFOLIO.md``): links lead to the files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Portfolio, Question, Row, Scorecard
from backaudit.report.portfolio.words import DISCUSS, NEXT, UNKNOWN, VERDICTS, counts, heading, where
from backaudit.report.visible import inert, visible_name

_ACTIVE = re.compile(r"([\\*_{}\[\]#+|!~<>&])")


def render(portfolio: Portfolio, **options: object) -> str:
    """A page of Markdown."""
    pages = ("\n".join(_card(portfolio, card)) for card in portfolio.cards)
    return inert("\n\n".join(pages) + "\n")


def _card(portfolio: Portfolio, card: Scorecard) -> Iterator[str]:
    yield f"# {_text(heading(portfolio.root_name, card))}: what is there, and what comes next"
    yield ""
    yield f"{counts(card)}. Read from the code by backaudit {portfolio.version}; nothing of it was run."
    yield ""
    yield "| | expected | what is there | what is missing |"
    yield "|---|---|---|---|"
    yield from map(_row, card.rows)
    if card.next:
        yield from ("", f"## {NEXT}", "")
        yield from (f"{number}. **{row.title}.** {_text(row.step)}" for number, row in enumerate(card.next, 1))
    if card.questions:
        yield from ("", f"## {DISCUSS}")
        for question in card.questions:
            yield from _question(question)


def _row(row: Row) -> str:
    there = "<br>".join(f"{_text(fact.text)}{_link(fact.at)}" for fact in row.facts)
    missing = "<br>".join(f"{_text(lack.text)}{_link(lack.at)}" for lack in row.lacks)
    return f"| {VERDICTS[row.verdict]} | {row.title} | {there or _text(row.open)} | {missing} |"


def _question(question: Question) -> Iterator[str]:
    known = "" if question.known else f" {UNKNOWN}"
    yield from ("", f"**{_text(question.ask)}**", "", f"{_text(question.answer)}{known}{_link(question.at)}")


def _link(place: Place | None) -> str:
    """A link to the line as GitHub and GitLab read it."""
    if place is None:
        return ""
    line = "" if place.span == WHOLE_FILE else f"#L{place.span.line}"
    target = re.sub(r"[^\w./@+-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), place.path)
    return f" ([{_text(where(place))}]({target}{line}))"


def _text(text: str) -> str:
    """Text that shows what it is: what would act in Markdown is escaped; the backticks of our own sentences stay."""
    pieces = re.split(r"(`[^`]*`)", visible_name(text))
    return "".join(
        piece.replace("|", "\\|") if piece.startswith("`") else _ACTIVE.sub(r"\\\1", piece) for piece in pieces
    )
