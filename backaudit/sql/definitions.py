"""What a script of SQL defines, takes away and renames."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from backaudit.sql.parsing import MYSQL, Tree, looks_like_definition, node_types, normal_node, nulls_of, parsed
from backaudit.sql.records import MAX_TEXT, Change, ChangeKind, Column, Definition, Index, Key

_DDL = re.compile(r"^[ \t]*(?:create\s+(?:\w+\s+)*?(?:table|index)|alter\s+table)\b", re.I | re.M)
_BATCH_END = re.compile(r"\n\s*(go|/)\s*$", re.I)
# What SQLite and SQL Server add that no dialect of the parser reads, and that changes neither columns nor indexes.
_UNREAD = re.compile(
    r"\bon\s+conflict\s+(?:rollback|abort|fail|ignore|replace)\b"
    r"|(?<=\))(?:\s*,?\s*\b(?:without\s+rowid|strict)\b)+(?=\s*$)"
    r"|\b(?:non)?clustered\b(?=\s+index\b)|(?<=\bprimary key )(?:non)?clustered\b",
    re.I,
)
_IDENTIFIER = r"(?:(?P<schema>[\w\"`]+)\.)?(?P<{}>[\w\"`]+)"
# The schemas in which a bare name is looked for.
_USUAL = frozenset({"public", "dbo"})
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
# An index that was not finished: the planner passes it over.
_INVALID = re.compile(
    r"\bupdate\s+(?:pg_catalog\.)?pg_index\s+set\s+indisvalid\s*=\s*false\s+where\s+indexrelid\s*=\s*'"
    + _IDENTIFIER.format("name")
    + "'",
    re.I,
)
_ENUM = re.compile(r"\bcreate\s+type\s+" + _IDENTIFIER.format("name") + r"\s+as\s+enum", re.I)


def definitions(text: str) -> tuple[Definition, ...]:
    """What a script of SQL defines, statement by statement; what cannot be parsed is passed over."""
    found: list[Definition] = []
    for line, statement in _statements(text):
        for start, part in _openings(statement):
            found += _definition(part, line + start)
    enums = _names(_ENUM, text)
    invalid = _names(_INVALID, text)
    kept = (definition for definition in found if not _made_by(definition) & invalid)
    return tuple(_with_enums(definition, enums) if enums else definition for definition in kept)


def _names(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(match.group("name").strip('"').lower() for match in pattern.finditer(text))


def _made_by(definition: Definition) -> frozenset[str]:
    """The names of the indexes that a statement makes, and nothing else."""
    return frozenset() if definition.columns else frozenset(index.name.lower() for index in definition.indexes)


def too_long(text: str) -> Iterator[int]:
    """The lines where definitions begin that are longer than what is parsed."""
    for line, statement in _statements(text) if len(text) > MAX_TEXT else ():
        for before, start, end in _spans(statement):
            if end - start > MAX_TEXT:
                yield line + before


def _with_enums(definition: Definition, enums: frozenset[str]) -> Definition:
    columns = tuple(
        msgspec.structs.replace(column, type="enum", few=True) if column.type in enums else column
        for column in definition.columns
    )
    return msgspec.structs.replace(definition, columns=columns)


def changes(text: str) -> Iterator[Definition | Change]:
    """What a script defines, takes away and renames, in its order."""
    for line, statement in _statements(text):
        made = [change for kind, pattern in _CHANGES for change in _matches(kind, pattern, statement)]
        yield from made
        for found in definitions(statement) if looks_like_definition(statement) else ():
            yield msgspec.structs.replace(found, line=found.line + line - 1)


def _matches(kind: ChangeKind, pattern: re.Pattern[str], statement: str) -> Iterator[Change]:
    table = _ALTERED.search(statement)
    for match in pattern.finditer(statement):
        parts = {key: value.strip('"`') for key, value in match.groupdict().items() if value}
        schema = (parts.get("schema") if kind == "drop-table" or table is None else table.group("schema")) or ""
        name = parts.get("name", "")
        if kind in ("drop-index", "drop-table") or (table is not None and name.lower() not in _NO_NAMES):
            owner = parts.get("table", table.group("table").strip('"`') if table is not None else "")
            yield Change(kind, owner, name, parts.get("to", ""), _unless_usual(schema.strip('"`')))


def _unless_usual(schema: str) -> str:
    return "" if schema.lower() in _USUAL else schema


def _schema(table: Tree) -> str:
    """The schema that a table is said to be in."""
    named = table.args.get("db")
    return _unless_usual(str(named.name)) if named is not None else ""


def _openings(statement: str) -> Iterator[tuple[int, str]]:
    """(lines before, definition) in what stands between two semicolons: forgotten ones abound."""
    for before, start, end in _spans(statement):
        if end - start <= MAX_TEXT:
            yield before, _UNREAD.sub("", _BATCH_END.sub("", statement[start:end]))


def _spans(statement: str) -> Iterator[tuple[int, int, int]]:
    """(lines before, start, end) of each definition."""
    starts = [match.start() for match in _DDL.finditer(statement)]
    for start, end in zip(starts, [*starts[1:], len(statement)], strict=False):
        yield statement.count("\n", 0, start), start, end


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, statement): split at semicolons outside quotes, comments and dollar quotes."""
    start = line = at = 0
    # MySQL's dumps write a quotation mark in a text as ``\\'``; for others the backslash is a character like any.
    quoted = r"'(?:[^'\\]|''|\\.)*'" if MYSQL.search(text) else r"'(?:[^']|'')*'"
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
        made = _parts(schema.this, schema.expressions, line, created=True)
        properties = tree.args.get("properties")
        by = properties.find(*node_types("PartitionedByProperty")) if properties is not None else None
        columns = by.find_all(*node_types("Column", "Identifier")) if by is not None else ()
        yield msgspec.structs.replace(made, partitioned=tuple(dict.fromkeys(column.name for column in columns)))


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
        where=normal_node(where.this) if where is not None else "",
        method=using.name.lower() if using is not None else "btree",
    )
    yield Definition(table=table.name, schema=_schema(table), indexes=(made,), line=line)


