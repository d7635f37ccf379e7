"""Query sites whose columns no index serves, judged: which deserve a reader's time, and what index would mend them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from backaudit.analyses.indexes.default_order import default_orders
from backaudit.analyses.indexes.indexing import ordering, serving, unique_lookup
from backaudit.analyses.indexes.paging import paged
from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.backend.data.schema import Column, Schema, Table, schema
from backaudit.facts.place import Place
from backaudit.project import Code, Project
from backaudit.sql import Use
from backaudit.vocabulary.meaning import meaning

Weight = Literal["high", "medium", "low"]

_SELECTIVE = meaning("columns", "selective")
_FEW = meaning("columns", "few-valued")
_TIMES = meaning("columns", "time")
_TIME_TYPES = meaning("columns", "time-type")
_SMALL = meaning("columns", "small-table")
_OWNERS = meaning("columns", "large-parent")
_TERMINAL = meaning("stages", "terminal")
_CATALOGUE = meaning("columns", "catalogue")
# How many sites of one missing index are shown by default.
_SITES = 5


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A site of which no index serves the uses. ``proposed``: the columns of the index that would.

    ``weight``: what it costs; ``sure``: whether a reviewer would agree; ``core``: worth showing by default.
    """

    site: QuerySite
    table: Table
    uses: tuple[Use, ...]
    proposed: tuple[str, ...]
    place: Place
    weight: Weight
    sure: Weight
    core: bool


def missing_filters(project: Project) -> tuple[Missing, ...]:
    """Equality look-ups without a usable index, one per site and table, by place."""
    return project.once(_missing_filters)


def missing_joins(project: Project) -> tuple[Missing, ...]:
    """Join columns on the probed side without a usable index, by place."""
    return project.once(_missing_joins)


def missing_sorts(project: Project) -> tuple[Missing, ...]:
    """Sorts of a whole growing table that stop after some rows, without an index that gives the order, by place."""
    return project.once(_missing_sorts)


def unusable_forms(project: Project) -> tuple[Missing, ...]:
    """Predicates whose form keeps a plain index from serving them, one per site and column, by place."""
    return project.once(_unusable_forms)


def _sites(project: Project) -> Iterator[QuerySite]:
    return (site for site in query_sites(project) if project.role(site.code.path) in ("production", "script"))


# -- filters ---------------------------------------------------------------------------------------------------------


def _missing_filters(project: Project) -> tuple[Missing, ...]:
    tables = schema(project)
    found: dict[tuple[Place, str], Missing] = {}
    for site in _sites(project):
        for name in dict.fromkeys(use.table for use in site.uses):
            table = tables.table(name)
            missing = _filter(project, tables, site, table) if table is not None else None
            if missing is not None:
                found.setdefault((missing.place, table.name if table is not None else ""), missing)
    return tuple(_thinned(found[key] for key in sorted(found)))


def _thinned(every: Iterable[Missing]) -> Iterator[Missing]:
    """One missing index is one mistake: some of its sites say enough, the others are worth a look only."""
    shown: Counter[tuple[str, str]] = Counter()
    for missing in every:
        key = (missing.table.name, missing.proposed[0])
        shown[key] += missing.core
        yield msgspec.structs.replace(missing, core=False) if shown[key] > _SITES else missing


def _filter(project: Project, tables: Schema, site: QuerySite, table: Table) -> Missing | None:
    every = (*site.uses, *site.companions)
    asked = [use for use in site.uses if use.table == table.name and use.role == "filter" and use.form in ("eq", "in")]
    open_ = [use for use in asked if serving(table, use, _others(every, use)) is None and not _is_few(table, use)]
    open_ = [use for use in open_ if _known(table, use)]
    if not open_ or shadowed(tables, table, every):
        return None
    blocked = any(_hopeless(tables, use, every) for use in open_)
    judged = [(use, _selectivity(table, use, site)) for use in open_]
    best = [use for use, level in judged if level == "high"] or [use for use, level in judged if level == "medium"]
    level: Weight = "high" if any(level == "high" for _, level in judged) else "medium" if best else "low"
    uses = tuple(best or open_)
    # A library's own table is not the project's to index; a filter that clients may fill in is worth one for keys only.
    optional = site.code.function.kind == "class" and level != "high"
    foreign = table.place is None
    core = level != "low" and not (blocked or optional or foreign) and grows(table) and _reached(project, site.code)
    return Missing(
        site=site,
        table=table,
        uses=uses,
        proposed=tuple(dict.fromkeys(use.column for use in uses if use.branch == (0, 0) or use is uses[0]))[:3],
        place=site.place_of(uses[0]),
        weight=level if core else "low",
        sure="low" if blocked or foreign else "high" if level == "high" else "medium",
        core=core and not site.unread and serves_requests(project, site.code),
    )


def _others(every: Iterable[Use], use: Use) -> list[Use]:
    return [other for other in every if other is not use]


