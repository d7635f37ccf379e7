"""Lists and objects of a JSON body in conditions of a query: no driver binds them to a text or a number."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.lookups import column_named, keyword_lookups
from backaudit.analyses.errors.requests import Wish, input_behind, showing
from backaudit.analyses.errors.unhashable import is_field_of_json, is_judged, is_text
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import query_sites
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.catching import ending, escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, Step


def findings(project: Project) -> Iterator[Finding]:
    """The first condition of each body on a value that may be a list or an object, uncaught."""
    told: set[tuple[Code, str]] = set()
    for node, table, value in (*_by_keyword(project), *_in_expressions(project)):
        raised = traits(project, table.orm).refuses_lists
        if not raised or node.code.file.role != "production" or is_text(project, node, value.origin):
            continue
        path = escapes(project, node, (raised,))
        place = input_behind(project, value, untyped=True) if path is not None else None
        if path is None or place is None or not is_field_of_json(place):
            continue
        if is_judged(project, value):
            continue
        if (node.code, place[1]) not in told:
            told.add((node.code, place[1]))
            yield _finding(project, node, value, path, place[1], raised)


def _by_keyword(project: Project) -> Iterator[tuple[Node, Table, Node]]:
    """``filter_by(name=value)``."""
    for call, table in keyword_lookups(project):
        given = call.keywords().items()
        yield from ((call, table, value) for name, value in given if column_named(project, table, name) is not None)


def _in_expressions(project: Project) -> Iterator[tuple[Node, Table, Node]]:
    """``Model.name == value`` in the bodies that ask such tables."""
    for code in dict.fromkeys(site.code for site in project.once(query_sites) if not site.raw):
        for node in code.nodes(ops.Compare):
            op = node.op
            table = _table_of(project, node.to(op.left)) if isinstance(op, ops.Compare) else None
            if table is not None and isinstance(op, ops.Compare) and op.operator == "==":
                yield node, table, node.to(op.right)


def _table_of(project: Project, node: Node) -> Table | None:
    """The table of whose column a value is the attribute of the model."""
    op = node.origin.op
    for cls in project.denoted_classes(node.origin.to(op.base)) if isinstance(op, ops.Attr) else ():
        table = project.once(schema).of_model(cls.name)
        if table is not None and isinstance(op, ops.Attr) and table.column(op.name) is not None:
            return table
    return None


def _finding(project: Project, node: Node, value: Node, path: tuple[Node, ...], name: str, raised: str) -> Finding:
    place = node.place.first_line()
    origin = client_origin(project, value, untyped=True)
    exception = raised.rpartition(".")[2]
    return Finding(
        place=place,
        message=f"`{name}` may be a list or an object in the client's JSON, which the driver does not bind: "
        f"{exception}, {ending(project, node, path, 'a 500, not a 400')}.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(*(origin.steps if origin is not None else ()), Step(place, "is bound to the query, or refused")),
        request=showing(project, node, path, (Wish("listed", "body", name),), raises=raised),
    )
