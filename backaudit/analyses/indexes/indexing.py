"""Whether an index serves a predicate, a join or an order: PostgreSQL's rules, measured, as pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from backaudit.analyses.indexes.engines import engine
from backaudit.analyses.indexes.implication import implied, mentions
from backaudit.analyses.indexes.operands import compared, keeps_its_index, same_collation
from backaudit.backend.data.schema import Index, Key, Table
from backaudit.sql import Use, is_pattern_class
from backaudit.sql.records import Form

# Forms by which an index can be entered at a key, and those that also pin it, so that the next key can be used.
_ENTERS: frozenset[Form] = frozenset({"eq", "in", "range", "null", "bool", "prefix"})
# A range narrows too, if less: the keys after it are still compared inside the index.
_PINS: frozenset[Form] = frozenset({"eq", "in", "null", "bool", "range"})
_WRAPPED = frozenset({"function", "json"})
_TREES = frozenset({"btree", ""})
_EQUALITIES = frozenset({"eq", "in"})
# What the index methods with operator classes of their own answer.
_CONTAINED = {
    "gin": frozenset({"@>", "<@", "&&", "?", "?|", "?&", "@@"}),
    "gist": frozenset({"@>", "<@", "&&", "@@"}),
    "spgist": frozenset({"@>", "<@", "&&"}),
}
_PATTERN = re.compile(r"'([^']*)'")
_TRIGRAM = re.compile(r"[^\W_]{3}|(?<![\w%])[^\W_]|[^\W_]{2}(?![\w%])")
_ONLY = {"jsonb_path_ops": frozenset({"@>", "@@"})}


class Verdict(msgspec.Struct, frozen=True):
    """Whether a use is served, by which index, and why: of the nearest miss if by none."""

    served: bool
    index: Index | None = None
    why: str = ""


def usable(table: Table, use: Use, companions: Iterable[Use] = ()) -> Verdict:
    """Whether an index of ``table`` lets ``use`` read only what it needs, given what the query asks besides."""
    every = list(companions)
    if use.branch == (0, 0):
        return _by_any(table, use, every)
    found = _by_any(table, use, every)
    lost = found.served and any(
        not _alternative(table, use, group, every) for group in _alternatives(use, every).values()
    )
    return Verdict(False, None, "another alternative of the same OR has no index") if lost else found


def serving(table: Table, use: Use, companions: Iterable[Use] = ()) -> Index | None:
    """The index that serves ``use``, if one does."""
    return _by_any(table, use, list(companions)).index


def _by_any(table: Table, use: Use, companions: Sequence[Use]) -> Verdict:
    others = [other for other in companions if _applies(other, use)]
    missed = ""
    for index in table.indexes:
        why = _refusal(table, index, use, others)
        if not why:
            return Verdict(True, index, "")
        missed = why if not missed or _names(use) & {key.text.lower() for key in index.keys} else missed
    return Verdict(False, None, missed or "the table has no index")


def _alternatives(use: Use, every: Sequence[Use]) -> dict[int, list[Use]]:
    """The conditions of the other alternatives of the OR that a use stands in."""
    groups: dict[int, list[Use]] = {}
    for other in every:
        if other.branch[0] == use.branch[0] and other.branch[1] != use.branch[1]:
            groups.setdefault(other.branch[1], []).append(other)
    return groups


def _alternative(table: Table, use: Use, group: Sequence[Use], every: Sequence[Use]) -> bool:
    """Whether one alternative can be entered by an index of the same table."""
    return any(
        other.rows == use.rows and _by_any(table, other, [o for o in every if o is not other]).served for other in group
    )


def _applies(other: Use, use: Use) -> bool:
    """Whether another condition holds for every row that ``use`` looks for."""
    return other.rows == use.rows and other.role in ("filter", "join") and other.branch in ((0, 0), use.branch)


def _refusal(table: Table, index: Index, use: Use, others: Sequence[Use]) -> str:
    """Why an index does not serve a use; empty if it does."""
    if use.role in ("sort", "group"):
        return "an order"
    if not implied(index, [use, *others]):
        return f"the index over {_spelled(index)} holds only rows with {index.where}"
    if index.where and mentions(index.where, use, table):
        return ""
    asked = compared(table, use)
    if asked.form in ("not", "other"):
        return "no index serves this form"
    if not keeps_its_index(table, use):
        return f"the value's type {use.operand} makes the column be converted"
    position = next((n for n, key in enumerate(index.keys) if _matches(table, index, key, asked)), None)
    if position is None:
        return f"the index over {_spelled(index)} has other keys" if asked.expression else "no index has the column"
    if index.method in _CONTAINED or index.method in ("brin",):
        return ""
    return _blocked(table, index, position, asked, others)


def _blocked(table: Table, index: Index, position: int, asked: Use, others: Sequence[Use]) -> str:
    """What stands before a key in its index and keeps it from being entered; empty if nothing does."""
    pinning = [compared(table, other) for other in others if _pins(table, other)]
    pinned = {name for use in pinning for name in _names(use)}
    blocked = next((key for key in index.keys[:position] if key.text.lower() not in pinned), None)
    if blocked is None or (_few(table, blocked) and asked.form in _ENTERS):
        return ""
    return f"in the index over {_spelled(index)} it comes after {blocked.text}"


def _pins(table: Table, other: Use) -> bool:
    asked = compared(table, other)
    return other.role == "filter" and asked.form in _PINS and keeps_its_index(table, other)


def _few(table: Table, key: Key) -> bool:
    """Whether a scan can skip from one value of a leading key to the next, as PostgreSQL 18's does."""
    column = table.column(key.text)
    return engine(table.engine).skips and column is not None and column.few


