"""What all formats of the scorecard say alike."""

from __future__ import annotations

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Row, Scorecard
from backaudit.report.visible import visible_name

# How a verdict is read; one that is open is a question that does not arise.
VERDICTS = {"yes": "yes", "partly": "partly", "no": "no", "open": "not asked"}
NEXT = "Three things to do next"
DISCUSS = "Be ready to discuss"
UNKNOWN = "The code does not say all of it."


def where(place: Place | None) -> str:
    """``path:line``, the path alone where a whole file is meant, nothing where there is no place."""
    if place is None:
        return ""
    path = visible_name(place.path)
    return path if place.span == WHOLE_FILE else f"{path}:{place.span.line}"


def counts(card: Scorecard) -> str:
    """``9 yes, 4 partly, 3 no``."""
    found = [f"{card.count(verdict)} {verdict}" for verdict in ("yes", "partly", "no")]
    return ", ".join(found)


def reason(row: Row) -> str:
    """What speaks for the verdict, in one line: what is missing, else the first thing that is there."""
    if row.open:
        return row.open
    said = [lack.text for lack in row.lacks] or [fact.text for fact in row.facts[:1]]
    return "; ".join(said)


def heading(root_name: str, card: Scorecard) -> str:
    """The project, and of several back ends which one."""
    return f"{root_name}: {card.application}" if card.application else root_name
