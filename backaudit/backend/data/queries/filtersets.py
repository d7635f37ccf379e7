"""Filters that a client fills in: django-filter's FilterSet classes, whose fields become conditions."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import denoted_table
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Table
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import entries, items, text


def filterset_sites(project: Project) -> Iterator[QuerySite]:
    """A site for every filter field, declared or listed."""
    for cls in project.subclasses(*project.models.kinds["filter-sets"]):
        meta = cls.inner.get("Meta")
        model = meta.fields.get("model") if meta is not None else None
        table = denoted_table(project, model) if model is not None else None
        if table is not None:
            for look_up, node in (*_declared(project, cls), *_of_meta(project, cls)):
                yield from filter_sites(project, cls, table, look_up, node)


def filter_sites(project: Project, cls: ClassView, table: Table, look_up: str, node: Node) -> Iterator[QuerySite]:
    """The site of one look-up that a client may fill in."""
    uses = tuple(Lookups(project).lookup(table, look_up, None))
    if uses:
        tables = tuple(dict.fromkeys(use.table for use in uses))
        yield QuerySite(place=node.place, code=cls.body, node=node, uses=uses, tables=tables)


def _declared(project: Project, cls: ClassView) -> Iterator[tuple[str, Node]]:
    """``min_price = NumberFilter(field_name="price", lookup_expr="gte")``."""
    for name, bind in cls.fields.items():
        call = bind.origin
        if call.call is None or not call.method.endswith("Filter") or call.arg(None, "method") is not None:
            continue
        field, expression = (
            text(project, call.arg(0, "field_name")) or name,
            text(project, call.arg(None, "lookup_expr")),
        )
        yield (f"{field}__{expression}" if expression else field), call


def _of_meta(project: Project, cls: ClassView) -> Iterator[tuple[str, Node]]:
    meta = cls.inner.get("Meta")
    listed = meta.fields.get("fields") if meta is not None else None
    yield from listed_look_ups(project, listed) if listed is not None else ()


def listed_look_ups(project: Project, listed: Node) -> Iterator[tuple[str, Node]]:
    """``["shelf", "title"]``, or ``{"title": ["exact", "icontains"]}``: what may be asked, and where it says so."""
    here = project.resolved(listed)
    for name, given in entries(here).items():
        for expression in items(project.resolved(given)):
            written = text(project, expression)
            yield (name if written == "exact" else f"{name}__{written}"), expression
    yield from ((text(project, item), item) for item in items(here) if text(project, item) not in ("", "__all__"))
