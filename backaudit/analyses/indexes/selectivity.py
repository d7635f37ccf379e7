"""How many rows a condition leaves and a table holds, as far as declarations and names say it."""

from __future__ import annotations

import re

from backaudit.analyses.indexes.operands import compared
from backaudit.backend.data.schema import Column, Table
from backaudit.rule import Confidence
from backaudit.sql import Use
from backaudit.vocabulary.meaning import meaning

_ABSENT = meaning("columns", "absent-when-alive")
_CATALOGUE = meaning("columns", "catalogue")
_FEW = meaning("columns", "few-valued")
_OWNERS = meaning("columns", "large-parent")
_PAIR = meaning("columns", "key-and-value")
_PICKS = meaning("columns", "selective")
_SMALL = meaning("columns", "small-table")
_TEXTS = meaning("columns", "text-type")
_TIMES = meaning("columns", "time")
_TIME_TYPES = meaning("columns", "time-type")

EQUALITIES = frozenset({"eq", "in"})
# What a driver fills in, in each style: ``$1``, ``:name``, ``?1``, ``@p1``, ``%(name)s``.
_PLACEHOLDER = re.compile(r"[$:?@]\w+|%\(\w+\)s")
_LITERAL = re.compile(r"'|\d|true|false")


def is_few(table: Table, use: Use) -> bool:
    """Whether a column holds few different values only."""
    column = table.column(use.column)
    return (column is not None and column.few) or (_FEW.holds(use.column) and not refers(column))


def refers(column: Column | None) -> bool:
    """Whether a column is a foreign key."""
    return column is not None and bool(column.references)


def is_key(table: Table, use: Use) -> bool:
    """Whether a column is declared as what names a row: a foreign key, or one that holds UUIDs."""
    column = table.column(use.column)
    return column is not None and (refers(column) or "uuid" in column.type.lower())


def names_row(table: Table, use: Use) -> bool:
    """Whether an equality names one row by what is its own, and not one of many that belong to another."""
    return use.form in EQUALITIES and _PICKS.holds(use.column) and not refers(table.column(use.column))


def selectivity(table: Table, use: Use) -> Confidence:
    """How surely an equality leaves few rows."""
    column = table.column(use.column)
    if (column is not None and few_parents(column)) or (_CATALOGUE.holds(table.name) and not refers(column)):
        return "low"
    if is_key(table, use):
        return "high"
    if _PICKS.holds(use.column) and not constant(use):
        return "high"
    text = column is not None and _TEXTS.holds(column.type)
    return "medium" if text and use.form == "eq" and not constant(use) else "low"


def few_parents(column: Column) -> bool:
    """Whether a foreign key leads to a table of few rows."""
    parent = column.references.partition(".")[0]
    return bool(parent) and (_SMALL.holds(parent) or _OWNERS.holds(parent))


def constant(use: Use) -> bool:
    """Whether the value is written in the code: such a look-up is no client's."""
    written = _PLACEHOLDER.sub("", use.text.partition("=")[2])
    return _LITERAL.search(written) is not None


def grows(table: Table) -> bool:
    """Whether a table gets rows as the application is used; lists of choices and settings do not."""
    return not table.seeded and not _SMALL.holds(table.name) and not is_settings(table)


def is_settings(table: Table) -> bool:
    """Whether a table holds values by their keys, for the whole application: no row is anybody's."""
    own = [column for column in table.columns if not column.primary_key]
    return len(own) == 2 and sum(map(_is_pair, own)) == 2 and not any(map(refers, own))


def _is_pair(column: Column) -> bool:
    return _PAIR.holds(column.name)


def is_time(table: Table, name: str) -> bool:
    """Whether a column holds a time: by it rows are listed, newest first."""
    column = table.column(name)
    return _TIMES.holds(name) or (column is not None and _TIME_TYPES.holds(column.type))


def picks(table: Table, use: Use) -> bool:
    """Whether a column's value leaves few rows, found by an index or not."""
    column = table.column(use.column)
    return column is not None and refers(column) and not few_parents(column)


def narrows(table: Table, use: Use) -> bool:
    """Whether an index for this condition would leave most of the table unread."""
    asked = compared(table, use)
    if asked.expression or is_few(table, use):
        return False
    if asked.form in EQUALITIES:
        return True
    if asked.form == "range":
        return use.branch == (0, 0)
    return asked.form == "null" and _is_absence(use) and not _ABSENT.holds(use.column)


def _is_absence(use: Use) -> bool:
    """``IS NULL``: its opposite is true of most rows, where a column may be null at all."""
    return use.branch == (0, 0) and "not" not in use.text.lower().removeprefix(use.column.lower())
