"""The only door to sqlglot, which is imported at the first text that looks like SQL."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeAlias

# A node of sqlglot's tree, whose children are untyped in any case.
Tree: TypeAlias = Any

_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*(select|with|update|delete|insert)\b", re.I | re.S)
# What is in normal form but for its case: most of what ORMs say, and no work for a parser.
# As sqlglot wrote it until 30.20.
_NOT_NULL = re.compile(r"\bnot (\w+) is null\b")
_PLAIN = re.compile(r"(lower|upper)\([a-z]\w*\)|[a-z]\w* (= ('[^'\\]*'|\d+|true|false)|is (not )?null)", re.I)
# What only MySQL writes.
MYSQL = re.compile(r"`|\bauto_increment\b|\bengine\s*=|[,(]\s*(unique\s+|fulltext\s+)?(key|index)\s+\w+\s*\(", re.I)
# What only SQL Server writes; other dialects read it, too, and leave half of it out.
_TSQL = re.compile(r"\b(?:non)?clustered\b|\bidentity\s*\(\s*\d", re.I)
_VIEW = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:recursive\s+)?view\s+(?:if\s+not\s+exists\s+)?([\w.\"`]+)",
    re.IGNORECASE,
)


def looks_like_query(text: str) -> bool:
    """Whether a text begins as a query does."""
    return _QUERY.match(text) is not None


def looks_like_definition(text: str) -> bool:
    """Whether a text defines a table or an index somewhere."""
    return bool(re.search(r"\b(create\s+(\w+\s+)*?(table|index)|alter\s+table)\b", text, re.I))


def view_names(text: str) -> list[str]:
    """The views that a text defines, by their bare names; not the materialized ones, which may have indexes."""
    return [name.rpartition(".")[2].strip('"`') for name in _VIEW.findall(text)]


def looks_like_change(text: str) -> bool:
    """Whether a text defines a table or an index somewhere, or takes one away."""
    return looks_like_definition(text) or bool(re.search(r"\bdrop\s+(?:table|index)\b", text, re.I))


def forward_part(text: str) -> str:
    """A migration in SQL without the part that takes it back, as the usual tools mark that."""
    down = r"^--\s*(?:\+goose\s+down|\+migrate\s+down|migrate:down|!downs|//@undo|rollback\b).*$"
    return re.split(down, text, maxsplit=1, flags=re.I | re.M)[0]


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

    own = ("mysql", "postgres") if MYSQL.search(text) else ("postgres", "mysql")
    first = ("tsql",) if _TSQL.search(text) else ()
    for dialect in (*first, *own, "sqlite", "tsql"):
        try:
            found: Tree = _parse()(text, dialect=dialect)
        except (SqlglotError, RecursionError, ValueError):
            continue
        if found.key != "command":
            return found if dialect == "postgres" else _with_usual_nulls(found)
    return None


def _with_usual_nulls(tree: Tree) -> Tree:
    """The tree of another dialect: where its nulls stand in an order is no matter of its indexes."""
    for ordered in tree.find_all(*node_types("Ordered")):
        ordered.set("nulls_first", bool(ordered.args.get("desc")))
    return tree


def normal(text: str) -> str:
    """A predicate or expression in the form in which two are compared; tidied text if it cannot be read."""
    if _PLAIN.fullmatch(text):
        return text.lower()
    tree = parsed("SELECT " + text)
    return normal_node(tree.expressions[0]) if tree is not None and tree.expressions else " ".join(text.lower().split())


def normal_node(node: Tree) -> str:
    """A node in the form in which two are compared."""
    copy = node.copy()
    for column in copy.find_all(*node_types("Column")):
        column.set("table", None)
        column.this.set("quoted", False)
    while copy.key == "paren":
        copy = copy.this
    return _NOT_NULL.sub(r"\1 is not null", str(copy.sql(dialect="postgres", normalize=True)).lower())


def node_types(*names: str) -> tuple[type, ...]:
    """sqlglot's classes of some names, for searches in a tree."""
    from sqlglot import exp

    return tuple(getattr(exp, name) for name in names)


def expression_is_sound(text: str) -> bool:
    """Whether a text is one expression over columns and constants: no statement, no call, no sub-select."""
    tree = parsed("SELECT " + text) if "{" not in text and ";" not in text else None
    if tree is None or tree.key != "select" or len(tree.expressions) != 1:
        return False
    return tree.find(*node_types("Subquery", "Func", "Anonymous", "Into", "From")) is None or not _calls(tree)


def _calls(tree: Tree) -> bool:
    plain = node_types("And", "Or", "Cast", "Case")
    odd = tree.find_all(*node_types("Subquery", "Func", "Anonymous", "Into", "From"))
    return any(not isinstance(node, plain) for node in odd)


def is_single_query(text: str) -> bool:
    """Whether a text is one SELECT and nothing else."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        found = [tree for tree in sqlglot.parse(text, dialect="postgres") if tree is not None]
    except (SqlglotError, RecursionError, ValueError):
        return False
    writes = node_types("Insert", "Update", "Delete", "Into", "Command", "Create", "Drop")
    return len(found) == 1 and found[0].key == "select" and found[0].find(*writes) is None


def nulls_of(ordered: Tree) -> str:
    """Where the nulls of a sort key stand, empty if where its direction puts them."""
    first, descending = bool(ordered.args.get("nulls_first")), bool(ordered.args.get("desc"))
    return "" if first == descending else "first" if first else "last"