def _is_few(table: Table, use: Use) -> bool:
    column = table.column(use.column)
    return (column is not None and column.few) or (_FEW.holds(use.column) and not _references(column))


def _references(column: Column | None) -> bool:
    return column is not None and bool(column.references)


def _known(table: Table, use: Use) -> bool:
    """Whether the column is known; of a table created in SQL, a key that a query names and no script defines counts."""
    return table.column(use.column) is not None or (table.orm == "sql" and use.column.lower().endswith("_id"))


def _selectivity(table: Table, use: Use, site: QuerySite) -> Weight:
    column = table.column(use.column)
    if (column is not None and _few_parents(column)) or (_CATALOGUE.holds(table.name) and not _references(column)):
        return "low"
    if _references(column) or (column is not None and "uuid" in column.type.lower()):
        return "high"
    if _SELECTIVE.holds(use.column) and not _constant(use):
        return "high"
    text = column is not None and re.search(r"char|str|text|unicode", column.type, re.I) is not None
    return "medium" if text and use.form == "eq" and not _constant(use) else "low"


def _few_parents(column: Column) -> bool:
    """Whether a foreign key leads to a table of few rows."""
    parent = column.references.partition(".")[0]
    return bool(parent) and (_SMALL.holds(parent) or _OWNERS.holds(parent))


def _constant(use: Use) -> bool:
    """Whether the value is written in the code: such a look-up is no client's."""
    return (
        bool(use.text)
        and re.search(r"'|\d|true|false", use.text.partition("=")[2]) is not None
        and "%(" not in use.text
    )


def shadowed(tables: Schema, table: Table, every: Iterable[Use]) -> bool:
    """Whether another condition of the query already leaves few rows of the table, by an index."""
    uses = list(every)
    own = [use for use in uses if use.table == table.name and use.branch == (0, 0)]
    constants = [use for use in own if use.role == "filter" and use.form in ("eq", "in") and not _is_few(table, use)]
    if any(serving(table, use, _others(uses, use)) is not None for use in constants):
        return True
    return any(
        _narrowed(tables, use.other[0], uses) and serving(table, use, _others(uses, use))
        for use in own
        if use.role == "join"
    )


def _narrowed(tables: Schema, name: str, uses: list[Use]) -> bool:
    """Whether a condition served by an index leaves few rows of a joined table."""
    table = tables.table(name)
    if table is None:
        return False
    stated = [use for use in uses if use.table == table.name and use.role == "filter" and use.branch == (0, 0)]
    exact = [use for use in stated if use.form in ("eq", "in")]
    return unique_lookup(table, exact) or any(
        serving(table, use, _others(uses, use)) or _picks(table, use) for use in exact if not _is_few(table, use)
    )


def _picks(table: Table, use: Use) -> bool:
    """Whether a column's value leaves few rows, found by an index or not."""
    column = table.column(use.column)
    return _references(column) and column is not None and not _few_parents(column)


def _hopeless(tables: Schema, use: Use, every: Iterable[Use]) -> bool:
    """Whether the use stands in an OR that some other alternative keeps from any index."""
    if use.branch == (0, 0):
        return False
    alternatives: dict[int, list[Use]] = {}
    for other in every:
        if other.branch[0] == use.branch[0]:
            alternatives.setdefault(other.branch[1], []).append(other)
    tables_named = {other.table for group in alternatives.values() for other in group}
    return len(tables_named) > 1 or not all(
        any(u.form in ("eq", "in", "range") for u in group) for group in alternatives.values()
    )


def grows(table: Table) -> bool:
    """Whether a table gets rows as the application is used; lists of choices and settings do not."""
    return not table.seeded and not _SMALL.holds(table.name)


def _reached(project: Project, code: Code) -> bool:
    """Whether something in the project may run the function: frameworks call what is decorated or overrides."""
    function = code.function
    if (
        function.kind != "function"
        or (function.decorators and not _only_binding(code))
        or function.name.startswith("__")
    ):
        return True
    if code.cls is not None and _overrides(project, code):
        return True
    return any(True for _ in project.calling(function.name)) or any(True for _ in project.mentioning(function.name))


def serves_requests(project: Project, code: Code) -> bool:
    """Whether a function runs in requests or jobs, not at somebody's terminal."""
    commands = any(
        name.spelled.rpartition(".")[2] == "command" or ".command()" in name.spelled for name in code.decorators
    )
    terminal = commands or _TERMINAL.holds(code.path)
    return not terminal and project.role(code.path) == "production"


def _only_binding(code: Code) -> bool:
    return all(decorator.spelled in ("staticmethod", "classmethod") for decorator in code.decorators)


def _overrides(project: Project, code: Code) -> bool:
    """Whether a class has a base that is a library's, which may call any of its methods."""
    cls = code.cls
    lineage = project.lineage(cls.name)[1:] if cls is not None else ()
    foreign = [name for name in lineage if project.class_named(name) is None and name != "builtins.object"]
    tables = schema(project)
    return bool(foreign) and (cls is None or tables.of_model(cls.name) is None)


