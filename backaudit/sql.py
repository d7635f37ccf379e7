"""SQL text as records: the tables and indexes that it defines, and what a statement asks of which columns.

The only home of sqlglot, which is imported at the first text that looks like SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import msgspec

from backaudit.facts.place import Place

# A node of sqlglot's tree, whose children are untyped in any case.
Tree: TypeAlias = Any

Role = Literal["filter", "join", "sort"]
# How a predicate treats its column. ``like``: a pattern that may begin with a wildcard, or ignores case; ``function``:
# the column is wrapped; ``not``: negated; ``other``: a form that no index serves (arithmetic, two columns of one row).
Form = Literal["eq", "in", "range", "null", "bool", "prefix", "like", "function", "json", "not", "other"]

HOLE = "__hole__"
MAX_TEXT = 60_000

_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*(select|with|update|delete|insert)\b", re.I | re.S)
_DDL = re.compile(r"^[ \t]*(?:create\s+(?:\w+\s+)*?(?:table|index)|alter\s+table)\b", re.I | re.M)
# What is in normal form but for its case: most of what ORMs say, and no work for a parser.
_PLAIN = re.compile(r"(lower|upper)\([a-z]\w*\)|[a-z]\w* (= ('[^'\\]*'|\d+|true|false)|is (not )?null)", re.I)
_BATCH_END = re.compile(r"\n\s*(go|/)\s*$", re.I)
_MYSQL = re.compile(r"`|\bauto_increment\b|\bengine\s*=|[,(]\s*(unique\s+|fulltext\s+)?(key|index)\s+\w+\s*\(", re.I)
_PERCENT = re.compile(r"%\((\w+)\)s|%s|%%")
_DANGLING = re.compile(rf"([\w)'\"?]+|[=<>,(+*/-])\s*{HOLE}(?:\s+{HOLE})*")
_EXPECTING = frozenset(
    ("by", "from", "where", "and", "or", "on", "in", "limit", "offset", "set", "join", "select", "not", "like", "is")
) | frozenset("=<>,(+-*/")
_PATTERN_OPS = re.compile(r"(text|varchar|bpchar)_pattern_ops")


_IDENTIFIER = r"(?:[\w\"`]+\.)?(?P<{}>[\w\"`]+)"
_ALTERED = re.compile(r"\balter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?" + _IDENTIFIER.format("table"), re.I)
_NO_NAMES = frozenset({"constraint", "column", "if", "default", "not", "to", "index", "primary", "foreign"})
_OPTIONAL = r"(?:if\s+exists\s+)?"
_CHANGES: tuple[tuple[Any, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        ("drop-table", rf"\bdrop\s+table\s+{_OPTIONAL}" + _IDENTIFIER.format("table")),
        ("drop-index", rf"\bdrop\s+index\s+(?:concurrently\s+)?{_OPTIONAL}" + _IDENTIFIER.format("name")),
        ("rename-table", r"\brename\s+to\s+" + _IDENTIFIER.format("to")),
        ("rename-column", r"\brename\s+(?:column\s+)?(?P<name>[\w\"`]+)\s+to\s+(?P<to>[\w\"`]+)"),
        ("drop-constraint", rf"\bdrop\s+constraint\s+{_OPTIONAL}(?P<name>[\w\"`]+)"),
        ("drop-column", rf"\bdrop\s+(?:column\s+)?{_OPTIONAL}(?P<name>[\w\"`]+)"),
        ("set-not-null", r"\balter\s+(?:column\s+)?(?P<name>[\w\"`]+)\s+set\s+not\s+null"),
        ("drop-not-null", r"\balter\s+(?:column\s+)?(?P<name>[\w\"`]+)\s+drop\s+not\s+null"),
    )
)
_ENUM = re.compile(r"\bcreate\s+type\s+" + _IDENTIFIER.format("name") + r"\s+as\s+enum", re.I)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``attribute``: its name in the model, if there is one. ``references``: ``table.column`` or ``table``.

    ``few``: it can hold few different values only (boolean, enumeration, choices). ``default``: there is one, in code
    or in the database; ``server_default``: it is the database's.
    """

    name: str
    attribute: str = ""
    type: str = ""
    nullable: bool = True
    unique: bool = False
    primary_key: bool = False
    length: int | None = None
    default: bool = False
    server_default: bool = False
    references: str = ""
    few: bool = False


