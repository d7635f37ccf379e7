"""SQL that a function composes of its parameters, which stand in the text as marks."""

from __future__ import annotations

import re

import msgspec

from backaudit.sql.records import Form

# How parameters stand in the text that is made of them: by themselves, and one element of many.
ONE, EACH = "\u27e6{}\u27e7", "\u27e6*{}\u27e7"
_TABLE = re.compile(r"(?:\bfrom|\bupdate|\bjoin)\s+[\"`]?\u27e6(\d+)\u27e7", re.I)
_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.S)
_COLUMN = re.compile(r"\u27e6(\*?)(\d+)\u27e7[\"`]?\s*(=|in\b|>|<)", re.I)
_VERB = re.compile(r"\b(select|update|delete)\b", re.I)


class Composed(msgspec.Struct, frozen=True):
    """The parameters that make a statement. ``columns``: (parameter, whether it holds many, form)."""

    table: int
    columns: tuple[tuple[int, bool, Form], ...]
    verb: str


def composed(written: str) -> Composed | None:
    """What a text with marks asks; None if its table or its columns are no parameters."""
    table, where, verb = _TABLE.search(written), _WHERE.search(written), _VERB.search(written)
    if table is None or where is None or verb is None:
        return None
    columns = tuple(
        (int(index), bool(many), _form(operator)) for many, index, operator in _COLUMN.findall(where.group(1))
    )
    return Composed(int(table.group(1)), tuple(dict.fromkeys(columns)), verb.group(1).lower()) if columns else None


def _form(operator: str) -> Form:
    return "eq" if operator == "=" else "in" if operator.lower() == "in" else "range"
