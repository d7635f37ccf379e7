"""Where a row of the survey stands."""

from __future__ import annotations

from backaudit.facts.place import Place
from backaudit.survey.records import (
    Spot,
)


def spot(place: Place) -> Spot:
    return Spot(place.path, place.span.line)
