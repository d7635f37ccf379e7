"""The rows that a request needs, as a test can make them: what is looked up on its way, and what its inputs name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from backaudit.analyses.errors.lookups import column_named
from backaudit.backend.access.missing import chain
from backaudit.backend.access.tables import fetched_table, generic_table
from backaudit.backend.data.queries.chains import denoted_table
from backaudit.backend.data.queries.listed import listed_table
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.applications import importable
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Scalar
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.requests import Row
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import text
from backaudit.project.locate import class_field
from backaudit.vocabulary.protocols import EXAMPLES

_KEY = "pk"


class Asked(msgspec.Struct, frozen=True):
    """What a look-up asks of a row: the ``model``, the ``attribute`` that a client's word is compared with, and others
    that are compared with constants.
    """

    model: str
    attribute: str = _KEY
    others: tuple[tuple[str, Scalar], ...] = ()

    def usual(self, project: Project) -> Scalar:
        """A value that the attribute's column may hold; None where nothing is known of it, or texts."""
        table = project.once(schema).of_model(self.model)
        column = column_named(project, table, self.attribute) if table is not None else None
        return usual_in(project, column) if column is not None else None

    def row(self, project: Project, value: Any) -> Row | None:
        """The row for a value of the client's; None where no program can import the model."""
        cls = project.class_named(self.model)
        if cls is None or not isinstance(value, (str, int, float)):
            return None
        folder, module = importable(project, cls.file)
        return Row(module, cls.cls.name, ((self.attribute, value), *self.others), folder)


def usual_in(project: Project, column: Column) -> Scalar:
    """A key that a column of numbers, or of UUIDs, may hold."""
    if column.type in project.models.kinds["number-columns"]:
        return 1
    return EXAMPLES["uuid"] if column.type in project.models.kinds["uuid-columns"] else None


# -- look-ups ---------------------------------------------------------------------------------------------------------


def asked_for(project: Project, calls: Iterable[Node], value: Node) -> Asked | None:
    """The row that a chain of calls looks up by a value; None where more than its own columns is asked."""
    links = (link for call in calls for link in chain(call))
    found = (_of_link(project, link, value) for link in links if value in link.keywords().values())
    return next((asked for asked in found if asked is not None), None)


def _of_link(project: Project, link: Node, value: Node) -> Asked | None:
    given = link.keywords()
    table = fetched_table(project, link)
    if table is None or not table.model or any("__" in name for name in given):
        return None
    attribute = next(name for name, node in given.items() if node == value)
    constants = {name: node.const for name, node in given.items() if isinstance(node.origin.op, ops.Const)}
    return Asked(table.model, attribute, tuple(constants.items()))


# -- generic views ----------------------------------------------------------------------------------------------------


def row_of_view(project: Project, route: Route) -> tuple[str, Asked] | None:
    """The placeholder by which a generic view looks its row up, and the row; None of all others."""
    view = route.view
    if view is None or not _looks_up(project, route, view):
        return None
    table = generic_table(project, view) or listed_table(project, view)
    by = _said(project, route, "lookup_field") or _said(project, route, "slug_field") or _KEY
    placeholder = _said(project, route, "lookup_url_kwarg") or _said(project, route, "pk_url_kwarg") or by
    if table is None or not table.model or f"{{{placeholder}" not in route.path:
        return None
    return placeholder, Asked(table.model, by)


def _looks_up(project: Project, route: Route, view: ClassView) -> bool:
    """Whether the library's view does so by itself, or the view's own code has it do so."""
    of_library = route.names_one_thing and project.inherits(view.name, *project.models.kinds["one-row-views"])
    return of_library or any(call.is_call_of("looks-up-by-path") for call in route.handler.nodes(ops.Call))


def _said(project: Project, route: Route, name: str) -> str:
    field = class_field(project, route.view, name) if route.view is not None else None
    return text(project, field) if field is not None else ""


# -- references -------------------------------------------------------------------------------------------------------


def referred(project: Project, schema_name: str) -> Iterator[tuple[str, Asked]]:
    """The fields of a schema whose values are rows' keys, by the name that a client calls them."""
    made = schema_named(project, schema_name)
    if made is None:
        return
    table = project.once(schema).tables.get(made.model)
    for field in made.fields:
        asked = _declared(project, made.name, field.attribute) or _of_column(project, table, field.attribute)
        if asked is not None and field.shape.kind not in ("object", "array", "file"):
            yield field.name, asked


def _declared(project: Project, cls: str, attribute: str) -> Asked | None:
    """``PrimaryKeyRelatedField(queryset=Author.objects.all())``."""
    views = (view for view in project.lineage_views(cls) if attribute in view.fields)
    call = next((view.fields[attribute].origin for view in views), None)
    rows = call.arg(None, "queryset") if call is not None else None
    table = _table_of(project, rows) if rows is not None else None
    return Asked(table.model, _compared_with(call)) if call is not None and table is not None and table.model else None


def _compared_with(field: Node) -> str:
    by = field.arg(None, "slug_field") or field.arg(None, "to_field_name")
    return (by.text if by is not None else None) or _KEY


def _table_of(project: Project, rows: Node) -> Table | None:
    return denoted_table(project, rows) or fetched_table(project, rows)


def _of_column(project: Project, table: Table | None, attribute: str) -> Asked | None:
    """A foreign key that the schema takes over from its model."""
    relation = table.relation(attribute) if table is not None else None
    if relation is None or not relation.column or relation.many:
        return None
    return Asked(relation.target)


__all__ = ["Asked", "asked_for", "referred", "row_of_view", "usual_in"]