def _alter(tree: Tree, line: int) -> Iterator[Definition]:
    parts: list[Tree] = []
    for action in tree.args.get("actions") or ():
        parts += action.expressions if action.key == "addconstraint" else [action]
    yield _parts(tree.this, parts, line, created=False)


def _parts(table: Tree, parts: Sequence[Tree], line: int, created: bool) -> Definition:
    columns: list[Column] = []
    indexes: list[Index] = []
    references: list[tuple[str, str]] = []
    on_delete: list[tuple[str, str]] = []
    for part in parts:
        if part.key == "columndef":
            columns.append(_column(part))
            indexes += _own_indexes(columns[-1])
            continue
        for inner in part.expressions if part.key == "constraint" else (part,):
            references += _references(inner)
            on_delete += [(name, _on_delete(inner)) for name, _ in _references(inner)]
            index = _constraint(inner)
            name = part.this.name if part.key == "constraint" and part.this is not None else ""
            indexes += [msgspec.structs.replace(index, name=index.name or name)] if index is not None else []
    return Definition(
        table=table.name,
        schema=_schema(table),
        columns=tuple(columns),
        indexes=tuple(indexes),
        references=tuple(references),
        on_delete=tuple(on_delete),
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
        nullable=not primary and not _is_never_null(kinds.get("notnullcolumnconstraint")),
        unique="uniquecolumnconstraint" in kinds,
        primary_key=primary,
        default="defaultcolumnconstraint" in kinds,
        server_default="defaultcolumnconstraint" in kinds,
        references=_target(reference) if reference is not None else "",
        on_delete=_on_delete(reference) if reference is not None else "",
        few=spelled.startswith(("bool", "enum", "bit")),
        collation=kinds["collatecolumnconstraint"].this.name if "collatecolumnconstraint" in kinds else "",
        length=_length(spelled),
    )


def _is_never_null(constraint: Tree | None) -> bool:
    """Whether a column is ``NOT NULL``, and not ``NULL`` in so many words."""
    return constraint is not None and not constraint.args.get("allow_null")


def _length(spelled: str) -> int | None:
    found = re.search(r"char\w*\((\d+)\)", spelled)
    return int(found.group(1)) if found else None


def _target(reference: Tree) -> str:
    schema = reference.this
    if schema.key != "schema":
        return str(schema.name)
    return f"{schema.this.name}.{schema.expressions[0].name}" if schema.expressions else str(schema.this.name)


def _on_delete(key: Tree) -> str:
    """What a foreign key says of the deletion of the row that it refers to."""
    reference = key.args.get("reference") or key
    said = str(key.args.get("delete") or " ".join(map(str, reference.args.get("options") or ())))
    found = re.search(r"(?:on delete )?\b(cascade|set null|set default|restrict|no action)\b", said, re.I)
    return found[1].upper() if found is not None else ""


def _references(part: Tree) -> Iterator[tuple[str, str]]:
    if part.key == "foreignkey" and part.args.get("reference") is not None and len(part.expressions) == 1:
        yield part.expressions[0].name, _target(part.args["reference"])


def _constraint(part: Tree) -> Index | None:
    if part.key == "primarykey":
        return Index(keys=tuple(map(_key, part.expressions)), unique=True, primary=True)
    if part.key == "uniquecolumnconstraint" and part.this is not None:
        return Index(keys=tuple(map(_key, _listed(part.this))), unique=True)
    if part.key == "excludecolumnconstraint":
        return _exclusion(part.this)
    if part.key == "indexcolumnconstraint":
        kind = str(part.args.get("kind") or "").lower()
        method = "gin" if kind in ("fulltext", "spatial") else "btree"
        return Index(keys=tuple(map(_key, part.expressions)), method=method)
    return None


def _listed(columns: Tree) -> Sequence[Tree]:
    """The columns of a constraint, one or in a list; SQL Server says in front how their index is kept."""
    if columns.key in ("clusteredcolumnconstraint", "nonclusteredcolumnconstraint"):
        return tuple(columns.this)
    return tuple(columns.expressions) if columns.key == "schema" else (columns,)


def _exclusion(params: Tree) -> Index:
    where, using = params.args.get("where"), params.args.get("using")
    return Index(
        keys=tuple(_key(item) for item in params.args.get("columns") or ()),
        where=normal_node(where.this) if where is not None else "",
        method=using.name.lower() if using is not None else "gist",
    )


def _key(item: Tree) -> Key:
    if item.key == "withoperator":
        item = item.this
    descending = bool(item.args.get("desc")) if item.key == "ordered" else False
    nulls = nulls_of(item) if item.key == "ordered" else ""
    inner = item.this if item.key == "ordered" else item
    opclass = collation = ""
    if inner.key == "opclass":
        opclass, inner = inner.args["expression"].name, inner.this
    while inner.key in ("paren", "collate"):
        collation = inner.expression.name if inner.key == "collate" else collation
        inner = inner.this
    if inner.key in ("column", "identifier"):
        return Key(inner.name, False, descending, opclass, nulls, collation)
    return Key(normal_node(inner), True, descending, opclass, nulls, collation)