# -- joins -----------------------------------------------------------------------------------------------------------


def _missing_joins(project: Project) -> tuple[Missing, ...]:
    tables = schema(project)
    found: dict[tuple[Place, str], Missing] = {}
    for site in _sites(project):
        for use in site.uses:
            missing = _join(project, tables, site, use)
            if missing is not None:
                found.setdefault((missing.place, f"{use.table}.{use.column}"), missing)
    return tuple(found[key] for key in sorted(found))


def _join(project: Project, tables: Schema, site: QuerySite, use: Use) -> Missing | None:
    table = tables.table(use.table)
    if (
        use.role != "join"
        or use.form != "eq"
        or table is None
        or use.branch != (0, 0)
        or table.column(use.column) is None
    ):
        return None
    every = [*site.uses, *site.companions]
    if serving(table, use, _others(every, use)) is not None or not grows(table) or shadowed(tables, table, every):
        return None
    if not _is_many_side(tables, table, use):
        return None
    narrowed = _narrowed(tables, use.other[0], every)
    if not narrowed and not site.limited:
        return None
    production = serves_requests(project, site.code) and _reached(project, site.code)
    return Missing(
        site=site,
        table=table,
        uses=(use,),
        proposed=(use.column,),
        place=site.place_of(use),
        weight="high" if narrowed else "medium",
        sure="high" if narrowed else "low",
        core=production and narrowed,
    )


def _is_many_side(tables: Schema, table: Table, use: Use) -> bool:
    """Whether the other side names one row per value: then this side is what is searched again and again."""
    other = tables.table(use.other[0])
    column = table.column(use.column)
    if other is None or column is None or other.name == table.name:
        return False
    single = any(index.unique and index.columns == (use.other[1],) for index in other.indexes)
    return bool(column.references) or single


# -- sorts -----------------------------------------------------------------------------------------------------------


def _missing_sorts(project: Project) -> tuple[Missing, ...]:
    tables = schema(project)
    found: dict[Place, Missing] = {}
    for site in (*_sites(project), *default_orders(project)):
        missing = _sort(project, tables, site)
        if missing is not None:
            found.setdefault(missing.place, missing)
    return tuple(found[key] for key in sorted(found))


def _sort(project: Project, tables: Schema, site: QuerySite) -> Missing | None:
    sorts = [use for use in site.uses if use.role == "sort"]
    table = tables.table(sorts[0].table) if sorts else None
    if table is None or sorts[0].form != "eq" or table.column(sorts[0].column) is None or _is_few(table, sorts[0]):
        return None
    every = [*site.uses, *site.companions]
    mine = [use for use in sorts if use.table == table.name]
    if ordering(table, mine, every) is not None or ordering(table, mine[:1], every) is not None or not grows(table):
        return None
    narrowing = [
        use for use in every if use.role == "filter" and use.form in ("eq", "in", "range", "like", "prefix", "function")
    ]
    selective = [use for use in narrowing if use.table != table.name or not _is_few(table, use)]
    limited = site.limited or paged(project, site.node)
    joined = site.unread or any(use.role == "join" for use in every)
    column = table.column(sorts[0].column)
    timed = _TIMES.holds(sorts[0].column) or (column is not None and _TIME_TYPES.holds(column.type))
    core = not selective and not joined and limited and timed and _reached(project, site.code)
    if (selective or joined) and not limited:
        return None
    return Missing(
        site=site,
        table=table,
        uses=(sorts[0],),
        proposed=tuple(use.column for use in mine),
        place=site.place_of(sorts[0]),
        weight="medium" if core else "low",
        sure="medium" if core else "low",
        core=core and serves_requests(project, site.code),
    )


# -- forms -----------------------------------------------------------------------------------------------------------


def _unusable_forms(project: Project) -> tuple[Missing, ...]:
    tables = schema(project)
    found: dict[tuple[Place, str], Missing] = {}
    for site in _sites(project):
        every = [*site.uses, *site.companions]
        for use in site.uses:
            table = tables.table(use.table)
            if (
                table is None
                or use.role != "filter"
                or use.form not in ("like", "function", "prefix")
                or not _known(table, use)
            ):
                continue
            if table.column(use.column) is None or serving(table, use, _others(every, use)) is not None:
                continue
            if shadowed(tables, table, every):
                continue
            missing = Missing(
                site=site,
                table=table,
                uses=(use,),
                proposed=(use.column,),
                place=site.place_of(use),
                weight="medium" if grows(table) else "low",
                sure="medium" if grows(table) and use.form != "prefix" else "low",
                core=False,
            )
            found.setdefault((missing.place, f"{use.table}.{use.column}"), missing)
    return tuple(found[key] for key in sorted(found))
