"""Whether the repository says where and how the application is deployed, in a way that fits it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.servers import development_servers
from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.platforms import Deployment, deployments
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.rows.migrations import migration_files
from backaudit.portfolio.stack import lack
from backaudit.project import Project


def row(project: Project) -> Row:
    """The files of a platform: what is started, on which port, with which migrations."""
    found = project.once(deployments)
    return Row(
        key="deployment",
        title="Deployment",
        facts=tuple(Fact(f"{one.title}: {one.path}", Place(one.path, WHOLE_FILE)) for one in found),
        lacks=tuple(_lacks(project, found)),
        basis=bool(found),
    )


def _lacks(project: Project, found: tuple[Deployment, ...]) -> Iterator[Lack]:
    if not found:
        yield lack(project, "deployment/none", "nothing says where the application is deployed")
        return
    best = next((one for one in found if one.listens), found[0])
    place = Place(best.path, WHOLE_FILE)
    if not best.listens:
        text = f"{best.title} tells the port in ${best.port}, and what is started does not listen there"
        yield lack(project, "deployment/port", text, place)
    paths = {one.path for one in found}
    tried = next((one for one in development_servers(project) if one.command.place.path in paths), None)
    if tried is not None:
        text = f"`{tried.command.text}` starts a development server"
        yield lack(project, "deployment/server", text, tried.place)
    if migration_files(project) and not any(one.migrates for one in found):
        yield lack(project, "deployment/migrations", "no release runs the migrations", place)