class Key(msgspec.Struct, frozen=True):
    """One key of an index: a column's name, or an expression in normal form (lower case, no table names)."""

    text: str
    expression: bool = False
    descending: bool = False
    opclass: str = ""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """An index, unique constraint or primary key. ``where``: its predicate if it is partial, in normal form.

    ``place``: where it is declared; None if the framework makes it by itself.
    """

    keys: tuple[Key, ...]
    name: str = ""
    unique: bool = False
    primary: bool = False
    where: str = ""
    method: str = "btree"
    place: Place | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(key.text for key in self.keys)


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What one statement adds to a table. ``created``: it is the table's own CREATE; ``line``: 1-based, in the text."""

    table: str
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    created: bool = False
    line: int = 1


ChangeKind = Literal[
    "drop-table", "rename-table", "drop-column", "rename-column", "drop-index", "drop-constraint", "set-not-null",
    "drop-not-null",
]  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """What one statement takes away or renames. ``name``: a column's, index's or constraint's; ``to``: the new one."""

    kind: ChangeKind
    table: str = ""
    name: str = ""
    to: str = ""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement asks of a column.

    ``table``: the real table, empty if the column stands alone among several tables of its scope.
    ``expression``: for ``function``, the wrapped form. ``branch``: (OR, alternative), (0, 0) outside of any OR.
    ``other``: the column at the other side of a join, as (table, column).
    """

    column: str
    role: Role
    form: Form = "eq"
    table: str = ""
    expression: str = ""
    scope: int = 0
    branch: tuple[int, int] = (0, 0)
    other: tuple[str, str] = ("", "")
    descending: bool = False
    text: str = ""


class Scope(msgspec.Struct, frozen=True):
    """One SELECT, UPDATE or DELETE of a statement: the real tables that it reads, whether it stops early."""

    tables: tuple[str, ...]
    limited: bool = False
    verb: str = "select"


class Statement(msgspec.Struct, frozen=True):
    """A query. ``whole``: nothing of its text was unknown."""

    uses: tuple[Use, ...]
    scopes: tuple[Scope, ...]
    whole: bool = True


def looks_like_query(text: str) -> bool:
    """Whether a text begins as a query does."""
    return _QUERY.match(text) is not None


def looks_like_definition(text: str) -> bool:
    """Whether a text defines a table or an index somewhere."""
    return bool(re.search(r"\b(create\s+(\w+\s+)*?(table|index)|alter\s+table)\b", text, re.I))


@cache
def _parse() -> Any:
    """sqlglot's parser of one statement, silent about what it does not support."""
    import logging

    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    return sqlglot.parse_one


def parsed(text: str) -> Tree | None:
    """One statement parsed in the first dialect that reads it; None if none does."""
    from sqlglot.errors import SqlglotError

    own = ("mysql", "postgres") if _MYSQL.search(text) else ("postgres", "mysql")
    for dialect in (*own, "sqlite", "tsql"):
        try:
            found: Tree = _parse()(text, dialect=dialect)
        except (SqlglotError, RecursionError, ValueError):
            continue
        if found.key != "command":
            return found
    return None


def normal(text: str) -> str:
    """A predicate or expression in the form in which two are compared; tidied text if it cannot be read."""
    if _PLAIN.fullmatch(text):
        return text.lower()
    tree = parsed("SELECT " + text)
    return _normal(tree.expressions[0]) if tree is not None and tree.expressions else " ".join(text.lower().split())


def _normal(node: Tree) -> str:
    copy = node.copy()
    for column in copy.find_all(*node_types("Column")):
        column.set("table", None)
        column.this.set("quoted", False)
    while copy.key == "paren":
        copy = copy.this
    return str(copy.sql(dialect="postgres", normalize=True)).lower()


def node_types(*names: str) -> tuple[type, ...]:
    """sqlglot's classes of some names, for searches in a tree."""
    from sqlglot import exp

    return tuple(getattr(exp, name) for name in names)


# -- definitions -----------------------------------------------------------------------------------------------------


