"""Whether three resources can be created, read, changed and deleted."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import Place
from backaudit.portfolio.acts import ACTS, Resource, resources
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import lack, listed
from backaudit.project import Project

ENOUGH = 3


def row(project: Project) -> Row:
    """Full CRUD on three resources at least."""
    found = project.once(resources)
    whole = [one for one in found if not one.missing]
    return Row(
        key="resources",
        title="Resources with full CRUD",
        facts=tuple(_facts(found)),
        lacks=tuple(_lacks(project, found, whole)),
        basis=bool(whole),
    )


def _facts(found: tuple[Resource, ...]) -> Iterator[Fact]:
    for one in found:
        has = ", ".join(f"{act} {one.routes[act]}" for act in ACTS if act in one.routes)
        yield Fact(f"{one.name}: {has}", one.place)


def _lacks(project: Project, found: tuple[Resource, ...], whole: list[Resource]) -> Iterator[Lack]:
    if len(whole) >= ENOUGH:
        return
    nearest = sorted((one for one in found if one.missing), key=lambda one: (len(one.missing), one.name))
    missing = [f"{one.name} has no {' or '.join(one.missing)}" for one in nearest[: ENOUGH - len(whole)]]
    said = f": {listed(missing)}" if missing else ""
    place: Place | None = nearest[0].place if nearest else None
    yield lack(project, "resources/few", f"{len(whole)} of three resources can be fully managed{said}", place)
