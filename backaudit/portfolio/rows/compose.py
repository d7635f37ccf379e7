"""Whether one command starts the application with a database that keeps its data and is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.images import Service, services
from backaudit.backend.deployment.stages import stage_of
from backaudit.extract.yaml import YamlNode
from backaudit.facts.place import Place, Span
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import lack, listed
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

_DATABASE = meaning("images", "database")
_WAITING = meaning("images", "waiting")
_HEALTHY = "service_healthy"


def row(project: Project) -> Row:
    """The services of a compose file: application, database, volume, healthcheck, order."""
    found = started(project)
    databases = [one for one in found if is_database(one)]
    return Row(
        key="compose",
        title="Compose with a database",
        facts=tuple(_facts(found)),
        lacks=tuple(_lacks(project, found, databases)),
        basis=bool(databases),
    )


def started(project: Project) -> tuple[Service, ...]:
    """The services that a developer starts, those of tests and examples left out."""
    return tuple(one for one in services(project) if stage_of(project, one.path) not in ("test", "example"))


def is_database(service: Service) -> bool:
    """Whether a service keeps the application's rows or documents: no cache and no queue."""
    return bool(_DATABASE.holds(service.image) or (service.built and _DATABASE.holds(service.name)))


def _facts(found: tuple[Service, ...]) -> Iterator[Fact]:
    if found:
        place = Place(found[0].path, _first(found[0].node.span))
        yield Fact(f"{found[0].path} starts {listed([one.name for one in found], 6)}", place)


def _lacks(project: Project, found: tuple[Service, ...], databases: list[Service]) -> Iterator[Lack]:
    if not found:
        yield lack(project, "compose/none", "there is no compose file")
        return
    first = Place(found[0].path, _first(found[0].node.span))
    if not databases:
        yield lack(project, "compose/database", "the compose file starts no database", first)
        return
    kept = databases[0]
    place = Place(kept.path, _first(kept.node.span))
    if not any(one.node.get("volumes") for one in databases):
        yield lack(project, "compose/volume", f"`{kept.name}` loses its data with its container", place)
    if not any(one.node.get("healthcheck") for one in databases):
        yield lack(project, "compose/health", f"nothing tells whether `{kept.name}` is ready", place)
    apps = [one for one in found if one.built and not is_database(one)]
    if not apps:
        yield lack(project, "compose/app", "the application itself is not started", first)
    elif not any(_waits(one, databases) for one in apps):
        yield lack(project, "compose/order", f"`{apps[0].name}` does not wait until `{kept.name}` is ready", place)


def _waits(service: Service, databases: list[Service]) -> bool:
    """``depends_on`` with the condition that the database is well, or a command that waits for it."""
    started = filter(None, (service.node.get(key) for key in ("command", "entrypoint")))
    if any(_WAITING.holds(text) for node in started for text in _texts(node)):
        return True
    needed = service.node.get("depends_on")
    conditions = (_condition(needed, one.name) for one in databases) if needed is not None else ()
    return _HEALTHY in conditions


def _texts(node: YamlNode) -> Iterator[str]:
    """A command as one line, or word by word."""
    yield from filter(None, (node.text, *(item.text for item in node.items)))


def _condition(needed: YamlNode, name: str) -> str:
    said = needed.get(name, "condition")
    return (said.text or "") if said is not None else ""


def _first(span: Span) -> Span:
    return Span(span.line, span.column, span.line, span.column)