def definitions(text: str) -> tuple[Definition, ...]:
    """What a script of SQL defines, statement by statement; what cannot be parsed is passed over."""
    found: list[Definition] = []
    for line, statement in _statements(text):
        for start, part in _openings(statement):
            found += _definition(part, line + start)
    enums = {match.group("name").strip('"').lower() for match in _ENUM.finditer(text)}
    return tuple(_with_enums(definition, enums) for definition in found) if enums else tuple(found)


def _with_enums(definition: Definition, enums: set[str]) -> Definition:
    columns = tuple(
        msgspec.structs.replace(column, type="enum", few=True) if column.type in enums else column
        for column in definition.columns
    )
    return msgspec.structs.replace(definition, columns=columns)


def changes(text: str) -> Iterator[Definition | Change]:
    """What a script defines, takes away and renames, in its order."""
    for _, statement in _statements(text):
        made = [change for kind, pattern in _CHANGES for change in _matches(kind, pattern, statement)]
        yield from made
        yield from definitions(statement) if looks_like_definition(statement) else ()


def _matches(kind: ChangeKind, pattern: re.Pattern[str], statement: str) -> Iterator[Change]:
    table = _ALTERED.search(statement)
    for match in pattern.finditer(statement):
        parts = {key: value.strip('"`') for key, value in match.groupdict().items() if value}
        name = parts.get("name", "")
        if kind in ("drop-index", "drop-table") or (table is not None and name.lower() not in _NO_NAMES):
            owner = parts.get("table", table.group("table").strip('"`') if table is not None else "")
            yield Change(kind, owner, name, parts.get("to", ""))


