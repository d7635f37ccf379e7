"""What a query lacks: which columns of which tables deserve an index, given the schema alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from backaudit.analyses.indexes.indexing import in_order, ordering, usable
from backaudit.analyses.indexes.operands import compared, keeps_its_index, same_collation
from backaudit.analyses.indexes.selectivity import EQUALITIES, is_few, narrows, picks
from backaudit.backend.data.schema import Key, Schema, Table
from backaudit.sql import Use
from backaudit.sql.records import Form

Kind = Literal["filter", "join", "sort"]

_ENTRIES: frozenset[Form] = frozenset({"eq", "in", "range", "prefix", "operator", "null"})
_MAX_KEYS = 3


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """Uses of one table that no index serves, and the keys of the index that would. ``blocked``: an OR stands in
    its way, of which another alternative has no index either. ``narrowed``: of a join, the other side has few rows; of
    a sort, no other condition leaves few. ``deletes``: the database itself looks up the rows that refer to
    a deleted one.
    """

    kind: Kind
    table: Table
    uses: tuple[Use, ...]
    keys: tuple[Key, ...]
    blocked: bool = False
    narrowed: bool = True
    deletes: bool = False


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What :func:`reports` asks of a query: its uses, whether it stops after some rows, what it does."""

    uses: tuple[Use, ...]
    limited: bool = False
    verb: str = "select"


def reports(tables: Schema, query: Query) -> tuple[Lack, ...]:
    """What a query lacks, table by table; nothing of tables that an index reaches already."""
    found: list[Lack] = []
    for rows in dict.fromkeys(use.rows for use in query.uses if use.table):
        table = tables.table(rows[0])
        if table is not None:
            found += _of_rows(tables, query, table, rows)
    return tuple(found)


def _of_rows(tables: Schema, query: Query, table: Table, rows: tuple[str, str]) -> Iterator[Lack]:
    own = [use for use in query.uses if use.rows == rows]
    if not reached(tables, table, own, query.uses):
        lacks = [lack for lack in (_filters(table, own, query), *_joins(tables, table, own, query)) if lack is not None]
        yield from lacks
        sorted_ = _sorts(table, own, query) if not lacks else None
        if sorted_ is not None:
            yield sorted_
    if query.verb == "delete":
        yield from _children(tables, table, own)


# -- what is there already -------------------------------------------------------------------------------------------


def reached(tables: Schema, table: Table, own: Sequence[Use], every: Sequence[Use]) -> bool:
    """Whether an index, or the part of a partitioned table, already leaves few rows to be read."""
    if any(use.role == "filter" and _leaves_few(table, use) and _is_served(table, use, own) for use in own):
        return True
    beyond = [use for use in every if use.rows != own[0].rows]
    return any(
        use.role == "join" and _is_narrowed(tables, _opposite(use), beyond, set()) and _is_served(table, use, own)
        for use in own
    )


def _opposite(use: Use) -> tuple[str, str]:
    """The rows at the other side of a join."""
    return use.other[0].lower(), use.opposite


def _is_served(table: Table, use: Use, own: Sequence[Use]) -> bool:
    return use.column in table.partitioned or usable(table, use, _others(own, use)).served


def _leaves_few(table: Table, use: Use) -> bool:
    """Whether a condition is one that leaves few rows; keys above some key are most of them."""
    form = compared(table, use).form
    return form in _ENTRIES and not is_few(table, use) and (form != "range" or table.primary_key != (use.column,))


def _others(own: Iterable[Use], use: Use) -> list[Use]:
    return [other for other in own if other is not use]


def _is_narrowed(tables: Schema, rows: tuple[str, str], every: Sequence[Use], seen: set[tuple[str, str]]) -> bool:
    """Whether a condition leaves few rows of a joined table, itself or by what it is joined to."""
    table = tables.table(rows[0])
    if table is None or rows in seen:
        return False
    seen.add(rows)
    own = [use for use in every if use.rows == rows and use.branch == (0, 0)]
    filters = (use for use in own if use.role == "filter" and use.form in EQUALITIES)
    if any(not is_few(table, use) for use in filters):
        return True
    joined = (use for use in own if use.role == "join" and _is_served(table, use, own))
    return any(_is_narrowed(tables, _opposite(use), every, seen) for use in joined)


