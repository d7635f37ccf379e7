"""Whether what can be guessed, logins before all, may only be tried so often."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.attempts import is_login, limited, limited_everywhere, throttled, unlimited_others
from backaudit.backend.access.guards import guarded
from backaudit.backend.web.records import Route
from backaudit.portfolio.accounts import library_logins, logins
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed
from backaudit.project import Project


def row(project: Project) -> Row:
    """A limit on logins, registrations and resets."""
    open_routes = unlimited(project)
    held = limits(project)
    return Row(
        key="limits",
        title="Rate limiting",
        facts=tuple(_facts(project, held)),
        lacks=tuple(_lacks(project, open_routes)),
        basis=bool(held) or limited_everywhere(project),
        open="" if project.once(logins) or held else "there is no login to limit",
    )


def limits(project: Project) -> tuple[Route, ...]:
    """The routes that have a limit of their own."""
    return tuple(route for route in project.once(guarded) if limited(route))


def unlimited(project: Project) -> tuple[Route, ...]:
    """Logins and what can be guessed beside them, without a limit."""
    return project.once(_unlimited)


def _unlimited(project: Project) -> tuple[Route, ...]:
    if limited_everywhere(project):
        return ()
    open_logins = [route for route in project.once(guarded) if is_login(project, route) and not limited(route)]
    return (*dict.fromkeys(open_logins), *(other for other in unlimited_others(project) if other not in open_logins))


def _facts(project: Project, held: tuple[Route, ...]) -> Iterator[Fact]:
    if limited_everywhere(project):
        yield Fact("a limit holds for the whole application")
    elif project.once(throttled):
        yield Fact("a throttle holds for all views by default")
    elif held:
        named = listed([route.path for route in held])
        verb = "has" if len(held) == 1 else "have"
        yield Fact(f"{counted(len(held), 'route')} {verb} a limit: {named}", held[0].place)


def _lacks(project: Project, found: tuple[Route, ...]) -> Iterator[Lack]:
    library = library_logins(project)
    if found:
        text = f"{listed([route.path for route in found])} may be tried as often as one likes"
        yield lack(project, "limits/none", text, found[0].place)
    elif library and not limited_everywhere(project) and not project.once(throttled):
        text = f"{library[0].path} ({library[0].library}) may be tried as often as one likes"
        yield lack(project, "limits/none", text, library[0].place)