def _openings(statement: str) -> Iterator[tuple[int, str]]:
    """(lines before, definition) in what stands between two semicolons: forgotten ones abound."""
    starts = [match.start() for match in _DDL.finditer(statement)]
    for start, end in zip(starts, [*starts[1:], len(statement)], strict=False):
        if end - start <= MAX_TEXT:
            yield statement.count("\n", 0, start), _BATCH_END.sub("", statement[start:end])


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, statement): split at semicolons outside quotes, comments and dollar quotes."""
    start = line = at = 0
    # MySQL's dumps write a quotation mark in a text as ``\\'``; for others the backslash is a character like any.
    quoted = r"'(?:[^'\\]|''|\\.)*'" if _MYSQL.search(text) else r"'(?:[^']|'')*'"
    for token in re.finditer(quoted + r"|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|;", text, re.S):
        if token.group() == ";":
            yield line + 1, text[start : token.start()]
            line += text.count("\n", at, token.end())
            at = start = token.end()
    if text[start:].strip():
        yield line + 1, text[start:]


def _definition(statement: str, line: int) -> Iterator[Definition]:
    tree = parsed(statement)
    if tree is None:
        return
    if tree.key == "create" and tree.args.get("kind") == "TABLE":
        yield from _create_table(tree, line)
    elif tree.key == "create" and tree.args.get("kind") == "INDEX":
        yield from _create_index(tree, line)
    elif tree.key == "alter":
        yield from _alter(tree, line)


def _create_table(tree: Tree, line: int) -> Iterator[Definition]:
    schema = tree.this
    if schema.key == "schema":
        yield _parts(schema.this.name, schema.expressions, line, created=True)


def _create_index(tree: Tree, line: int) -> Iterator[Definition]:
    index = tree.this
    table, params = index.args.get("table"), index.args.get("params")
    if table is None or params is None:
        return
    where = params.args.get("where")
    using = params.args.get("using")
    made = Index(
        keys=tuple(_key(item) for item in params.args.get("columns") or ()),
        name=index.name,
        unique=bool(tree.args.get("unique")),
        where=_normal(where.this) if where is not None else "",
        method=using.name.lower() if using is not None else "btree",
    )
    yield Definition(table=table.name, indexes=(made,), line=line)


def _alter(tree: Tree, line: int) -> Iterator[Definition]:
    parts: list[Tree] = []
    for action in tree.args.get("actions") or ():
        parts += action.expressions if action.key == "addconstraint" else [action]
    yield _parts(tree.this.name, parts, line, created=False)


def _parts(table: str, parts: Sequence[Tree], line: int, created: bool) -> Definition:
    columns: list[Column] = []
    indexes: list[Index] = []
    references: list[tuple[str, str]] = []
    for part in parts:
        if part.key == "columndef":
            columns.append(_column(part))
            indexes += _own_indexes(columns[-1])
            continue
        for inner in part.expressions if part.key == "constraint" else (part,):
            references += _references(inner)
            index = _constraint(inner)
            name = part.this.name if part.key == "constraint" and part.this is not None else ""
            indexes += [msgspec.structs.replace(index, name=index.name or name)] if index is not None else []
    return Definition(
        table=table,
        columns=tuple(columns),
        indexes=tuple(indexes),
        references=tuple(references),
        created=created,
        line=line,
    )


def _own_indexes(column: Column) -> Iterator[Index]:
    if column.primary_key or column.unique:
        yield Index(keys=(Key(column.name),), unique=True, primary=column.primary_key)


def _column(part: Tree) -> Column:
    kinds = {
        c.args["kind"].key: c.args["kind"] for c in part.args.get("constraints") or () if c.args.get("kind") is not None
    }
    type_ = part.args.get("kind")
    spelled = str(type_.sql(dialect="postgres")).lower() if type_ is not None else ""
    reference = kinds.get("reference")
    primary = "primarykeycolumnconstraint" in kinds
    return Column(
        name=part.name,
        type=spelled,
        nullable=not primary and "notnullcolumnconstraint" not in kinds,
        unique="uniquecolumnconstraint" in kinds,
        primary_key=primary,
        default="defaultcolumnconstraint" in kinds,
        server_default="defaultcolumnconstraint" in kinds,
        references=_target(reference) if reference is not None else "",
        few=spelled.startswith(("bool", "enum", "bit")),
        length=_length(spelled),
    )


def _length(spelled: str) -> int | None:
    found = re.search(r"char\w*\((\d+)\)", spelled)
    return int(found.group(1)) if found else None


def _target(reference: Tree) -> str:
    schema = reference.this
    if schema.key != "schema":
        return str(schema.name)
    return f"{schema.this.name}.{schema.expressions[0].name}" if schema.expressions else str(schema.this.name)


def _references(part: Tree) -> Iterator[tuple[str, str]]:
    if part.key == "foreignkey" and part.args.get("reference") is not None and len(part.expressions) == 1:
        yield part.expressions[0].name, _target(part.args["reference"])


def _constraint(part: Tree) -> Index | None:
    if part.key == "primarykey":
        return Index(keys=tuple(_key(item) for item in part.expressions), unique=True, primary=True)
    if part.key == "uniquecolumnconstraint" and part.this is not None:
        items = part.this.expressions if part.this.key == "schema" else [part.this]
        return Index(keys=tuple(_key(item) for item in items), unique=True)
    if part.key == "indexcolumnconstraint":
        kind = str(part.args.get("kind") or "").lower()
        method = "gin" if kind in ("fulltext", "spatial") else "btree"
        return Index(keys=tuple(_key(item) for item in part.expressions), method=method)
    return None


def _key(item: Tree) -> Key:
    descending = bool(item.args.get("desc")) if item.key == "ordered" else False
    inner = item.this if item.key == "ordered" else item
    opclass = ""
    if inner.key == "opclass":
        opclass, inner = inner.args["expression"].name, inner.this
    while inner.key == "paren":
        inner = inner.this
    if inner.key in ("column", "identifier"):
        return Key(inner.name, False, descending, opclass)
    return Key(_normal(inner), True, descending, opclass)


# -- queries ---------------------------------------------------------------------------------------------------------


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
                self._add(column.name, "sort", "function", self._table(column), expression=_normal(inner))

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
            more = {"branch": branch, "expression": expression, "text": _normal(node)}
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
                expression=_normal((node.this, node.expression)[mine]) if wrapped else "",
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
        return ("json" if bare.key.startswith("json") else "function"), column, _normal(bare)

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


def pattern_form(pattern: str | None) -> Form:
    """The form of ``column LIKE pattern``; an unknown pattern may begin with a wildcard."""
    if pattern is None:
        return "like"
    if not re.search(r"[%_]", pattern):
        return "eq"
    return "like" if pattern[0] in "%_" and not pattern.startswith(HOLE) else "prefix"


def is_pattern_class(opclass: str) -> bool:
    """Whether an operator class serves LIKE with a fixed beginning (and no ``<`` or ``>``)."""
    return _PATTERN_OPS.fullmatch(opclass) is not None
