"""What a query asks of which columns: its sources, conditions, joins and orders, scope by scope."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from backaudit.sql.parsing import Tree, looks_like_query, node_types, normal_node, nulls_of, parsed
from backaudit.sql.predicates import Asked, only_column, predicate
from backaudit.sql.records import HOLE, MAX_TEXT, Form, Role, Scope, Statement, Use

# What drivers fill in and sqlglot does not read: ``%s``, ``%(name)s``, ``?1`` and ``:1``, which is no end of a slice.
_MARKS = re.compile(r"%\((\w+)\)s|%s|%%|(?<![\w:\])])[?:](\d+)\b")
_DANGLING = re.compile(rf"([\w)'\"?]+|[=<>,(+*/-])\s*{HOLE}(?:\s+{HOLE})*")
_EXPECTING = frozenset(
    ("by", "from", "where", "and", "or", "on", "in", "limit", "offset", "set", "join", "select", "not", "like", "is")
) | frozenset("=<>,(+-*/")
# What keeps a condition outside of a derived table from its rows.
# Alternatives of one OR up to which each is asked about by itself.
_ALTERNATIVES = 64
_WALLS = ("limit", "offset", "group", "having", "distinct", "joins", "windows", "laterals")


class _Source(NamedTuple):
    """A table as a scope names it; ``mark`` tells two appearances of one table apart."""

    table: str
    mark: str


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
    return _MARKS.sub(lambda m: "%" if m.group() == "%%" else f":{m.group(1) or 'p'}{m.group(2) or ''}", text)


def _few_alternatives(uses: Sequence[Use]) -> tuple[Use, ...]:
    """The uses without the alternatives of a long OR that ask what an earlier one asks, whatever the values."""
    groups: dict[tuple[int, tuple[int, int]], list[Use]] = {}
    for use in uses:
        groups.setdefault((use.scope, use.branch), []).append(use)
    if len(groups) <= _ALTERNATIVES:
        return tuple(uses)
    known: set[tuple[object, ...]] = set()
    kept: set[tuple[int, tuple[int, int]]] = set()
    for (scope, branch), group in groups.items():
        asked = (scope, branch[0], *((use.rows, use.column, use.role, use.form) for use in group))
        if branch == (0, 0) or asked not in known:
            kept.add((scope, branch))
        known.add(asked)
    return tuple(use for use in uses if (use.scope, use.branch) in kept)


def _meant(key: Tree, shown: Sequence[Tree]) -> Tree:
    """What an order's key stands for, where it is the position or the alias of what is selected."""
    if key.key == "literal" and key.name.isdigit() and 0 < int(key.name) <= len(shown):
        before = shown[: int(key.name)]
        return key if any(one.is_star for one in before) else before[-1].unalias()
    if key.key != "column" or key.args.get("table") is not None:
        return key
    return next((one.this for one in shown if one.key == "alias" and one.alias == key.name), key)


