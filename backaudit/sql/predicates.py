"""One predicate of SQL: which columns it asks, and in which form."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.sql.parsing import Tree, node_types, normal_node
from backaudit.sql.records import HOLE, Form, pattern_form

# Operators that only indexes of their own kind serve, by sqlglot's name.
_OPERATORS = {
    "arraycontainsall": "@>", "arraycontainedby": "<@", "arrayoverlaps": "&&", "jsonbcontainstopkey": "?",
    "jsonbcontainsanytopkeys": "?|", "jsonbcontainsalltopkeys": "?&", "matchagainst": "@@", "jsonbpathexists": "",
}  # fmt: skip
_PATTERNS = frozenset({"like", "ilike", "similarto", "regexplike", "regexpilike", "startswith"})
_COMPARISONS: dict[str, Form] = {"eq": "eq", "neq": "not", "gt": "range", "gte": "range", "lt": "range", "lte": "range"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A column and the form in which a predicate asks for it; the fields are those of ``Use``."""

    column: Tree
    form: Form
    expression: str = ""
    by: Form = "eq"
    operator: str = ""
    operand: str = ""
    collation: str = ""


def only_column(node: Tree) -> Tree | None:
    """The one column of an expression of this scope, None if there are none, several, or a subquery."""
    if node.key == "column":
        return node if node.name != HOLE else None
    if node.find(*node_types("Select")) is not None:
        return None
    found = [column for column in node.find_all(*node_types("Column")) if column.name != HOLE]
    return found[0] if len(found) == 1 else None


def predicate(node: Tree) -> Iterator[Asked]:
    """The columns that a predicate asks, with their forms; several for rows and for expressions of more than one."""
    while node.key in ("paren", "escape"):
        node = node.this
    if node.key == "not":
        yield from map(_negated, predicate(node.this))
    elif node.key == "column":
        yield Asked(column=node, form="bool")
    elif node.key in _OPERATORS:
        yield from _operated(node)
    elif node.key == "between":
        yield from _between(node)
    elif node.this is not None and getattr(node.this, "key", "") == "tuple":
        yield from _row(node)
    else:
        yield from _compared(node)


def _negated(asked: Asked) -> Asked:
    """``NOT BETWEEN`` is two ranges, ``IS NOT NULL`` the end of an index; other negations leave most of the rows."""
    if asked.form == "bool" and asked.by == "bool":
        return msgspec.structs.replace(asked, form="other")
    if asked.form in ("bool", "null", "other"):
        return asked
    return msgspec.structs.replace(asked, form="range" if asked.by == "range" and asked.form == "range" else "not")


def _operated(node: Tree) -> Iterator[Asked]:
    sides = [side for side in (node.this, node.args.get("expression"), *node.expressions) if side is not None]
    for side in sides:
        column = only_column(side)
        if column is None:
            continue
        operator = _OPERATORS[node.key]
        expression = "" if side.key == "column" else normal_node(side)
        yield Asked(column=column, form="operator" if operator else "other", operator=operator, expression=expression)
        return


def _between(node: Tree) -> Iterator[Asked]:
    """``x BETWEEN ..``; of ``3 BETWEEN a AND b`` both columns are bounded from one side."""
    column = only_column(node.this)
    if column is not None:
        bare = _unwrapped(node.this)
        form: Form = "range" if bare.key == "column" else "function"
        expression = "" if bare.key == "column" else normal_node(bare)
        yield Asked(column=column, form=form, by="range", expression=expression)
        return
    for side in (node.args.get("low"), node.args.get("high")):
        if side is not None and side.key == "column":
            yield Asked(column=side, form="range")


def _row(node: Tree) -> Iterator[Asked]:
    """``(a, b) = (1, 2)`` and ``IN`` ask every column, ``(a, b) > (1, 2)`` the first."""
    columns = [part for part in node.this.expressions if part.key == "column"]
    if node.key in ("eq", "in"):
        for column in columns:
            yield Asked(column=column, form="eq" if node.key == "eq" else "in")
    elif columns and node.key in _COMPARISONS:
        yield Asked(column=columns[0], form=_COMPARISONS[node.key])


