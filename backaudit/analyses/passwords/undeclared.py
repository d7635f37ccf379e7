"""The columns of tables that nothing declares, as the project's own statements name them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from backaudit.backend.data.queries.handing import executed_statement
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import statement

_INSERTED = re.compile(r"\s*(?:insert|replace)\s+(?:\w+\s+)?into\s+[\"`]?(?:\w+\.)?(\w+)[\"`]?\s*\(([^()]*)\)", re.I)
_UPDATED = re.compile(r"\s*update\s+[\"`]?(?:\w+\.)?(\w+)[\"`]?\s+set\s+(.*?)(?:\swhere\s|$)", re.I | re.S)
_ASSIGNED = re.compile(r"[\"`]?(\w+)[\"`]?\s*=")
_NAME = re.compile(r"\w+")


def named_columns(project: Project, table: str) -> tuple[str, ...]:
    """The columns that statements write to a table, or ask of it, in the order of files."""
    return tuple(project.once(_named).get(table.lower(), ()))


def _named(project: Project) -> Mapping[str, Mapping[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for text in _texts(project):
        for table, column in _of_text(text):
            found.setdefault(table.lower(), {})[column] = None
    return found


def _texts(project: Project) -> Iterator[str]:
    for method in sorted(project.models.kinds["sql-runners"] | project.models.kinds["driver-fetches"]):
        for call in project.calls_of(method):
            yield from spelled_strings(project, given) if (given := _given(project, call)) is not None else ()


def _given(project: Project, call: Node) -> Node | None:
    return executed_statement(project, call) or call.arg(0)


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    inserted, updated = _INSERTED.match(text), _UPDATED.match(text)
    if inserted is not None:
        yield from ((inserted.group(1), column) for column in _NAME.findall(inserted.group(2)))
    elif updated is not None:
        yield from ((updated.group(1), column) for column in _ASSIGNED.findall(updated.group(2)))
    else:
        read = statement(text)
        yield from ((use.table, use.column) for use in (read.uses if read is not None else ()))
