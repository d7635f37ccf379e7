"""What a missing index is claimed to mend, as SQL that a planner can be asked: tables, rows, query, index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from backaudit.analyses.indexes.missing import MissingIndex
from backaudit.analyses.indexes.reports import Query, reports
from backaudit.analyses.indexes.selectivity import EQUALITIES, is_few
from backaudit.backend.data.queries import QuerySite
from backaudit.backend.data.schema import Column, Index, Key, Schema, Table
from backaudit.facts.plans import Claim, TableSetup
from backaudit.sql import Use, expression_is_sound
from backaudit.vocabulary.meaning import meaning

_ABSENT = meaning("columns", "absent-when-alive")
_TIMES = meaning("columns", "time")
# A column's declared type, in whatever ORM's words, to PostgreSQL's and to a value for row ``g``.
_TYPES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"uuid|guid", re.I), "uuid", "md5({n}::text)::uuid"),
    (re.compile(r"bool", re.I), "boolean", "{n} % 10 = 0"),
    (re.compile(r"json", re.I), "jsonb", "jsonb_build_object('k', {n})"),
    (re.compile(r"timestamp|datetime", re.I), "timestamptz", "now() - {n} * interval '1 minute'"),
    (re.compile(r"^date", re.I), "date", "current_date - ({n} / 50)::int"),
    (re.compile(r"^time", re.I), "time", "'00:00'::time + {n} * interval '1 second'"),
    (re.compile(r"decimal|numeric|money", re.I), "numeric(14,2)", "({n} % 5000) / 100.0"),
    (re.compile(r"float|double|real", re.I), "double precision", "({n} % 50000) / 7.0"),
    (re.compile(r"bigint|biginteger|bigauto", re.I), "bigint", "{n}"),
    (re.compile(r"int|serial|auto|identity|primarykey", re.I), "integer", "{n}"),
    (re.compile(r"binary|bytea|blob", re.I), "bytea", "decode(md5({n}::text), 'hex')"),
)
_TEXT = ("text", "'{name}' || {n}")
_KEY = ("integer", "{n}")
# How many rows of a child belong to one of its parent's.
_CHILDREN = 20
_FEW = 5
_NAME = 60


def claim_of(tables: Schema, index: MissingIndex) -> Claim | None:
    """The claim of a missing index, by its first site; None if the query cannot be told as SQL."""
    site = index.first.site
    paged = site.limited or index.first.limited
    return _claim(tables, index.table, site, index.keys, paged)


def claims_at(tables: Schema, site: QuerySite) -> tuple[Claim, ...]:
    """What can be asked of a query, table by table: with the index that it lacks, or with none where one serves."""
    asked = Query(uses=site.asked, limited=site.limited, verb=site.verb)
    lacks = {lack.table.name: lack for lack in reports(tables, asked)}
    found: dict[str, Claim] = {}
    for name in dict.fromkeys(use.table for use in site.uses if use.table):
        table, lack = tables.table(name), lacks.get(name)
        keys = lack.keys if lack is not None else ()
        paged = site.limited or (lack is not None and lack.kind == "sort")
        claim = _claim(tables, table, site, keys, paged) if table is not None else None
        if claim is not None:
            found.setdefault(claim.query, claim)
    return tuple(found.values())


def _claim(tables: Schema, table: Table, site: QuerySite, keys: Sequence[Key], paged: bool) -> Claim | None:
    served = {key.text for key in keys}
    uses = [use for use in site.asked if not use.when or use.column in served]
    named = list(dict.fromkeys([table.name, *_joined(uses, table)]))
    involved = [found for name in named if (found := tables.table(name)) is not None]
    conditions, samples = _conditions(table, uses)
    order = ", ".join(_order(use) for use in uses if use.role == "sort" and use.table == table.name)
    if not conditions and not order:
        return None
    limit = " LIMIT 20" if paged else " LIMIT 1" if site.single else ""
    return Claim(
        table=table.name,
        query=_query(table, _joins(table, uses, involved), conditions, order) + limit,
        samples=tuple(samples),
        index=_index_ddl(table.name, keys) if keys else "",
        setup=tuple(_setup(tables, each) for each in involved),
    )


def _query(table: Table, joins: str, conditions: Sequence[str], order: str) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    ordered = f" ORDER BY {order}" if order else ""
    return f"SELECT {_quoted(table.name)}.* FROM {_quoted(table.name)}{joins}{where}{ordered}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', "").replace("{", "").replace("}", "") + '"'


# -- the query ---------------------------------------------------------------------------------------------------------


def _joined(uses: Iterable[Use], table: Table) -> Iterator[str]:
    for use in uses:
        if use.role == "join" and use.table == table.name and use.form == "eq":
            yield use.other[0]


def _joins(table: Table, uses: Sequence[Use], involved: Sequence[Table]) -> str:
    """The tables that the query joins to the one in question, narrowed by one value where the query narrows them."""
    found: dict[str, str] = {}
    names = {other.name for other in involved}
    for use in uses:
        if use.role != "join" or use.table != table.name:
            continue
        if use.other[0] not in names or use.other[0] == table.name:
            continue
        here, there = f"{_quoted(table.name)}.{_quoted(use.column)}", f"{_quoted(use.other[0])}.{_quoted(use.other[1])}"
        found.setdefault(use.other[0], f" JOIN {_quoted(use.other[0])} ON {there} = {here}")
    return "".join(found.values())


def _conditions(table: Table, uses: Sequence[Use]) -> tuple[list[str], list[str]]:
    conditions: list[str] = []
    samples: list[str] = []
    tables = {table.name, *_joined(uses, table)}
    found = any(use.role == "filter" and use.form in EQUALITIES for use in uses)
    for use in dict.fromkeys(use for use in uses if use.table in tables):
        if use.role != "filter" or not use.column or use.branch[1] > 1:
            continue
        spelled, sample = _condition(use, "{" + str(len(samples)) + "}", found)
        conditions += [spelled] if spelled else []
        samples += [sample] if sample else []
    return conditions, samples


def _condition(use: Use, hole: str, found: bool) -> tuple[str, str]:
    """(condition, the statement that selects the value for its hole); empty where it cannot be told as SQL.

    ``found``: others find a row, which a range then has to let through; alone it leaves few itself.
    """
    column = f"{_quoted(use.table)}.{_quoted(use.column)}"
    if use.form in EQUALITIES:
        return f"{column} = {hole}", _sample(use)
    if use.form == "range":
        return f"{column} > {hole}", _sample(use, order=f"{column}{'' if found else ' DESC'} OFFSET 50")
    if use.form == "null":
        return f"{column} IS {'NOT ' if 'not' in use.text.lower() else ''}NULL", ""
    if use.form in ("prefix", "like"):
        part = "left({}, 6) || '%'" if use.form == "prefix" else "'%' || right({}, 6)"
        return f"{column}::text LIKE {hole}", _sample(use, part)
    wrapped = (
        re.fullmatch(r"(lower|upper)\(\w+\)", use.expression) if use.form == "function" and use.by == "eq" else None
    )
    if wrapped is not None:
        return f"{wrapped.group(1)}({column}) = {hole}", _sample(use, f"{wrapped.group(1)}({{}})")
    return column if use.form == "bool" else "", ""


def _sample(use: Use, value: str = "{}", order: str = "ctid DESC OFFSET 123") -> str:
    """A statement that selects a value to ask by: one of the last rows that were written, if nothing else is said."""
    column, table = _quoted(use.column), _quoted(use.table)
    made = value.replace("{}", f"{column}::text")
    return f"SELECT quote_literal(({made})::text) FROM {table} WHERE {column} IS NOT NULL ORDER BY {order} LIMIT 1"


def _order(use: Use) -> str:
    nulls = f" NULLS {use.nulls.upper()}" if use.nulls else ""
    return f"{_quoted(use.table)}.{_quoted(use.column)}{' DESC' if use.descending else ''}{nulls}"


def _index_ddl(table: str, keys: Sequence[Key]) -> str:
    name = f"ix_{table}_{'_'.join(key.text for key in keys)}"[:_NAME]
    spelled = ", ".join(
        f"{_quoted(key.text)}{' DESC' if key.descending else ''}{f' NULLS {key.nulls.upper()}' if key.nulls else ''}"
        for key in keys
    )
    return f"CREATE INDEX {_quoted(name)} ON {_quoted(table)} ({spelled})"


# -- the tables --------------------------------------------------------------------------------------------------------


def _setup(tables: Schema, table: Table) -> TableSetup:
    columns = [column for column in table.columns if column.name]
    spelled = ", ".join(f"{_quoted(column.name)} {_type(tables, column)[0]}" for column in columns)
    values = ", ".join(_value(tables, table, column) for column in columns)
    made = [_existing(table, number, index) for number, index in enumerate(table.indexes)]
    return TableSetup(
        name=table.name,
        create=f"CREATE TABLE {_quoted(table.name)} ({spelled})",
        fill=f"INSERT INTO {_quoted(table.name)} SELECT {values} FROM generate_series(1, {{rows}}) AS g",
        indexes=tuple(text for text in made if text),
        left_out=tuple(
            f"the index over ({', '.join(index.columns)})"
            for index, text in zip(table.indexes, made, strict=True)
            if not text
        ),
    )


def _type(tables: Schema, column: Column) -> tuple[str, str]:
    spelled = column.type or _referred_type(tables, column)
    for pattern, name, value in _TYPES:
        if pattern.search(spelled):
            return name, value
    if column.references or (column.primary_key and not spelled):
        return _KEY
    return ("timestamptz", _TYPES[3][2]) if not spelled and _TIMES.holds(column.name) else _TEXT


def _referred_type(tables: Schema, column: Column) -> str:
    """The type of the column that a foreign key leads to."""
    owner, _, key = column.references.rpartition(".")
    parent = tables.table(owner) if owner else None
    target = parent.column(key) if parent is not None else None
    return target.type if target is not None else ""


def _value(tables: Schema, table: Table, column: Column) -> str:
    """A value for row ``g``: keys lead to rows that are there, few values are few, most rows were not deleted."""
    type_, form = _type(tables, column)
    number = "g"
    if column.references and not column.primary_key:
        number = f"(1 + (g::bigint * 7919) % greatest({{rows}} / {_CHILDREN}, 1))::int"
    elif column.references:
        number = f"(1 + (g::bigint * 31) % greatest({{rows}} / {_CHILDREN}, 1))::int" if _composite(table) else "g"
    elif is_few(table, Use(column=column.name, role="filter", table=table.name)) and type_ != "boolean":
        number = f"(g % {_FEW})"
    value = form.replace("{n}", number).replace("{name}", re.sub(r"\W", "", column.name) + " ")
    if column.nullable and _ABSENT.holds(column.name):
        return f"CASE WHEN g % 50 = 0 THEN {value} END"
    return value


def _composite(table: Table) -> bool:
    return len(table.primary_key) > 1


def _existing(table: Table, number: int, index: Index) -> str:
    """The statement for an index that is there already, empty if it is more than columns and simple predicates."""
    plain = all(not key.expression and not key.opclass for key in index.keys) and index.method in ("btree", "")
    known = all(table.column(key.text) is not None for key in index.keys)
    if not (plain and known) or (index.where and not expression_is_sound(index.where)):
        return ""
    keys = ", ".join(_quoted(key.text) + " DESC" * key.descending for key in index.keys)
    where = f" WHERE {index.where}" if index.where else ""
    name = _quoted(f"has_{number}_{table.name}"[:_NAME])
    return f"CREATE INDEX {name} ON {_quoted(table.name)} ({keys}){where}"