class _Reader:
    """Walks one parsed statement; every SELECT, UPDATE and DELETE in it is a scope."""

    def __init__(self, tree: Tree, whole: bool) -> None:
        self._tree = tree
        self._whole = whole
        self._uses: list[Use] = []
        self._scopes: list[Scope] = []
        self._numbers: dict[int, int] = {}
        self._names: list[dict[str, _Source]] = []
        self._ctes = {cte.alias: cte for cte in tree.find_all(*node_types("CTE"))}
        self._ors = 0

    def read(self) -> Statement:
        for node in self._tree.find_all(*node_types("Select", "Update", "Delete")):
            self._enter(node)
        return Statement(_few_alternatives(self._uses), tuple(self._scopes), self._whole)

    def _enter(self, node: Tree) -> None:
        self._numbers[id(node)] = len(self._scopes)
        names = self._sources(node)
        own = tuple(dict.fromkeys(source.table for source in names.values()))
        outer = node.parent_select
        while outer is not None:
            names = {**self._sources(outer), **names}
            outer = outer.parent_select
        extreme = _extremes(node)
        self._scopes.append(Scope(own, node.args.get("limit") is not None or bool(extreme), node.key))
        self._names.append(names)
        where = node.args.get("where")
        if where is not None:
            self._condition(where.this, "filter", (0, 0))
        for join in node.args.get("joins") or ():
            self._join(join)
        self._order(node.args.get("order"), "sort", node.expressions if node.key == "select" else ())
        self._together(node)
        for column in extreme:
            self._add(column.name, "sort", "eq", self._source(column))

    def _sources(self, node: Tree) -> dict[str, _Source]:
        """What one scope reads, by alias; derived tables that hide their rows have no table."""
        number = self._numbers.get(id(node), len(self._scopes))
        read: list[Tree] = [node.this] if node.key in ("update", "delete") else []
        origin = node.args.get("from_") or node.args.get("from")
        read += [origin.this] if origin is not None else []
        read += [join.this for join in node.args.get("joins") or ()]
        named = [source for source in read if source is not None]
        return {s.alias_or_name: _Source(self._real(s, ()), f"{number}.{s.alias_or_name}") for s in named}

    def _real(self, source: Tree, behind: tuple[int, ...]) -> str:
        if source.key == "subquery":
            return self._behind(source.this, behind)
        name = source.name if source.key == "table" else ""
        cte = self._ctes.get(name)
        if cte is None:
            return "" if name == HOLE else name
        once = sum(1 for table in self._tree.find_all(*node_types("Table")) if table.name == name) == 1
        return self._behind(cte.this, behind) if once and not cte.args.get("materialized") else ""

    def _behind(self, select: Tree, behind: tuple[int, ...]) -> str:
        """The table whose rows and columns a derived table passes on as they are, empty if it does not.

        ``behind``: the derived tables that this one is read for; a recursive one reads itself.
        """
        if select.key == "union" and not select.args.get("distinct"):
            both = {self._behind(side, behind) for side in (select.this, select.expression)}
            return both.pop() if len(both) == 1 else ""
        if select.key != "select" or id(select) in behind or any(select.args.get(wall) for wall in _WALLS):
            return ""
        plain = all(part.key in ("column", "star") for part in select.expressions)
        origin = select.args.get("from_") or select.args.get("from")
        return self._real(origin.this, (*behind, id(select))) if plain and origin is not None else ""

    def _join(self, join: Tree) -> None:
        on = join.args.get("on")
        if on is not None:
            self._condition(on, "join", (0, 0))
        for name in join.args.get("using") or ():
            sources = [source for source in self._names[-1].values() if source.table]
            for source in sources:
                other = next((s for s in sources if s != source), _Source("", ""))
                self._add(
                    name.name, "join", "eq", source, other=(other.table, name.name), opposite=other.mark
                )  # fmt: skip

    # -- orders ----------------------------------------------------------------------------------------------------

    def _order(self, order: Tree | None, role: Role, shown: Sequence[Tree] = ()) -> None:
        """``shown``: what the select gives, which its order may name by position or by another name."""
        for item in order.expressions if order is not None else ():
            inner = _meant(item.this, shown)
            if HOLE in inner.sql() or inner.find(*node_types("AggFunc", "Window")) is not None:
                continue  # what is computed of several rows can be sorted by no index
            more: dict[str, Any] = {"descending": bool(item.args.get("desc")), "nulls": nulls_of(item)}
            if inner.key == "collate":
                more["collation"] = inner.expression.name
                inner = inner.this
            if inner.key == "column":
                self._add(inner.name, role, "eq", self._source(inner), **more)
            elif (column := only_column(inner)) is not None:
                more["expression"] = normal_node(inner)
                self._add(column.name, role, "function", self._source(column), **more)

    def _together(self, node: Tree) -> None:
        """The columns by which rows are wanted together: GROUP BY, DISTINCT, the partitions of windows."""
        group, distinct = node.args.get("group"), node.args.get("distinct")
        wanted = list(group.expressions) if group is not None else []
        wanted += node.expressions if distinct is not None and distinct.args.get("on") is None else []
        for column in wanted:
            if column.key == "column":
                self._add(column.name, "group", "eq", self._source(column))
        for window in (part for part in node.expressions if part.key == "window"):
            for column in window.args.get("partition_by") or ():
                if column.key == "column":
                    self._add(column.name, "group", "eq", self._source(column))
            self._order(window.args.get("order"), "group")

    # -- conditions ------------------------------------------------------------------------------------------------

    def _add(self, column: str, role: Role, form: Form, source: _Source | None, **more: Any) -> None:
        if source is not None:
            scope = len(self._scopes) - 1
            self._uses.append(
                Use(column=column, role=role, form=form, table=source.table, source=source.mark, scope=scope, **more)
            )

    def _source(self, column: Tree) -> _Source | None:
        """What a column belongs to, without a table if it could be any of the scope's; None for a derived table's."""
        qualifier = str(column.args["table"].name) if column.args.get("table") is not None else ""
        names = self._names[-1]
        if qualifier:
            found = names.get(qualifier)
            return found if found is not None and found.table else None
        own = self._scopes[-1].tables
        mine = [source for source in names.values() if source.mark.startswith(f"{len(self._scopes) - 1}.")]
        if len(own) == 1:
            return mine[0] if mine and mine[0].table else None
        return _Source("", "")

    def _condition(self, node: Tree, role: Role, branch: tuple[int, int]) -> None:
        if node.key == "paren":
            self._condition(node.this, role, branch)
        elif node.key == "and":
            self._condition(node.this, role, branch)
            self._condition(node.expression, role, branch)
        elif node.key == "or":
            self._alternatives(node, role, branch)
        else:
            self._predicate(node, branch)

    def _alternatives(self, node: Tree, role: Role, branch: tuple[int, int]) -> None:
        if branch == (0, 0):
            self._ors += 1
            branch = (self._ors, 0)
        for number, part in enumerate(_flattened(node)):
            self._condition(part, role, (branch[0], branch[1] * 100 + number + 1))

    def _predicate(self, node: Tree, branch: tuple[int, int]) -> None:
        if node.key == "eq" and (pair := _two_columns(node)) is not None:
            self._equal_columns(node, pair, branch)
            return
        written = normal_node(node)
        for asked in predicate(node):
            if asked.column.name != HOLE:
                self._add_asked(asked, branch, written)

    def _add_asked(self, asked: Asked, branch: tuple[int, int], written: str) -> None:
        more: dict[str, Any] = {"branch": branch, "text": written, "expression": asked.expression, "by": asked.by}
        more |= {"operator": asked.operator, "operand": asked.operand, "collation": asked.collation}
        self._add(asked.column.name, "filter", asked.form, self._source(asked.column), **more)

    def _equal_columns(self, node: Tree, pair: tuple[Tree, Tree], branch: tuple[int, int]) -> None:
        sources = [self._source(column) for column in pair]
        sides = (node.this, node.expression)
        same = sources[0] is not None and sources[0] == sources[1] and bool(sources[0].table)
        for mine, other in ((0, 1), (1, 0)):
            wrapped = sides[mine].key != "column"
            form: Form = "other" if same else "function" if wrapped else "eq"
            beyond = sources[other] or _Source("", "")
            self._add(
                pair[mine].name, "join", form, sources[mine], branch=branch,
                other=(beyond.table, str(pair[other].name)), opposite=beyond.mark,
                expression=normal_node(sides[mine]) if wrapped else "",
            )  # fmt: skip


def _two_columns(node: Tree) -> tuple[Tree, Tree] | None:
    sides = [only_column(side) for side in (node.this, node.expression)]
    if sides[0] is None or sides[1] is None or HOLE in (sides[0].name, sides[1].name):
        return None
    return sides[0], sides[1]


def _extremes(node: Tree) -> list[Tree]:
    """The columns of which a query wants only the least or greatest value."""
    parts = [part.this if part.key == "alias" else part for part in node.expressions] if node.key == "select" else []
    single = len(parts) == 1 and parts[0].key in ("min", "max") and node.args.get("group") is None
    return [parts[0].this] if single and parts[0].this.key == "column" else []


def _flattened(node: Tree) -> Iterator[Tree]:
    for part in (node.this, node.expression):
        inner = part
        while inner.key == "paren":
            inner = inner.this
        if inner.key == "or":
            yield from _flattened(inner)
        else:
            yield inner