# -- filters -----------------------------------------------------------------------------------------------------------


def _filters(table: Table, own: Sequence[Use], query: Query) -> Lack | None:
    asked = [use for use in own if use.role == "filter" and _known(table, use)]
    # A NOT IN reads the whole of its subquery, beside which the reading of this table is little.
    if any(use.form == "not" and use.operator == "subselect" for use in asked):
        return None
    wanted = _unserved(table, asked, own)
    if not wanted or (_stops_soon(table, own, query) and all(use.form == "null" for use in wanted)):
        return None
    free = [use for use in wanted if use.branch == (0, 0)]
    blocked = not free and any(_hopeless(use, own) for use in wanted)
    return Lack(
        kind="filter", table=table, uses=tuple(wanted), keys=_keys(table, free or wanted[:1], own), blocked=blocked
    )


def _stops_soon(table: Table, own: Sequence[Use], query: Query) -> bool:
    """Whether rows are read in the order of an index until there are enough: what many rows are is then found soon."""
    sorts = [use for use in own if use.role == "sort"]
    return query.limited and ordering(table, sorts, [use for use in own if use.role == "filter"]) is not None


def _unserved(table: Table, asked: list[Use], own: Sequence[Use]) -> list[Use]:
    """The conditions that leave few rows and that no index serves: equalities, else ranges, else any."""
    narrowing = (use for use in asked if narrows(table, use) or _nearly(table, use))
    open_ = [use for use in narrowing if _lacks(table, use, own)]
    exact = [use for use in open_ if use.form in EQUALITIES]
    return exact or [use for use in open_ if use.form == "range"] or open_


def _nearly(table: Table, use: Use) -> bool:
    """Whether a flag has its partial index, of which this spelling makes no use."""
    alone = use.form == "bool" and use.by == "bool" and use.branch == (0, 0)
    return alone and any(index.where.removeprefix("not ").partition(" ")[0] == use.column for index in table.indexes)


def _known(table: Table, use: Use) -> bool:
    """Whether the column is known; of a table created in SQL, a key that a query names and no script defines counts."""
    return table.column(use.column) is not None or (table.partial and use.column.lower().endswith("_id"))


def _lacks(table: Table, use: Use, own: Sequence[Use]) -> bool:
    """Whether what a use lacks is an index, not a value of the column's own type or collation."""
    plain = keeps_its_index(table, use) and same_collation(table, Key(use.column), use)
    return plain and not usable(table, use, _others(own, use)).served and not _alone(table, use, own)


def _alone(table: Table, use: Use, own: Sequence[Use]) -> bool:
    """Whether the use has its index, and only another alternative of its OR has none."""
    if use.branch == (0, 0):
        return False
    plain = msgspec.structs.replace(use, branch=(0, 0))
    return usable(table, plain, [other for other in own if other.branch == (0, 0)]).served


def _hopeless(use: Use, own: Sequence[Use]) -> bool:
    """Whether the use stands in an OR that some other alternative keeps from any index."""
    if use.branch == (0, 0):
        return False
    alternatives: dict[int, list[Use]] = {}
    for other in own:
        if other.branch[0] == use.branch[0]:
            alternatives.setdefault(other.branch[1], []).append(other)
    return not all(any(u.form in ("eq", "in", "range") for u in group) for group in alternatives.values())


def _keys(table: Table, wanted: Sequence[Use], own: Sequence[Use]) -> tuple[Key, ...]:
    """What is compared for equality, then the one range that is read inside it, or else the order."""
    exact = [Key(use.column) for use in wanted if use.form in EQUALITIES]
    pinned = any(use.form == "in" for use in wanted)
    orders = [] if pinned else [_order_key(use) for use in own if use.role == "sort" and use.form == "eq"]
    ranges = [Key(use.column) for use in (*wanted, *_inner(table, own)) if use.form not in EQUALITIES][:1]
    ordered = bool(orders) and [key.text for key in ranges] in ([], [orders[0].text])
    return tuple(dict.fromkeys([*exact, *(orders if ordered else ranges)]))[:_MAX_KEYS]


