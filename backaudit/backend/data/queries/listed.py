"""What lists ask by declaration: columns that clients may search and filter by, pages of an administration.

Which attributes of which classes declare what stands in the models' tables, as ``package.attribute = "how by"``:
``how`` the columns are asked, ``by`` what part of the library has to be switched on for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from backaudit.backend.data.queries.chains import denoted_table, table_of
from backaudit.backend.data.queries.filtersets import filter_sites, listed_look_ups
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Table
from backaudit.backend.deployment.django_settings import entry
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import items, text
from backaudit.project.strings import spelled_strings
from backaudit.sql import Use


def listed_sites(project: Project) -> Iterator[QuerySite]:
    """A site for every declaration by which a list may be searched or sorted, and for each column to filter by."""
    for key, told in sorted(project.models.words["declared-queries"].items()):
        package, _, attribute = key.rpartition(".")
        how, _, by = told.partition(" ")
        for cls in project.classes():
            bind = cls.fields.get(attribute)
            if bind is None or not any(name.startswith(f"{package}.") for name in project.lineage(cls.name)):
                continue
            table = listed_table(project, cls)
            if table is not None and (not by or _is_on(project, cls, by)):
                yield from _READERS[how](project, cls, table, bind)


def _filters(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    for look_up, node in listed_look_ups(project, bind):
        yield from filter_sites(project, cls, table, look_up, node)


def _search(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    """All columns are searched for the same words."""
    lookups, marks = Lookups(project), project.models.words["search-marks"]
    uses: list[Use] = []
    places: dict[int, Place] = {}
    for number, (name, node) in enumerate(_named(project, bind)):
        mark = name[:1] if name[:1] in marks else ""
        uses += lookups.lookup(table, f"{name.removeprefix(mark)}__{marks[mark]}", None, False, (1, number + 1))
        places[len(uses) - 1] = node.place
    yield from (msgspec.structs.replace(site, places=places) for site in _site(cls, bind, uses))


def _pages_filters(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    for name, node in _named(project, bind):
        yield from _site(cls, node, list(Lookups(project).lookup(table, name, None)))


def _pages_range(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    for name, _ in _named(project, bind):
        yield from _site(cls, bind, list(Lookups(project).lookup(table, f"{name}__gte", None)))


def _order(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    """The order in which a list comes if a client asks for none; whether it comes in pages the class says."""
    lookups = Lookups(project)
    uses = [use for _, node in _named(project, bind) for use in lookups.sort(table, node)]
    yield from (msgspec.structs.replace(site, limited=False, implied=False) for site in _site(cls, bind, uses))


def _orders(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    """The orders that a client may choose from."""
    for _, node in _named(project, bind):
        sites = _site(cls, node, list(Lookups(project).sort(table, node)))
        yield from (msgspec.structs.replace(site, limited=False) for site in sites)


def _pages_order(project: Project, cls: ClassView, table: Table, bind: Node) -> Iterator[QuerySite]:
    lookups = Lookups(project)
    yield from _site(cls, bind, [use for _, node in _named(project, bind) for use in lookups.sort(table, node)])


def _site(cls: ClassView, node: Node, uses: list[Use]) -> Iterator[QuerySite]:
    """A page, or a search, that the library asks for of itself."""
    if uses and all(use.column for use in uses):
        tables = tuple(dict.fromkeys(use.table for use in uses))
        yield QuerySite(
            place=node.origin.place,
            code=cls.body,
            node=node,
            uses=tuple(uses),
            limited=True,
            tables=tables,
            implied=True,
        )


def _named(project: Project, bind: Node) -> Iterator[tuple[str, Node]]:
    """The columns that a declaration names, alone, in a list, or as the first of a pair in it."""
    alone = text(project, bind)
    for item in items(project.resolved(bind)) or ([bind] if alone else []):
        first = next(iter(items(item)), item)
        if text(project, first):
            yield text(project, first), first


_READERS: dict[str, Callable[[Project, ClassView, Table, Node], Iterator[QuerySite]]] = {
    "filter": _filters,
    "search": _search,
    "order": _order,
    "orders": _orders,
    "pages-filter": _pages_filters,
    "pages-range": _pages_range,
    "pages-order": _pages_order,
}


# -- whose rows --------------------------------------------------------------------------------------------------------


def listed_table(project: Project, cls: ClassView) -> Table | None:
    """The table whose rows a class lists: by its queryset or model, or by what registers it."""
    method = project.method(cls.name, "get_queryset")
    given = list(method.returned()) if method is not None else []
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        given += [view.fields[name] for name in ("queryset", "model") if view is not None and name in view.fields]
    given += _registered(project, cls)
    found = (denoted_table(project, node) or table_of(project, node) for node in given)
    return next((table for table in found if table is not None), None)


def _registered(project: Project, cls: ClassView) -> Iterator[Node]:
    """``@admin.register(Book)`` and ``admin.site.register(Book, BookAdmin)``."""
    decorators = (cls.outer.node(value) for value in cls.cls.decorators)
    for node in decorators:
        yield from node.args() if node.method == "register" else ()
    for call in project.calls_of("register"):
        shown = call.arg(1)
        if shown is not None and cls in project.denoted_classes(shown):
            yield from (items(call.args()[0]) or call.args()[:1])


def _is_on(project: Project, cls: ClassView, by: str) -> bool:
    """Whether a class, or a setting for all of them, names the part of the library that reads the declaration."""
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        bind = view.fields.get("filter_backends") if view is not None else None
        if bind is not None:
            return any(by in (node.spelled or "") for node in items(project.resolved(bind)))
    return any(by in spelled for spelled in _by_default(project))


def _by_default(project: Project) -> Iterator[str]:
    for setting in sorted(project.models.kinds["filter-backend-settings"]):
        name, _, key = setting.partition(".")
        listed = entry(project, name, key)
        for item in items(project.resolved(listed)) if listed is not None else ():
            yield from spelled_strings(project, item)
