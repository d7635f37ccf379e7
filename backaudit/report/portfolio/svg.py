"""The scorecard as a badge: how many of what is expected is there."""

from __future__ import annotations

from html import escape

from backaudit.portfolio.records import Portfolio

_LABEL = "back end"
# A letter of the badge's type is about so wide; room on either side of a word.
_LETTER, _ROOM = 6.6, 10
_GROUND, _SOME, _MOST, _ALL = "#4b535b", "#b4531f", "#7a5a00", "#216a3c"


def render(portfolio: Portfolio, **options: object) -> str:
    """One badge for the repository: of several back ends their rows together."""
    there = sum(card.count("yes") for card in portfolio.cards)
    expected = sum(len(card.rows) - card.count("open") for card in portfolio.cards)
    said = f"{there} of {expected}"
    left, right = _width(_LABEL), _width(said)
    share = there / expected if expected else 0
    colour = _ALL if there == expected else _MOST if share >= 0.6 else _SOME
    title = escape(f"{_LABEL}: {said} things that are expected are there")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{_GROUND}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{_LABEL}</text><text x="{left + right / 2:g}" y="14">{said}</text></g></svg>\n'
    )


def _width(word: str) -> int:
    return round(len(word) * _LETTER) + _ROOM
