"""Whether the schema is changed by migrations, and whether these say what the models say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from backaudit.analyses.deploy.images import services
from backaudit.extract.yaml import YamlNode
from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed, place_of, surveyed
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project
from backaudit.survey.records import TableRow
from backaudit.vocabulary.meaning import meaning

_STEP = meaning("migrations", "step-file")
_FIRST_START = meaning("migrations", "run-at-first-start")


def row(project: Project) -> Row:
    """Steps that bring a database from one version of the schema to the next."""
    tables = own_tables(project)
    only_documents = not tables and bool(surveyed(project).collections)
    steps = migration_files(project)
    return Row(
        key="migrations",
        title="Migrations",
        facts=tuple(_facts(steps)),
        lacks=tuple(_lacks(project, tables, steps)),
        basis=bool(steps),
        open="a store of documents has no schema to migrate" if only_documents else "",
    )


def migration_files(project: Project) -> tuple[str, ...]:
    """The files that are steps of a migration."""
    found = (path for path, file in project.facts.items() if file.kind in ("python", "sql"))
    steps = (path for path in found if project.role(path) == "migration" and _STEP.holds(path))
    once = project.once(_run_at_first_start)
    return tuple(path for path in steps if not any(f"{path}/".startswith(f"{mounted}/") for mounted in once))


def _run_at_first_start(project: Project) -> tuple[str, ...]:
    """Files and folders that a database runs where it has no data yet: they bring no version to the next."""
    mounts = ((service.path, text) for service in services(project) for text in _mounts(service.node.get("volumes")))
    return tuple(_from_root(path, text.split(":")[0]) for path, text in mounts if _FIRST_START.holds(text))


def _mounts(volumes: YamlNode | None) -> Iterator[str]:
    """Each volume as ``source:target``, in whichever of the two ways it is written."""
    for item in volumes.items if volumes is not None else ():
        source, target = item.get("source"), item.get("target")
        yield item.text or ":".join(node.text or "" for node in (source, target) if node is not None)


def _from_root(compose: str, source: str) -> str:
    """A path of the host, from the root of the project."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(compose), source))


def _facts(steps: tuple[str, ...]) -> Iterator[Fact]:
    if steps:
        yield Fact(f"{counted(len(steps), 'migration')} in {_folders(steps)}", Place(steps[0], WHOLE_FILE))


def _folders(steps: tuple[str, ...]) -> str:
    return listed(sorted({path.rpartition("/")[0] for path in steps}))


def _lacks(project: Project, tables: tuple[TableRow, ...], steps: tuple[str, ...]) -> Iterator[Lack]:
    if not steps:
        yield lack(project, "migrations/none", "nothing changes the schema step by step")
        return
    for table in tables:
        # An index that only one of them has is advice elsewhere; a column or table that is missing breaks the app.
        gone = [one for one in table.differences if one.kind in ("table", "column") and one.only == "models"]
        if gone:
            names = listed([one.name or table.name for one in gone])
            text = f"the migrations lack what the model of `{table.name}` has: {names}"
            yield lack(project, "migrations/behind", text, place_of(gone[0].at or table.at))
            return