def _matches(table: Table, index: Index, key: Key, asked: Use) -> bool:
    return _key_name(table, key) == (asked.expression or asked.column.lower()) and _allows(table, index, key, asked)


def _key_name(table: Table, key: Key) -> str:
    """What a key holds, in the form in which conditions are compared."""
    if not key.expression:
        return key.text.lower()
    asked = compared(table, Use(column=key.text, role="filter", form="function", expression=key.text))
    return asked.expression or key.text


def _allows(table: Table, index: Index, key: Key, asked: Use) -> bool:
    """Whether method, operator class and collation of a key fit the form."""
    if asked.form == "operator":
        allowed = _ONLY.get(key.opclass, _CONTAINED.get(index.method, frozenset()))
        return asked.operator in allowed and "trgm" not in key.opclass
    if "trgm" in key.opclass:
        return asked.form in ("like", "prefix") and _has_trigram(asked)
    if asked.form == "prefix":
        return index.method in _TREES and _serves_prefixes(table, key)
    if asked.form not in _ENTERS or not same_collation(table, key, asked):
        return False
    if asked.form == "range" and is_pattern_class(key.opclass):
        return False
    return _method_allows(index, asked)


def _has_trigram(asked: Use) -> bool:
    """Whether three letters in a row are known of a pattern; the blanks around a word count as two and one."""
    pattern = _PATTERN.search(asked.text)
    return pattern is None or _TRIGRAM.search(pattern.group(1)) is not None


def _serves_prefixes(table: Table, key: Key) -> bool:
    """Whether a key is in an order in which all values with one beginning stand together."""
    column = table.column(key.text)
    collation = (key.collation or (column.collation if column is not None else "")).upper()
    wanted = engine(table.engine).prefixes
    if wanted == "nocase":
        return collation == "NOCASE"
    return wanted == "all" or is_pattern_class(key.opclass) or collation in ("C", "POSIX", "UCS_BASIC")


def _method_allows(index: Index, asked: Use) -> bool:
    if index.method in _TREES:
        return True
    if index.method in ("hash", "gin"):
        return asked.form in _EQUALITIES
    return index.method == "brin" and asked.form in ("range", "eq")


