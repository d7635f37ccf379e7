"""What a template's text reads of each row of a loop: relations, methods and properties that ask the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from backaudit.analyses.indexes.repeated.loading import Rows
from backaudit.analyses.indexes.repeated.work import work_of_param
from backaudit.backend.data.schema import Relation, Table, schema
from backaudit.project import Project

_TAG = re.compile(r"\{[{%]-?(.*?)-?[%}]\}", re.S)
_FOR = re.compile(r"\s*for\s+(\w+)\s+in\s+([\w.]+)")
_INCLUDE = re.compile(r"""\s*include\s+["']([^"']+)["'](.*)""", re.S)
_RENAMED = re.compile(r"(\w+)=([\w.]+)")
_PATH = re.compile(r"(?<![\w.\"'])([a-zA-Z_]\w*)((?:\.\w+)+)")
# What a list or a manager is asked for, that gives its rows as they are.


class Read(msgspec.Struct, frozen=True):
    """A read that asks the database for each row. ``relation``: the path to what is loaded, empty for a query;
    ``table``: of whose row it is read; ``always``: it is read of every row, whatever the row is like."""

    path: str
    line: int
    relation: str
    text: str
    table: str
    always: bool = True


class _Row(msgspec.Struct, frozen=True):
    """A row that a name stands for. ``way``: the relations that lead to it; ``each``: it is one of many; ``some``: here
    are only those that are like something.
    """

    table: Table
    way: tuple[str, ...] = ()
    each: bool = False
    some: bool = False


def template(project: Project, name: str) -> tuple[str, str] | None:
    """(path, text) of the one template of a name."""
    files = [file for file in project.artefacts("template") if file.path == name or file.path.endswith("/" + name)]
    if not files:
        base = name.rpartition("/")[2]
        files = [file for file in project.artefacts("template") if file.path.rpartition("/")[2] == base]
    return (files[0].path, files[0].text) if len(files) == 1 else None


def reads(project: Project, path: str, text: str, key: str, rows: Rows, each: bool) -> Iterator[Read]:
    """What is read of rows that a template knows as ``key``, or of the one row that it is; each relation once."""
    reader = _Reader(project, key if each else "", rows)
    yield from reader.read(path, text, {} if each else {key: _Row(rows.table)})


class _Reader:
    def __init__(self, project: Project, listed: str, rows: Rows) -> None:
        self._project = project
        self._listed = listed
        self._same = project.models.kinds["listed-rows"]
        self._rows = rows
        self._seen: set[tuple[str, str]] = set()
        # The templates that are being read, each included by the one before.
        self._open: list[tuple[str, str]] = []

    def read(self, path: str, text: str, names: Mapping[str, _Row]) -> Iterator[Read]:
        """The reads in one text, where ``names`` stand for rows."""
        scopes = [dict(names)]
        for tag in _TAG.finditer(text):
            line, inner = text.count("\n", 0, tag.start()) + 1, tag.group(1)
            opened, included = _FOR.match(inner), _INCLUDE.match(inner)
            if inner.split()[:1] in (["endfor"], ["endif"]):
                scopes = scopes[:-1] or [dict(names)]
                continue
            yield from self._paths(path, line, inner, scopes[-1])
            if opened is not None:
                scopes.append(scopes[-1] | self._bound(opened.group(1), opened.group(2), scopes[-1]))
            elif inner.split()[:1] == ["if"]:
                scopes.append({name: _under(row, name, inner) for name, row in scopes[-1].items()})
            elif included is not None:
                yield from self._included(included, scopes[-1])

    def _included(self, found: re.Match[str], names: Mapping[str, _Row]) -> Iterator[Read]:
        other = template(self._project, found.group(1))
        renamed = {name: names[old] for name, old in _RENAMED.findall(found.group(2)) if old in names}
        if other is not None and other not in self._open:
            self._open.append(other)
            yield from self.read(*other, {**names, **renamed})
            self._open.pop()

    def _bound(self, variable: str, over: str, names: Mapping[str, _Row]) -> dict[str, _Row]:
        """What the variable of a loop stands for."""
        first, *rest = over.split(".")
        if first == self._listed and set(rest) <= self._same:
            return {variable: _Row(self._rows.table, each=True)}
        row = names.get(first)
        for name in rest if row is not None else ():
            found = self._relation(row, name)
            if row is None or (found is None and name not in self._same):
                return {}
            target = schema(self._project).of_model(found.target) if found is not None else None
            if found is not None:
                row = _Row(target, (*row.way, name), row.each or found.many, row.some) if target is not None else None
        return {variable: row} if row is not None and rest else {}

    def _relation(self, row: _Row | None, name: str) -> Relation | None:
        found = schema(self._project).relation(row.table, name) if row is not None else None
        return found[1] if found is not None else None

    # -- reads -----------------------------------------------------------------------------------------------------

    def _paths(self, path: str, line: int, inner: str, names: Mapping[str, _Row]) -> Iterator[Read]:
        for first, rest in _PATH.findall(inner):
            row = names.get(first)
            steps = rest.strip(".").split(".")
            while row is not None and steps:
                name = steps.pop(0)
                if row.each:
                    yield from self._of_row(path, line, row, name)
                relation = self._relation(row, name)
                target = schema(self._project).of_model(relation.target) if relation is not None else None
                single = relation is not None and not relation.many
                row = _Row(target, (*row.way, name), row.each, row.some) if target is not None and single else None

    def _of_row(self, path: str, line: int, row: _Row, name: str) -> Iterator[Read]:
        relation = self._relation(row, name)
        way = ".".join((*row.way, name))
        if (path, way) in self._seen:
            return
        if relation is not None and not relation.eager and way not in self._rows.eager:
            self._seen.add((path, way))
            yield Read(path, line, way, f"reads `{way}` of each row", row.table.name, not row.some)
        elif relation is None and row.table.model:
            yield from self._of_method(path, line, row, name, way)

    def _of_method(self, path: str, line: int, row: _Row, name: str, way: str) -> Iterator[Read]:
        method = self._project.method(row.table.model, name)
        for work in work_of_param(self._project, method, 0, row.table) if method is not None else ():
            loaded = ".".join((*row.way, work.relation)) if work.relation else ""
            if loaded not in self._rows.eager:
                self._seen.add((path, way))
                yield Read(path, line, loaded, f"asks `{name}` of each row: {work.text}", row.table.name, not row.some)
                return


def _under(row: _Row, name: str, test: str) -> _Row:
    """A row below a condition: one of some, if the condition is about the row."""
    return msgspec.structs.replace(row, some=row.some or re.search(rf"(?<!\.)\b{re.escape(name)}\.", test) is not None)
