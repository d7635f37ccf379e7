"""What a chain asks that it does not say itself: it begins at a relation, a manager, a function that narrows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from backaudit.backend.data.queries.between import keys_between
from backaudit.backend.data.queries.chains import (
    chain_of,
    conditions,
    guessed_model,
    managed_table,
    model_of,
    table_of,
)
from backaudit.backend.data.queries.links import is_link, uses_of_link
from backaudit.backend.data.schema import Relation, Table, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.types import split
from backaudit.sql import Use


def related_uses(project: Project, before: Iterable[Node]) -> list[Use]:
    """What a chain asks by beginning at a relation: ``user.posts`` are the posts with the user's key."""
    return [use for node in before if isinstance(node.op, ops.Attr) for use in _keys_of(project, node, node.op)]


def _keys_of(project: Project, node: Node, op: ops.Attr) -> Iterator[Use]:
    """The keys by which the rows of a relation are found."""
    tables = schema(project)
    for name in project.types(node.to(op.base)):
        table = tables.of_model(split(name)[0])
        found = tables.relation(table, op.name) if table is not None else None
        target = tables.of_model(found[1].target) if found is not None else None
        if found is not None and target is not None:
            yield from _keys_to(project, *found, target)


def _keys_to(project: Project, owner: Table, relation: Relation, target: Table) -> Iterator[Use]:
    if relation.remote not in ("", "*"):
        yield Use(table=target.name, column=relation.remote, role="filter")
    if relation.typed:
        yield Use(table=target.name, column=relation.typed, role="filter")
    between = keys_between(project, owner, relation) if relation.remote == "*" else None
    if between is not None:
        yield Use(table=between.table.name, column=between.here.name, role="filter")
        yield from between.joined_to(target)


def returned_uses(project: Project, before: Iterable[Node]) -> Iterator[Use]:
    """What is asked by the functions of the project that made a query which a chain goes on with."""
    waiting: list[tuple[Node, Table | None]] = [(node, None) for node in before]
    seen: set[Code] = set()
    while waiting:
        node, over = waiting.pop(0)
        yield from _library_order(project, node, over)
        for callee, table in _made_by(project, node, over):
            if callee in seen:
                continue
            seen.add(callee)
            made = _always_made(callee)
            rows = dict.fromkeys(islice(callee.nodes(ops.Param), 1), table) if table is not None else {}
            for link in filter(is_link, made):
                yield from uses_of_link(project, link, table, rows)
            waiting += [(link, table) for link in made]


def _always_made(callee: Code) -> list[Node]:
    """The parts of the query that a function gives back; of several ways none is always gone."""
    given = callee.returned()
    return [part for part in chain_of(given[0]) if not conditions(part)] if len(given) == 1 else []


def _made_by(project: Project, node: Node, over: Table | None) -> Iterator[tuple[Code, Table | None]]:
    """The functions that a part of a chain runs, with the table where they do not know it themselves."""
    if node.call is not None:
        receiver = node.receiver
        for callee in project.callees(node):
            known = callee.cls is None or _has_table(project, callee)
            yield callee, None if known or receiver is None else over or table_of(project, receiver)
    else:
        yield from ((code, over or table_of(project, node)) for code in _beginnings(project, node))


def _beginnings(project: Project, manager: Node) -> Iterator[Code]:
    """The methods of a project's own manager that give the query which all others of it begin with."""
    for head in _managers(project, manager):
        for begins in project.models.kinds["manager-queries"]:
            code = project.method(head, begins)
            if code is not None and code is not manager.code:
                yield code


def _managers(project: Project, node: Node) -> list[str]:
    """The classes of the manager that a chain begins at: of a model, or of the one whose method asks itself."""
    if isinstance(node.op, ops.Attr):
        return [head for head, over in map(split, project.types(node)) if over]
    cls = node.code.cls if node.is_self else None
    asks = cls is not None and project.inherits(cls.name, *project.models.kinds["model-managers"])
    return [cls.name] if cls is not None and asks else []


def _library_order(project: Project, node: Node, over: Table | None) -> Iterator[Use]:
    """The order that a manager of a library gives its rows: one that nothing of the project's own begins for, or that
    the project's own goes on with.
    """
    managers = _managers_behind(project, node)
    table = (over or table_of(project, node)) if managers else None
    for known, columns in project.models.words["manager-orders"].items():
        if table is not None and any(project.inherits(manager, known) for manager in managers):
            found = filter(None, (schema(project).find(table, name) for name in columns.split()))
            yield from (Use(table=owner.name, column=column.name, role="sort") for owner, column in found)
            return


def _managers_behind(project: Project, node: Node) -> list[str]:
    """The classes of managers whose library says with what rows a part of a chain begins."""
    if not any(_beginnings(project, node)) and (managers := _managers(project, node)):
        return managers
    above = node.receiver is not None and node.receiver.origin.method == "super"
    begins = above and node.is_call_of("manager-queries")
    return [node.code.cls.name] if begins and node.code.cls is not None else []


def _has_table(project: Project, callee: Code) -> bool:
    """Whether a method's class says itself whose rows it asks for."""
    cls = callee.cls
    if cls is None or guessed_model(project, cls) is not None:
        return False
    own = schema(project).of_model(cls.name) or model_of(project, cls.name) or managed_table(project, cls.name)
    return own is not None
