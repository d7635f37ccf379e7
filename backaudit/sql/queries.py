"""What a query asks of which columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backaudit.sql.parsing import Tree, looks_like_query, node_types, normal_node, parsed
from backaudit.sql.records import HOLE, MAX_TEXT, Form, Role, Scope, Statement, Use, pattern_form

_PERCENT = re.compile(r"%\((\w+)\)s|%s|%%")
_DANGLING = re.compile(rf"([\w)'\"?]+|[=<>,(+*/-])\s*{HOLE}(?:\s+{HOLE})*")
_EXPECTING = frozenset(
    ("by", "from", "where", "and", "or", "on", "in", "limit", "offset", "set", "join", "select", "not", "like", "is")
) | frozenset("=<>,(+-*/")


def statement(text: str) -> Statement | None:
    """What a query asks; None if the text is none or cannot be read. Unknown parts are spelled :data:`HOLE`."""
    if len(text) > MAX_TEXT or not looks_like_query(text):
        return None
    tree = parsed(_placeholders(text))
    if tree is None and HOLE in text:
        tree = parsed(_placeholders(_dangling_removed(text)))
    return _Reader(tree, whole=HOLE not in text).read() if tree is not None else None


def _dangling_removed(text: str) -> str:
    """The text without unknown parts that stand where no value, name or condition is expected."""
    text = re.sub(rf"{HOLE}(?:\s+{HOLE})+", HOLE, text)
    return _DANGLING.sub(lambda m: m.group() if m.group(1).lower() in _EXPECTING else m.group(1) + " ", text)


def _placeholders(text: str) -> str:
    """Driver's placeholders as sqlglot reads them in every dialect."""
    return _PERCENT.sub(lambda m: "%" if m.group() == "%%" else f":{m.group(1) or 'p'}", text)


