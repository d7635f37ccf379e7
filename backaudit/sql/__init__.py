"""SQL text as records: the tables and indexes that it defines, and what a statement asks of which columns."""

from backaudit.sql.definitions import changes, definitions
from backaudit.sql.parsing import Tree, looks_like_definition, looks_like_query, node_types, normal, parsed
from backaudit.sql.queries import statement
from backaudit.sql.records import (
    HOLE,
    MAX_TEXT,
    Change,
    ChangeKind,
    Column,
    Definition,
    Form,
    Index,
    Key,
    Role,
    Scope,
    Statement,
    Use,
    is_pattern_class,
    pattern_form,
)

__all__ = [
    "HOLE", "MAX_TEXT", "Change", "ChangeKind", "Column", "Definition", "Form", "Index", "Key", "Role", "Scope",
    "Statement", "Tree",
    "Use", "changes", "definitions", "is_pattern_class", "looks_like_definition", "looks_like_query", "node_types",
    "normal", "parsed",
    "pattern_form", "statement",
]  # fmt: skip