def _inner(table: Table, own: Sequence[Use]) -> list[Use]:
    """The ranges by which rows of equal values are told apart."""
    free = [use for use in own if use.role == "filter" and use.form == "range" and use.branch == (0, 0)]
    return [use for use in free if not use.expression and _known(table, use) and narrows(table, use)]


def _order_key(use: Use) -> Key:
    return Key(use.column, False, use.descending, "", use.nulls)


# -- joins -----------------------------------------------------------------------------------------------------------


def _joins(tables: Schema, table: Table, own: Sequence[Use], query: Query) -> Iterator[Lack]:
    beyond = [use for use in query.uses if use.rows != own[0].rows]
    for use in own:
        always = use.form == "eq" and use.branch == (0, 0)
        if use.role != "join" or not always or table.column(use.column) is None:
            continue
        if usable(table, use, _others(own, use)).served or not _is_many_side(tables, table, use):
            continue
        narrowed = _is_narrowed(tables, _opposite(use), beyond, set())
        # A page of the other side's rows has these looked up for each of them, unless this side says which come first.
        driven = query.limited and not any(other.role == "sort" for other in own)
        if narrowed or driven:
            yield Lack(kind="join", table=table, uses=(use,), keys=(Key(use.column),), narrowed=narrowed)


def _is_many_side(tables: Schema, table: Table, use: Use) -> bool:
    """Whether the other side names one row per value: then this side is what is searched again and again."""
    other = tables.table(use.other[0])
    column = table.column(use.column)
    if other is None or column is None or other.name == table.name:
        return False
    single = any(index.unique and index.columns == (use.other[1],) for index in other.indexes)
    return bool(column.references) or single


def _children(tables: Schema, table: Table, own: Sequence[Use]) -> Iterator[Lack]:
    """The foreign keys that the database searches for every row that is deleted."""
    if not any(use.role == "filter" and narrows(table, use) for use in own):
        return
    for child in tables.tables.values():
        for column in child.columns:
            owner, _, _ = column.references.partition(".")
            use = Use(column=column.name, role="join", table=child.name, other=(table.name, "id"))
            if owner.lower() == table.name.lower() and not usable(child, use).served:
                yield Lack(kind="join", table=child, uses=(use,), keys=(Key(column.name),), deletes=True)


# -- sorts -----------------------------------------------------------------------------------------------------------


def _sorts(table: Table, own: Sequence[Use], query: Query) -> Lack | None:
    """The order of a whole table of which only the first rows are wanted."""
    sorts = [use for use in query.uses if use.role == "sort"]
    first = sorts[0] if sorts else None
    if first is None or first.rows != own[0].rows:
        return None
    if first.form != "eq" or table.column(first.column) is None:
        return None
    mine = [use for use in sorts if use.rows == first.rows]
    filters = [use for use in own if use.role == "filter"]
    if is_few(table, first) or _is_ordered(table, mine, filters):
        return None
    free = not any(_selective(table, use) for use in filters)
    return Lack(kind="sort", table=table, uses=(first,), keys=_sort_keys(table, filters, mine), narrowed=free)


def _sort_keys(table: Table, filters: list[Use], sorts: list[Use]) -> tuple[Key, ...]:
    """The keys of an index that gives an order: what is pinned first, then what is sorted by."""
    pinned = [use for use in filters if use.form == "eq" and use.branch == (0, 0) and is_few(table, use)]
    keys = [*(Key(use.column) for use in pinned), *map(_order_key, sorts)]
    return tuple(dict.fromkeys(keys))[:_MAX_KEYS]


def _is_ordered(table: Table, sorts: Sequence[Use], filters: Sequence[Use]) -> bool:
    """Whether an index gives the beginning of an order, or would if the nulls stood where they do by themselves."""
    plain = [msgspec.structs.replace(use, nulls="") for use in sorts]
    return any(in_order(table, index, wanted, filters) for index in table.indexes for wanted in (sorts, plain))


def _selective(table: Table, use: Use) -> bool:
    return use.form in (*EQUALITIES, "range", "like", "prefix", "function") and (
        not is_few(table, use) or picks(table, use)
    )