class _Reader:
    """Walks one parsed statement; every SELECT, UPDATE and DELETE in it is a scope."""

    def __init__(self, tree: Tree, whole: bool) -> None:
        self._tree = tree
        self._whole = whole
        self._uses: list[Use] = []
        self._scopes: list[Scope] = []
        self._names: list[dict[str, str]] = []
        self._walls = {cte.alias for cte in tree.find_all(*node_types("CTE"))}
        self._ors = 0

    def read(self) -> Statement:
        for node in self._tree.find_all(*node_types("Select", "Update", "Delete")):
            self._enter(node)
        return Statement(tuple(self._uses), tuple(self._scopes), self._whole)

    def _enter(self, node: Tree) -> None:
        names = self._tables(node)
        outer = node.parent_select
        own = tuple(dict.fromkeys(names.values()))
        while outer is not None:
            names = {**self._tables(outer), **names}
            outer = outer.parent_select
        self._scopes.append(Scope(own, node.args.get("limit") is not None, node.key))
        self._names.append(names)
        where = node.args.get("where")
        if where is not None:
            self._condition(where.this, "filter", (0, 0))
        for join in node.args.get("joins") or ():
            self._join(join)
        self._order(node)

    def _tables(self, node: Tree) -> dict[str, str]:
        """Alias to real table (empty for derived ones) of the sources of one scope."""
        sources: list[Tree] = [node.this] if node.key in ("update", "delete") else []
        origin = node.args.get("from_") or node.args.get("from")
        sources += [origin.this] if origin is not None else []
        sources += [join.this for join in node.args.get("joins") or ()]
        named = [s for s in sources if s is not None]
        return {s.alias_or_name: self._real(s) for s in named}

    def _real(self, source: Tree) -> str:
        name = source.name if source.key == "table" else ""
        return "" if name in self._walls or name == HOLE else name

    def _join(self, join: Tree) -> None:
        on = join.args.get("on")
        if on is not None:
            self._condition(on, "join", (0, 0))
        for name in join.args.get("using") or ():
            tables = [t for t in self._scopes[-1].tables if t]
            for table in tables:
                others = [t for t in tables if t != table]
                self._add(name.name, "join", "eq", table, other=(others[0] if others else "", name.name))

    def _order(self, node: Tree) -> None:
        order = node.args.get("order")
        for item in order.expressions if order is not None else ():
            inner = item.this
            if HOLE in inner.sql():
                continue
            if inner.key == "column":
                self._add(inner.name, "sort", "eq", self._table(inner), descending=bool(item.args.get("desc")))
            elif (column := self._only_column(inner)) is not None:
                self._add(column.name, "sort", "function", self._table(column), expression=normal_node(inner))

    def _add(self, column: str, role: Role, form: Form, table: str | None, **more: Any) -> None:
        if table is not None:
            self._uses.append(
                Use(column=column, role=role, form=form, table=table, scope=len(self._scopes) - 1, **more)
            )

    def _table(self, column: Tree) -> str | None:
        """The real table of a column, empty if it could be any of the scope's; None for a derived table's column."""
        qualifier = str(column.args["table"].name) if column.args.get("table") is not None else ""
        names = self._names[-1]
        if qualifier:
            return names.get(qualifier) or None
        own = self._scopes[-1].tables
        return (own[0] or None) if len(own) == 1 else ""

    def _condition(self, node: Tree, role: Role, branch: tuple[int, int]) -> None:
        if node.key == "paren":
            self._condition(node.this, role, branch)
        elif node.key == "and":
            self._condition(node.this, role, branch)
            self._condition(node.expression, role, branch)
        elif node.key == "or":
            self._alternatives(node, role, branch)
        else:
            self._predicate(node, role, branch)

    def _alternatives(self, node: Tree, role: Role, branch: tuple[int, int]) -> None:
        if branch == (0, 0):
            self._ors += 1
            branch = (self._ors, 0)
        for number, part in enumerate(_flattened(node)):
            self._condition(part, role, (branch[0], branch[1] * 100 + number + 1))

    def _predicate(self, node: Tree, role: Role, branch: tuple[int, int]) -> None:
        if node.key == "eq" and (pair := self._two_columns(node)) is not None:
            self._equal_columns(node, pair, branch)
            return
        form, column, expression = self._form(node)
        if column is not None and column.name != HOLE:
            more = {"branch": branch, "expression": expression, "text": normal_node(node)}
            self._add(column.name, "filter", form, self._table(column), **more)

    def _two_columns(self, node: Tree) -> tuple[Tree, Tree] | None:
        sides = [self._only_column(side) for side in (node.this, node.expression)]
        if sides[0] is None or sides[1] is None or HOLE in (sides[0].name, sides[1].name):
            return None
        return sides[0], sides[1]

    def _equal_columns(self, node: Tree, pair: tuple[Tree, Tree], branch: tuple[int, int]) -> None:
        tables = [self._table(column) for column in pair]
        for mine, other in ((0, 1), (1, 0)):
            wrapped = (node.this, node.expression)[mine].key != "column"
            form: Form = "function" if wrapped else "other" if tables[0] == tables[1] and tables[0] else "eq"
            beyond = (tables[other] or "", str(pair[other].name))
            self._add(
                pair[mine].name, "join", form, tables[mine], branch=branch, other=beyond,
                expression=normal_node((node.this, node.expression)[mine]) if wrapped else "",
            )  # fmt: skip

    def _only_column(self, node: Tree) -> Tree | None:
        """The one column of an expression of this scope, None if there are none, several, or a subquery."""
        if node.key == "column":
            return node if node.name != HOLE else None
        if node.find(*node_types("Select")) is not None:
            return None
        found = [column for column in node.find_all(*node_types("Column")) if column.name != HOLE]
        return found[0] if len(found) == 1 else None

    def _form(self, node: Tree) -> tuple[Form, Tree | None, str]:
        if node.key == "not":
            form, column, expression = self._form(node.this)
            return ("bool" if form == "bool" else "null" if form == "null" else "not"), column, expression
        if node.key == "column":
            return "bool", node, ""
        side = self._subject(node)
        column = self._only_column(side) if side is not None else None
        if side is None or column is None:
            return "other", None, ""
        bare = _unwrapped(side)
        if bare.key == "column":
            return _form_of(node), column, ""
        return ("json" if bare.key.startswith("json") else "function"), column, normal_node(bare)

    def _subject(self, node: Tree) -> Tree | None:
        """The side of a predicate that holds the column; None unless the other side is free of columns."""
        if node.key in ("in", "between", "is", "like", "ilike", "similarto", "regexplike", "regexpilike"):
            return node.this
        if node.key not in ("eq", "neq", "gt", "gte", "lt", "lte", "nullsafeeq"):
            return None
        left, right = node.this, node.expression
        if self._only_column(left) is not None and self._only_column(right) is None:
            return left
        return right if self._only_column(right) is not None and self._only_column(left) is None else None


def _flattened(node: Tree) -> Iterator[Tree]:
    for part in (node.this, node.expression):
        inner = part
        while inner.key == "paren":
            inner = inner.this
        if inner.key == "or":
            yield from _flattened(inner)
        else:
            yield inner


def _unwrapped(node: Tree) -> Tree:
    while node.key in ("paren", "collate"):
        node = node.this
    return node


def _form_of(node: Tree) -> Form:
    key = node.key
    if key == "like":
        return pattern_form(node.expression.name if node.expression.key == "literal" else None)
    if key == "is":
        return _is_form(node)
    forms: dict[str, Form] = {"eq": "eq", "in": "in", "neq": "not", "between": "range", "gt": "range", "gte": "range"}
    forms |= {"lt": "range", "lte": "range", "ilike": "like"}
    return forms.get(key, "other")


def _is_form(node: Tree) -> Form:
    if node.expression.key == "null":
        return "null"
    return "other" if node.args.get("negate") else "bool"
