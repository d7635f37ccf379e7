"""Lists that nobody sorts: a page of a list view comes in the order that the model's ``Meta.ordering`` says."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.paging import page_size
from backaudit.backend.data.queries import QuerySite, denoted_table
from backaudit.backend.data.queries.chains import chain_of, table_of
from backaudit.backend.data.schema import Table
from backaudit.backend.web.routes import view_classes
from backaudit.project import ClassView, Node, Project
from backaudit.sql import Use


def default_orders(project: Project) -> Iterator[QuerySite]:
    """A sort of the whole table for every model that an unfiltered, paged list view shows in its default order."""
    listing = project.models.kinds["paged-lists"]
    for view in project.once(view_classes):
        lists = any(owner.rpartition(".")[2] in listing for owner in project.lineage(view.name))
        table = _listed(project, view) if lists and page_size(project, view) else None
        declared = _declared(project, table) if table is not None else None
        if table is not None and declared is not None:
            uses = tuple(
                Use(table=table.name, column=name.lstrip("-"), role="sort", descending=name.startswith("-"))
                for name in table.ordering
            )
            yield QuerySite(
                place=declared.place, code=view.body, node=declared, uses=uses, limited=True, tables=(table.name,)
            )


def _listed(project: Project, view: ClassView) -> Table | None:
    """The table of which a view lists all rows as they come, to some callers at least; None if it filters or sorts."""
    method = project.method(view.name, "get_queryset")
    if method is not None:
        listed = (_whole(project, node) for node in method.returned())
        return next((table for table in listed if table is not None), None)
    for cls in project.lineage_views(view.name):
        for name in ("queryset", "model"):
            bound = cls.fields.get(name)
            if bound is not None:
                return _whole(project, bound)
    return None


def _whole(project: Project, node: Node) -> Table | None:
    asked = {link.method for link in chain_of(node) if link.call is not None}
    return None if asked & project.models.kinds["reorders"] else denoted_table(project, node) or table_of(project, node)


def _declared(project: Project, table: Table) -> Node | None:
    """Where the default order is written."""
    for cls in project.lineage_views(table.model) if table.ordering else ():
        meta = cls.inner.get("Meta")
        if meta is not None and "ordering" in meta.fields:
            return meta.fields["ordering"]
    return None