def _names(use: Use) -> frozenset[str]:
    return frozenset({use.expression or use.column.lower()})


def _spelled(index: Index) -> str:
    return f"({', '.join(index.columns)})"


# -- orders --------------------------------------------------------------------------------------------------------


def ordering(table: Table, sorts: Sequence[Use], companions: Iterable[Use] = ()) -> Index | None:
    """The index that gives the rows in the order of ``sorts``, after the columns that equality pins."""
    others = list(companions)
    return next((i for i in table.indexes if sorts and in_order(table, i, sorts, others) == len(sorts)), None)


def in_order(table: Table, index: Index, sorts: Sequence[Use], companions: Iterable[Use]) -> int:
    """How many of ``sorts``, from the first on, an index gives in order."""
    others = [use for use in companions if use.rows == sorts[0].rows and use.role in ("filter", "join")]
    if index.method not in _TREES or not implied(index, others):
        return 0
    fixing = [use for use in others if _fixes(table, use)]
    pinned = {name for use in fixing for name in _names(use)}
    keys = list(index.keys)
    count, turned = 0, None
    for use in sorts:
        if _names(use) <= pinned and not (keys and _sorts_by(table, keys[0], use)):
            count += 1
            continue
        reverse = _next_turn(table, keys, use, pinned)
        if reverse is None or turned not in (None, reverse):
            break
        count, turned = count + 1, reverse if use.role == "sort" else turned
    return count


def _next_turn(table: Table, keys: list[Key], use: Use, pinned: set[str]) -> bool | None:
    """Takes the key that gives an order off the keys, behind those that are pinned; how it is read, None if none is."""
    while keys and keys[0].text.lower() in pinned and not _sorts_by(table, keys[0], use):
        keys.pop(0)
    return _turn(table, keys.pop(0), use) if keys and _sorts_by(table, keys[0], use) else None


def _fixes(table: Table, other: Use) -> bool:
    """Whether a condition leaves one value of its column: rows are then in order whatever they are sorted by else."""
    flag = other.form == "bool" and other.role == "filter"
    return (compared(table, other).form == "eq" or flag) and other.branch == (0, 0) and keeps_its_index(table, other)


def _turn(table: Table, key: Key, use: Use) -> bool | None:
    """Whether the index is to be read backwards for this key; None if its nulls stand wrongly for either way."""
    if use.role == "group":
        return False
    backwards = key.descending != use.descending
    least = engine(table.engine).nulls_first
    wanted = _nulls_first(use.nulls, use.descending, least)
    there = _nulls_first(key.nulls, key.descending, least)
    return backwards if (there != wanted) == backwards else None


def _nulls_first(nulls: str, descending: bool, least: bool) -> bool:
    """Where nulls stand: as it is said, else as the least or the greatest values."""
    return nulls == "first" if nulls else descending is not least


def _sorts_by(table: Table, key: Key, use: Use) -> bool:
    if is_pattern_class(key.opclass) or not same_collation(table, key, use):
        return False
    if use.form == "function":
        return key.expression and key.text == use.expression
    return not key.expression and key.text.lower() == use.column.lower()


def unique_lookup(table: Table, uses: Iterable[Use]) -> bool:
    """Whether equality on a whole unique key leaves at most a row or so."""
    stated = [use for use in uses if use.form in _EQUALITIES and use.branch == (0, 0) and use.table == table.name]
    pinned = {use.column.lower() for use in stated}
    whole = [index for index in table.indexes if index.unique and not index.where]
    return any(all(key.text.lower() in pinned for key in index.keys) for index in whole)


def near_miss(table: Table, column: str) -> Index | None:
    """An index that has the column, though not as a key by which it can be entered."""
    later = (index for index in table.indexes if column.lower() in [key.text.lower() for key in index.keys[1:]])
    return next(later, None)
