"""How many rows a condition leaves and a table holds, as far as declarations and names say it."""

from __future__ import annotations

import re

from backaudit.analyses.indexes.operands import compared
from backaudit.backend.data.schema import Column, Table
from backaudit.rule import Confidence
from backaudit.sql import Use
from backaudit.vocabulary.meaning import meaning

_ABSENT = meaning("tables", "absent-when-alive")
_CATALOGUE = meaning("tables", "catalogue-table")
_FEW = meaning("tables", "few-values")
_OWNERS = meaning("tables", "owner-table")
_PICKS = meaning("tables", "picks-one-row")
_SMALL = meaning("tables", "small-table")
_TIMES = meaning("tables", "time-column")

EQUALITIES = frozenset({"eq", "in"})
_TEXTS = re.compile(r"char|str|text|unicode", re.I)
_TIME_TYPES = re.compile(r"date|time", re.I)


def is_few(table: Table, use: Use) -> bool:
    """Whether a column holds few different values only."""
    column = table.column(use.column)
    return (column is not None and column.few) or (_FEW.holds(use.column) and not refers(column))


def refers(column: Column | None) -> bool:
    """Whether a column is a foreign key."""
    return column is not None and bool(column.references)


def selectivity(table: Table, use: Use) -> Confidence:
    """How surely an equality leaves few rows."""
    column = table.column(use.column)
    if (column is not None and few_parents(column)) or (_CATALOGUE.holds(table.name) and not refers(column)):
        return "low"
    if refers(column) or (column is not None and "uuid" in column.type.lower()):
        return "high"
    if _PICKS.holds(use.column) and not constant(use):
        return "high"
    text = column is not None and _TEXTS.search(column.type) is not None
    return "medium" if text and use.form == "eq" and not constant(use) else "low"


def few_parents(column: Column) -> bool:
    """Whether a foreign key leads to a table of few rows."""
    parent = column.references.partition(".")[0]
    return bool(parent) and (_SMALL.holds(parent) or _OWNERS.holds(parent))


def constant(use: Use) -> bool:
    """Whether the value is written in the code: such a look-up is no client's."""
    written = use.text.partition("=")[2]
    return bool(use.text) and re.search(r"'|\d|true|false", written) is not None and "%(" not in use.text


def grows(table: Table) -> bool:
    """Whether a table gets rows as the application is used; lists of choices and settings do not."""
    return not table.seeded and not _SMALL.holds(table.name)


def is_time(table: Table, name: str) -> bool:
    """Whether a column holds a time: by it rows are listed, newest first."""
    column = table.column(name)
    return _TIMES.holds(name) or (column is not None and _TIME_TYPES.search(column.type) is not None)


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