def _compared(node: Tree) -> Iterator[Asked]:
    side = _subject(node)
    column = only_column(side) if side is not None else None
    if side is None or column is None:
        yield from _lost(node)
        return
    bare, collation = _uncollated(side)
    form = _form_of(node)
    if form == "eq" and _is_searched_for(node, side):
        form = "other"
    operand = _operand(node, side)
    if bare.key == "column":
        operator = "subselect" if node.args.get("query") is not None else ""
        yield Asked(column=column, form=form, operand=operand, collation=collation, by=_marked(node), operator=operator)
        return
    wrapped: Form = "json" if bare.key.startswith("json") else "function"
    kept: Form = wrapped if form not in ("not", "other") else form
    yield Asked(column=column, form=kept, expression=normal_node(bare), by=form, operand=operand, collation=collation)


def _is_searched_for(node: Tree, side: Tree) -> bool:
    """``value = ANY(column)``: the column is a set that is searched, not a value that is compared."""
    return side is node.expression and node.this.key != "literal" and _is_set(node.expression)


def _marked(node: Tree) -> Form:
    """``IS TRUE`` is told from the bare flag by its second form: negated, nothing serves it."""
    return "bool" if node.key == "is" and node.expression.key == "boolean" else "eq"


def _lost(node: Tree) -> Iterator[Asked]:
    """The columns of a predicate that no index can help with, such as those of arithmetic and of CASE."""
    if node.find(*node_types("Select")) is not None:
        return
    for column in node.find_all(*node_types("Column")):
        yield Asked(column=column, form="other")


def _subject(node: Tree) -> Tree | None:
    """The side of a predicate that holds the column; None unless the other side is free of columns."""
    if node.key in _PATTERNS or node.key in ("in", "is"):
        return node.this
    if node.key not in _COMPARISONS and node.key != "nullsafeeq":
        return None
    left, right = node.this, node.expression
    if only_column(left) is not None and only_column(right) is None:
        return left
    return right if only_column(right) is not None and only_column(left) is None else None


def _is_set(node: Tree) -> bool:
    return node.key in ("any", "all")


def _unwrapped(node: Tree) -> Tree:
    return _uncollated(node)[0]


def _uncollated(node: Tree) -> tuple[Tree, str]:
    collation = ""
    while node.key in ("paren", "collate"):
        collation = node.expression.name if node.key == "collate" else collation
        node = node.this
    return node, collation


def _operand(node: Tree, side: Tree) -> str:
    """The type that the other side says it has, empty if it says none."""
    other = node.args.get("expression") if side is node.this else node.this
    while other is not None and other.key == "paren":
        other = other.this
    if other is None or other.key != "cast":
        return ""
    return str(other.to.sql(dialect="postgres")).lower()


def _form_of(node: Tree) -> Form:
    key = node.key
    if node.args.get("negate") and key != "is":
        return "not"
    if key in _PATTERNS:
        return _pattern(node)
    if key == "is":
        return _is_form(node)
    if key == "eq" and node.expression.key in ("any", "all"):
        return "in"
    return "in" if key == "in" else _COMPARISONS.get(key, "other")


def _pattern(node: Tree) -> Form:
    """A fixed beginning can be looked up; letters of either case cannot."""
    written = _constant(node.expression)
    if node.key == "startswith":
        return "prefix"
    if node.key in ("regexplike", "regexpilike"):
        anchored = written is not None and written[:1] == "^" and written[1:2].isalnum()
        return "prefix" if anchored and node.key == "regexplike" else "like"
    if node.key == "ilike" and (written is None or not written[:1].isdigit()):
        return "like"
    return pattern_form(written)


def _constant(node: Tree) -> str | None:
    """The text of a constant pattern: alone, in ``UPPER('..')`` and in ``'..' || '%'``."""
    if node.key in ("upper", "lower", "paren", "cast"):
        return _constant(node.this)
    if node.key in ("dpipe", "concat"):
        parts = [node.this, node.expression] if node.key == "dpipe" else node.expressions
        texts = [_constant(part) for part in parts]
        return "".join(text for text in texts if text is not None) if None not in texts else None
    return str(node.name) if node.key == "literal" else None


def _is_form(node: Tree) -> Form:
    if node.expression.key == "null":
        return "null"
    return "other" if node.args.get("negate") else "bool"
