"""Whether the database holds foreign keys: SQLite does so only where it is told to, by the program or its library."""

from __future__ import annotations

import re

from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import items
from backaudit.project.strings import spelled_strings

_SWITCH = re.compile(r"pragma\s+foreign_keys\s*=?\s*\(?\s*(?:on|1|true)\b", re.IGNORECASE)


def holds_keys(project: Project, table: Table) -> bool:
    """Whether a row that refers to none is refused, in the database that the project is set up for."""
    if table.engine != "sqlite" or traits(project, table.orm).holds_keys:
        return True
    return project.once(_switched_on)


def _switched_on(project: Project) -> bool:
    runners = project.models.kinds["sql-runners"] | {"executescript"}
    calls = (call for name in sorted(runners) for call in project.calls_of(name))
    given = (call.arg(0) for call in calls)
    known = [first for first in given if first is not None]
    texts = (text for first in known for text in spelled_strings(project, first))
    opened = (call for name in sorted(project.models.kinds["takes-pragmas"]) for call in project.calls_of(name))
    return any(map(_SWITCH.search, texts)) or any(_is_switched_on(call.arg(None, "pragmas")) for call in opened)


def _is_switched_on(pragmas: Node | None) -> bool:
    """``{"foreign_keys": 1}`` or ``(("foreign_keys", "on"),)``."""
    made = pragmas.origin if pragmas is not None else None
    if made is None or not isinstance(made.op, ops.Build):
        return False
    names = [made.to(key).text for key in made.op.keys if key != ops.NONE]
    pairs = (items(made.to(item)) for item in made.op.items)
    return "foreign_keys" in [*names, *(pair[0].text for pair in pairs if pair)]
