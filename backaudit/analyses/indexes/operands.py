"""What a predicate really compares: casts that change nothing, values whose type converts the column, collations."""

from __future__ import annotations

import re

import msgspec

from backaudit.backend.data.schema import Key, Table
from backaudit.sql import Form, Use

_CAST = re.compile(r"cast\((\w+) as ([\w ]+?)(?:\(\d+(?:, ?\d+)?\))?\)")
# Types among which a cast or a value changes nothing: one operator family compares them all.
_FAMILIES = (
    re.compile(r"^(text|varchar|character varying|string|str|char field|charfield|textfield|unicode)", re.I),
    re.compile(r"^(small|big)?(int|serial)|^int[248]$|^integer", re.I),
    re.compile(r"^(date$|timestamp|datetime)", re.I),
    re.compile(r"^(double precision|float|real)", re.I),
    re.compile(r"^(numeric|decimal)", re.I),
    re.compile(r"^(char|character|bpchar)(\(|$)", re.I),
    re.compile(r"^uuid", re.I),
    re.compile(r"^bool", re.I),
)
_TEXT, _INTEGER, _TIME, _FLOAT, _NUMERIC, _PADDED, _UUID, _BOOLEAN = range(len(_FAMILIES))
# (column, value): the column is converted, so that its index is of no use.
_CONVERTED = frozenset({(_INTEGER, _NUMERIC), (_INTEGER, _FLOAT), (_NUMERIC, _FLOAT), (_PADDED, _TEXT), (_UUID, _TEXT)})


def _family(spelled: str) -> int | None:
    return next((number for number, family in enumerate(_FAMILIES) if family.search(spelled.strip())), None)


def compared(table: Table, use: Use) -> Use:
    """The use without casts that change nothing; for a wrapped column, in the form by which the expression is asked."""
    if use.form not in ("function", "json"):
        return use
    expression = _CAST.sub(lambda m: _cast(table, m), use.expression)
    plain = expression == use.column.lower()
    form: Form = use.by if use.by not in ("function", "json") else "eq"
    return msgspec.structs.replace(use, form=form, expression="" if plain else expression)


def _cast(table: Table, found: re.Match[str]) -> str:
    column = table.column(found.group(1))
    own = _family(column.type) if column is not None else None
    # A time cut to its day, and a number to its whole, are other values.
    free = own is not None and own == _family(found.group(2)) and own not in (_TIME, _NUMERIC, _FLOAT)
    return found.group(1) if free else found.group()


def keeps_its_index(table: Table, use: Use) -> bool:
    """Whether the type that the value is given leaves the column as it is."""
    column = table.column(use.column)
    if not use.operand or column is None or use.expression:
        return True
    if column.type.lower().startswith("citext"):
        return _family(use.operand) != _TEXT
    return (_family(column.type), _family(use.operand)) not in _CONVERTED


def same_collation(table: Table, key: Key, use: Use) -> bool:
    """Whether a key is in the order by which the query compares."""
    column = table.column(use.column)
    own = column.collation if column is not None else ""
    return (key.collation or own) == (use.collation or own)
