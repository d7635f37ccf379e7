"""How passwords are kept, and why so."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.cheap import cheap_hashes
from backaudit.analyses.passwords.kept import kept_plainly
from backaudit.analyses.passwords.schemes import weak_choices
from backaudit.portfolio.accounts import hashings, logins
from backaudit.portfolio.records import Question
from backaudit.project import Project

_ASK = "How are passwords kept, and what does somebody have who steals the table?"


def ask(project: Project) -> Iterator[Question]:
    """Asked where somebody can log in."""
    if not project.once(logins):
        return
    plain = next((kept for kept in project.once(kept_plainly) if kept.proven), None)
    if plain is not None:
        answer = f"They are stored as they come, in `{plain.store.column}`: whoever steals the table has all of them."
        yield Question(ask=_ASK, answer=answer, at=plain.store.at.place)
        return
    yield _hashed(project)


def _hashed(project: Project) -> Question:
    weak = next(iter(weak_choices(project)), None)
    if weak is not None:
        return Question(ask=_ASK, answer=f"{weak.message} A table of them is read back in hours.", at=weak.place)
    cheap = next(iter(cheap_hashes(project)), None)
    if cheap is not None:
        answer = f"Hashed, and cheaply: {cheap[1]}. Weak passwords are found one after the other."
        return Question(ask=_ASK, answer=answer, at=cheap[0])
    found = project.once(hashings)
    if found:
        cost = f" with {found[0].cost}" if found[0].cost else " at the library's own cost"
        answer = f"By {found[0].name}{cost}: slow by design and salted, so every guess is paid for, row by row."
        return Question(ask=_ASK, answer=answer, at=found[0].place)
    answer = "The code does not show it: no call of a hasher that backaudit knows, so a library or service keeps them."
    return Question(ask=_ASK, answer=answer, known=False)
