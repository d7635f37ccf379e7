"""Lists that nobody sorts: the first rows of a list come in the order that the model's ``Meta.ordering`` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.analyses.indexes.paging import page_size
from backaudit.backend.data.queries import QuerySite, denoted_table, query_sites
from backaudit.backend.data.queries.chains import chain_of, table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.routes import view_classes
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.sql import Use


def default_orders(project: Project) -> Iterator[QuerySite]:
    """A sort for every model of which a page is read in its default order: by a list view, or by code that cuts one."""
    yield from _of_views(project)
    if any(table.ordering for table in schema(project).tables.values()):
        sites = {site.node: site for site in query_sites(project)}
        for node, rows in _cut(project):
            yield from _of_cut(project, node, rows, sites)


def _of_views(project: Project) -> Iterator[QuerySite]:
    """Unfiltered list views."""
    listing = project.models.kinds["paged-lists"]
    for view in project.once(view_classes):
        lists = any(owner.rpartition(".")[2] in listing for owner in project.lineage(view.name))
        table = _listed(project, view) if lists and page_size(project, view) else None
        declared = _declared(project, table) if table is not None else None
        if table is not None and declared is not None:
            yield _sorted(table, declared, view.body)


def _sorted(table: Table, declared: Node, code: Code, given: QuerySite | None = None) -> QuerySite:
    """The sort that a default order is of the rows that ``given`` asks for, all if it is None."""
    uses = tuple(
        Use(table=table.name, column=name.lstrip("-"), role="sort", descending=name.startswith("-"))
        for name in table.ordering
    )
    return QuerySite(
        place=declared.place,
        code=code,
        node=declared,
        uses=uses,
        companions=given.asked if given is not None else (),
        limited=True,
        tables=(table.name,),
        unread=given is not None and given.unread,
    )


def _cut(project: Project) -> Iterator[tuple[Node, Node]]:
    """Where only the first rows of a list are read: (what cuts it, the list)."""
    finders = sorted(project.models.kinds["all-rows"])
    asking = dict.fromkeys(call.code for method in finders for call in project.calls_of(method))
    for code in asking:
        for node in code.nodes(ops.Item):
            if isinstance(node.op, ops.Item) and isinstance(node.to(node.op.key).op, ops.Build):
                yield node, node.to(node.op.base)
    for pager in sorted(project.models.kinds["pagers"]):
        for call in project.calls_of(pager):
            listed = call.arg(0)
            if listed is not None:
                yield call, listed


def _of_cut(project: Project, node: Node, rows: Node, sites: Mapping[Node, QuerySite]) -> Iterator[QuerySite]:
    chain = chain_of(rows)
    table = table_of(project, rows)
    declared = _declared(project, table) if table is not None else None
    if table is None or declared is None or any(map(_reorders, chain)):
        return
    given = next((sites[link] for link in chain if link in sites), None)
    if given is None or not any(use.role == "sort" for use in given.asked):
        yield _sorted(table, declared, node.code, given)


def _reorders(link: Node) -> bool:
    """Whether a link sorts the rows itself, or makes others of them."""
    return link.is_call_of("order-links") or link.is_call_of("few-rows")


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
