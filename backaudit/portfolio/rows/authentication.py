"""Whether people can register and log in, how their passwords are kept, and how much of the API asks who calls."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.cheap import cheap_hashes
from backaudit.analyses.passwords.kept import kept_plainly
from backaudit.analyses.passwords.schemes import weak_choices
from backaudit.portfolio.accounts import (
    changing,
    duration,
    hashings,
    issues_tokens,
    logins,
    registrations,
    shortest,
)
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import at_line, counted, lack, listed, route_name, served
from backaudit.project import Project


def row(project: Project) -> Row:
    """Registration, login, hashing, tokens and the protected share of the routes."""
    return Row(
        key="authentication",
        title="Authentication",
        facts=tuple(_facts(project)),
        lacks=tuple(_lacks(project)),
        basis=bool(project.once(logins)),
    )


def _facts(project: Project) -> Iterator[Fact]:
    entrances = {"registration": project.once(registrations), "login": project.once(logins)}
    for what, doors in entrances.items():
        if doors:
            by = f" ({doors[0].library})" if doors[0].library else ""
            yield Fact(f"{what} at {listed([door.path for door in doors])}{by}", doors[0].place)
    found = project.once(hashings)
    if found:
        cost = f" with {found[0].cost}" if found[0].cost else ""
        yield Fact(f"passwords are hashed with {found[0].name}{cost}", found[0].place)
    yield from _of_tokens(project)
    rows = served(project)
    asking = [one for one in rows if one.authenticates]
    yield Fact(f"{len(asking)} of {counted(len(rows), 'route')} ask who is calling")


def _of_tokens(project: Project) -> Iterator[Fact]:
    made, said = issues_tokens(project), shortest(project)
    if said is not None:
        yield Fact(f"tokens live for {duration(said[1])}", said[0])
    elif made:
        yield Fact("tokens are signed; how long they live is not said here", made[0].place)


def _lacks(project: Project) -> Iterator[Lack]:
    entrances = project.once(logins)
    if not entrances:
        yield lack(project, "authentication/login", "nobody can log in")
    elif not project.once(registrations):
        yield lack(project, "authentication/registration", "nobody can register")
    yield from _of_passwords(project)
    changes = changing(project)
    free = [one for one in changes if not one.authenticates]
    if free and entrances:
        text = (
            f"{len(free)} of {len(changes)} routes that change data ask nobody: {listed(list(map(route_name, free)))}"
        )
        yield lack(project, "authentication/open", text, at_line(free[0].at))


def _of_passwords(project: Project) -> Iterator[Lack]:
    plain = next(iter(project.once(kept_plainly)), None)
    if plain is not None and plain.proven:
        yield lack(
            project, "authentication/plain", "passwords are stored as they come", plain.store.at.place, urgent=True
        )
    for choice in weak_choices(project):
        yield lack(project, "authentication/weak", choice.message.rstrip("."), choice.place, urgent=True)
        return
    for place, what in cheap_hashes(project):
        yield lack(project, "authentication/weak", what, place, urgent=True)
        return
