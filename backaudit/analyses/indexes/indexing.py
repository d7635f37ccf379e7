"""Whether an index serves a predicate, a join or an order: PostgreSQL's rules, measured, as pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from backaudit.backend.data.schema import Index, Key, Table
from backaudit.sql import Use, is_pattern_class

# Forms by which an index can be entered at a key, and those that also pin it, so that the next key can be used.
_ENTERS = frozenset({"eq", "in", "range", "null", "bool", "function", "json", "prefix"})
# A range narrows too, if less: the keys after it are still compared inside the index.
_PINS = frozenset({"eq", "in", "null", "bool", "range"})
_WRAPPED = frozenset({"function", "json"})
_TREES = frozenset({"btree", ""})


def serving(table: Table, use: Use, companions: Iterable[Use] = ()) -> Index | None:
    """The first index of ``table`` by which ``use`` reads only what it needs, given what the query asks besides."""
    others = [other for other in companions if _applies(other, use)]
    return next((index for index in table.indexes if _serves(index, use, others)), None)


def _applies(other: Use, use: Use) -> bool:
    """Whether another condition holds for every row that ``use`` looks for."""
    return other.table == use.table and other.role != "sort" and other.branch in ((0, 0), use.branch)


def _serves(index: Index, use: Use, others: Sequence[Use]) -> bool:
    if use.role == "sort":
        return False
    if not implied(index, [use, *others]):
        return False
    if index.where and index.where == use.text:
        return True
    if use.form == "like" or (use.form == "prefix" and index.method != "btree"):
        return any(key.text.lower() == use.column.lower() and "trgm" in key.opclass for key in index.keys)
    if use.form not in _ENTERS:
        return False
    position = _position(index, use)
    if position is None or not _method_allows(index, use, position):
        return False
    pinned = {key for other in others if other.form in _PINS and other.role == "filter" for key in _names(other)}
    return all(key.text.lower() in pinned for key in index.keys[:position])


def _position(index: Index, use: Use) -> int | None:
    for number, key in enumerate(index.keys):
        if _matches(key, use) and _opclass_allows(key, use):
            return number
    return None


def _matches(key: Key, use: Use) -> bool:
    if use.form in _WRAPPED:
        return key.expression and key.text == use.expression
    return not key.expression and key.text.lower() == use.column.lower()


def _opclass_allows(key: Key, use: Use) -> bool:
    if use.form == "prefix":
        return is_pattern_class(key.opclass)
    return use.form != "range" or not is_pattern_class(key.opclass)


def _method_allows(index: Index, use: Use, position: int) -> bool:
    if index.method in _TREES:
        return True
    if index.method == "hash":
        return use.form in ("eq", "in")
    return index.method == "brin" and use.form in ("range", "eq")


def _names(use: Use) -> tuple[str, ...]:
    return (use.expression,) if use.form in _WRAPPED else (use.column.lower(),)


def implied(index: Index, uses: Iterable[Use]) -> bool:
    """Whether a query with these conditions may use a partial index; always for a whole one."""
    if not index.where:
        return True
    stated = [use for use in uses if use.branch == (0, 0)]
    if any(use.text and use.text == index.where for use in stated):
        return True
    parts = index.where.split(" and ") if " or " not in index.where and "between" not in index.where else [index.where]
    return all(_is_implied(part, stated) for part in parts)


def _is_implied(where: str, stated: Sequence[Use]) -> bool:
    if any(use.text and use.text == where for use in stated):
        return True
    found = re.fullmatch(r"(?:not )?(\w+) is (?:not )?null", where)
    if found is None or "not" not in where:
        return _bare_flag(where, stated)
    return any(use.column.lower() == found.group(1) and use.form in ("eq", "in", "range") for use in stated)


def _bare_flag(where: str, stated: Iterable[Use]) -> bool:
    """``WHERE flag`` is implied by ``flag`` and ``flag = true``, not by ``flag IS TRUE``."""
    return any(use.text in (where, f"{where} = true") for use in stated)


def ordering(table: Table, sorts: Sequence[Use], companions: Iterable[Use] = ()) -> Index | None:
    """The index that gives the rows in the order of ``sorts``, after the columns that equality pins."""
    others = [other for other in companions if other.table == table.name and other.role != "sort"]
    return next((index for index in table.indexes if sorts and _orders(index, sorts, others)), None)


def _orders(index: Index, sorts: Sequence[Use], others: Sequence[Use]) -> bool:
    if index.method not in _TREES or not implied(index, others):
        return False
    pinned = {other.column.lower() for other in others if other.form == "eq" and other.branch == (0, 0)}
    keys = list(index.keys)
    while keys and keys[0].text.lower() in pinned and not _sorts_by(keys[0], sorts[0]):
        keys.pop(0)
    wanted = [use for use in sorts if use.column.lower() not in pinned]
    if not wanted:
        return True
    if len(keys) < len(wanted) or not all(map(_sorts_by, keys, wanted)):
        return False
    directions = {key.descending == use.descending for key, use in zip(keys, wanted, strict=False)}
    return len(directions) == 1


def _sorts_by(key: Key, use: Use) -> bool:
    if is_pattern_class(key.opclass):
        return False
    if use.form == "function":
        return key.expression and key.text == use.expression
    return not key.expression and key.text.lower() == use.column.lower()


def unique_lookup(table: Table, uses: Iterable[Use]) -> bool:
    """Whether equality on a whole unique key leaves at most a row or so."""
    stated = [use for use in uses if use.form in ("eq", "in") and use.branch == (0, 0) and use.table == table.name]
    pinned = {use.column.lower() for use in stated}
    whole = [index for index in table.indexes if index.unique and not index.where]
    return any(all(key.text.lower() in pinned for key in index.keys) for index in whole)


def near_miss(table: Table, column: str) -> Index | None:
    """An index that has the column, though not as a key by which it can be entered."""
    later = (index for index in table.indexes if column.lower() in [key.text.lower() for key in index.keys[1:]])
    return next(later, None)
