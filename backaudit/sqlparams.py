"""Which bound parameter of a statement goes into, or is compared with, which column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Literal

import msgspec

from backaudit.sql import HOLE, MAX_TEXT, Tree, node_types, parsed

_MARKS = re.compile(r"(?:\$|(?<![\w:\])])[?:])(?P<number>\d+)|%\((\w+)\)s|%s|\?(?=[\s,);]|$)|%%")
_QUOTED = re.compile(r":p__\d+")
_VERB = re.compile(r"\s*(insert|replace|update|select|delete|with)\b", re.I)


class Parameter(msgspec.Struct, frozen=True):
    """``slot``: position (from 0) or name of the bound parameter; empty for a value that was put into the text itself.

    ``use``: ``limited`` is the length of what is asked for. ``column`` is empty where only its ``position`` in the
    table is known (an INSERT that names no columns).
    """

    slot: int | str
    use: Literal["stored", "compared", "limited"]
    table: str
    column: str
    position: int


@cache
def parameters(text: str) -> tuple[Parameter, ...]:
    """The bound parameters of one statement; empty if the text is none or cannot be read."""
    if len(text) > MAX_TEXT or not _VERB.match(text):
        return ()
    found = parsed(_numbered(text))
    return () if found is None else (*_inserted(found), *_updated(found), *_compared(found), *_limited(found))


def _numbered(text: str) -> str:
    """Drivers' anonymous marks as named ones, so that each keeps its position."""
    numbers = count()

    def name(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        if match["number"]:
            return f":p__{int(match['number']) - 1}"
        return f":{match.group(2) or f'p__{next(numbers)}'}"

    return _MARKS.sub(name, text)


def _inserted(found: Tree) -> Iterator[Parameter]:
    for insert in found.find_all(*node_types("Insert")):
        schema = insert.this
        columns = [column.name for column in schema.expressions] if schema.key == "schema" else []
        table = schema.this.name if schema.key == "schema" else schema.name
        for values in _rows(insert.expression):
            for position, value in enumerate(values):
                slot = _slot(value)
                if slot is not None:
                    column = columns[position] if position < len(columns) else ""
                    yield Parameter(slot, "stored", table, column, position)


def _rows(inserted: Tree | None) -> Iterator[list[Tree]]:
    """The values of each row behind VALUES."""
    for row in inserted.expressions if inserted is not None and inserted.key == "values" else ():
        yield row.expressions if row.key == "tuple" else [row]


def _updated(found: Tree) -> Iterator[Parameter]:
    for update in found.find_all(*node_types("Update")):
        for pair in update.expressions:
            slot = _slot(pair.expression) if pair.key == "eq" else None
            if slot is not None and update.this is not None:
                yield Parameter(slot, "stored", update.this.name, pair.this.name, -1)


def _compared(found: Tree) -> Iterator[Parameter]:
    for where in found.find_all(*node_types("Where")):
        table = where.parent.find(*node_types("Table")) if where.parent is not None else None
        for pair in where.find_all(*node_types("EQ")):
            for column, value in ((pair.this, pair.expression), (pair.expression, pair.this)):
                slot = _slot(value)
                if slot is not None and column.key == "column":
                    yield Parameter(slot, "compared", table.name if table is not None else "", column.name, -1)


def _limited(found: Tree) -> Iterator[Parameter]:
    for limit in found.find_all(*node_types("Limit")):
        slot = _slot(limit.expression)
        if slot is not None and slot != "":
            yield Parameter(slot, "limited", "", "", -1)


def _slot(value: Tree) -> int | str | None:
    if value is None:
        return None
    if value.key == "placeholder":
        return _position(str(value.this)) if value.this else None
    if value.key == "literal" and value.is_string:
        text = str(value.this)
        return "" if HOLE in text else _position(text[1:]) if _QUOTED.fullmatch(text) else None
    return "" if value.key == "column" and value.name.strip() == HOLE else None


def _position(name: str) -> int | str:
    return int(name[3:]) if name.startswith("p__") else name
