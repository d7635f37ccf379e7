"""Filters that a client fills in: django-filter's FilterSet classes, whose fields become conditions."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import denoted_table
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.records import QuerySite
from backaudit.project import ClassView, Project
from backaudit.project.declarations import text


def filterset_sites(project: Project) -> Iterator[QuerySite]:
    """A site for every declared filter field."""
    for cls in project.subclasses(*project.models.kinds["filter-sets"]):
        yield from _sites(project, cls)


def _sites(project: Project, cls: ClassView) -> Iterator[QuerySite]:
    meta = cls.inner.get("Meta")
    model = meta.fields.get("model") if meta is not None else None
    table = denoted_table(project, model) if model is not None else None
    if table is None:
        return
    for name, bind in cls.fields.items():
        call = bind.origin
        if call.call is None or not call.method.endswith("Filter") or call.arg(None, "method") is not None:
            continue
        field = text(project, call.arg(0, "field_name")) or name
        lookup = text(project, call.arg(None, "lookup_expr"))
        uses = tuple(Lookups(project).lookup(table, f"{field}__{lookup}" if lookup else field, None))
        if uses:
            yield QuerySite(place=call.place, code=cls.body, node=call, uses=uses, tables=(table.name,))
