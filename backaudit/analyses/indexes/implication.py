"""Whether what a query asks implies the predicate of a partial index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from backaudit.backend.data.schema import Index, Table
from backaudit.sql import Use

_LISTED = re.compile(r"(\w+) (?:in \((.*)\)|= (.*))")
_VALUE = re.compile(r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?")
_BOUND = re.compile(r"(\w+) (>=|>|<=|<) (-?\d+(?:\.\d+)?)")


def implied(index: Index, uses: Iterable[Use]) -> bool:
    """Whether a query with these conditions may use a partial index; always for a whole one."""
    if not index.where:
        return True
    stated = [use for use in uses if use.branch == (0, 0)]
    if any(use.text and use.text == index.where for use in stated):
        return True
    whole = " or " in index.where or "between" in index.where
    parts = [index.where] if whole else index.where.split(" and ")
    return all(_is_implied(part, stated) for part in parts)


def mentions(where: str, use: Use, table: Table) -> bool:
    """Whether an implied predicate of an index is about the use: its rows are all that the index holds."""
    if where == use.text:
        return True
    column = table.column(use.column)
    flag = column is not None and column.few and use.form in ("bool", "eq")
    return flag and " in (" not in where and re.search(rf"\b{re.escape(use.column.lower())}\b", where) is not None


def _is_implied(where: str, stated: Sequence[Use]) -> bool:
    if any(use.text and use.text == where for use in stated):
        return True
    found = re.fullmatch(r"(?:not )?(\w+) is (?:not )?null", where)
    if found is not None and "not" in where:
        return any(use.column.lower() == found.group(1) and use.form in ("eq", "in", "range") for use in stated)
    return _bare_flag(where, stated) or any(_stronger(use.text, where) or _among(use.text, where) for use in stated)


def _bare_flag(where: str, stated: Iterable[Use]) -> bool:
    """``WHERE flag`` is implied by ``flag`` and ``flag = true``, not by ``flag IS TRUE``; and the same negated."""
    spelled = {where, f"{where} = true"}
    negated = re.fullmatch(r"(\w+) = false", where)
    if negated is not None:
        spelled.add(f"not {negated.group(1)}")
    if where.startswith("not "):
        spelled.add(f"{where[4:]} = false")
    positive = re.fullmatch(r"(\w+) = true", where)
    if positive is not None:
        spelled.add(positive.group(1))
    return any(use.text in spelled for use in stated)


def _stronger(stated: str, where: str) -> bool:
    """Whether one constant bound of a column implies another."""
    mine, theirs = _BOUND.fullmatch(stated), _BOUND.fullmatch(where)
    if mine is None or theirs is None or mine.group(1) != theirs.group(1):
        return False
    if mine.group(2)[0] != theirs.group(2)[0]:
        return False
    inside, outside = float(mine.group(3)), float(theirs.group(3))
    strict = mine.group(2) == theirs.group(2) or len(theirs.group(2)) == 2
    above = inside > outside if theirs.group(2)[0] == ">" else inside < outside
    return above or (inside == outside and strict)


def _among(stated: str, where: str) -> bool:
    """Whether the constants that a column is compared with are among those of the predicate."""
    mine, theirs = _LISTED.fullmatch(stated), _LISTED.fullmatch(where)
    if mine is None or theirs is None or mine.group(1) != theirs.group(1):
        return False
    asked, held = _values(mine), _values(theirs)
    return bool(asked) and asked <= held


def _values(listed: re.Match[str]) -> set[str]:
    """The constants of ``x = 'a'`` and ``x IN ('a', 'b')``, none where any other value stands among them."""
    written = listed.group(2) or listed.group(3)
    rest = _VALUE.sub("", written)
    return set(_VALUE.findall(written)) if not rest.strip(" ,") else set()
