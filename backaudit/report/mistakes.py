"""How reports name the families: the five mistakes first, in their order, then the others."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Family(msgspec.Struct, frozen=True):
    """One family as a reader meets it; ``number`` is the mistake's number, empty for the families after the five."""

    name: str
    title: str
    number: str = ""


FAMILIES = (
    Family("passwords", "Passwords", "01"),
    Family("validation", "Validation", "02"),
    Family("errors", "Errors", "03"),
    Family("indexes", "Indexes", "04"),
    Family("secrets", "Secrets", "05"),
    Family("auth", "Authentication"),
    Family("api", "API"),
    Family("deploy", "Deployment"),
    Family("portfolio", "Portfolio"),
    Family("bandit", "Bandit"),
    Family("directives", "Suppressions"),
)
MISTAKES = tuple(family for family in FAMILIES if family.number)


def in_order(names: Iterable[str]) -> tuple[Family, ...]:
    """The families of ``names``: the known ones in their order, then third parties' by name."""
    present = set(names)
    known = tuple(family for family in FAMILIES if family.name in present)
    others = sorted(present - {family.name for family in known})
    return (*known, *(Family(name, name.replace("-", " ").replace("_", " ").capitalize()) for name in others))
