"""What SQL says, as records: definitions of tables and indexes, and what a statement asks of which columns."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from backaudit.facts.place import Place

# ``group``: rows are wanted together, whatever the order (GROUP BY, DISTINCT, windows).
Role = Literal["filter", "join", "sort", "group"]
# How a predicate treats its column. ``like``: a pattern that may begin with a wildcard, or ignores case; ``function``:
# the column is wrapped; ``operator``: containment, overlap, full text, distance; ``not``: negated; ``other``: a form
# that no index serves (arithmetic, two columns of one row).
Form = Literal["eq", "in", "range", "null", "bool", "prefix", "like", "function", "json", "operator", "not", "other"]

# What stands for a part of a text that is not known.
HOLE = "__hole__"
# Characters of one statement; the parser takes a second for so many.
MAX_TEXT = 60_000
BEYOND = f"since it is longer than {MAX_TEXT:,} characters"

_PATTERN_OPS = re.compile(r"(text|varchar|bpchar)_pattern_ops")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``attribute``: its name in the model, if there is one. ``references``: ``table.column`` or ``table``.

    ``few``: it can hold few different values only (boolean, enumeration, choices). ``default``: there is one, in code
    or in the database; ``server_default``: it is the database's. ``on_delete``: what becomes of the row when the one it
    refers to is deleted, in SQL's words; empty where nobody says so.
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
    on_delete: str = ""
    few: bool = False
    collation: str = ""


class Key(msgspec.Struct, frozen=True):
    """One key of an index: a column's name, or an expression in normal form (lower case, no table names).

    ``nulls``: ``first`` or ``last`` if they stand elsewhere than the direction says (last, and first if descending).
    """

    text: str
    expression: bool = False
    descending: bool = False
    opclass: str = ""
    nulls: str = ""
    collation: str = ""


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
    """What one statement adds to a table. ``created``: it is the table's own CREATE; ``line``: 1-based, in the text.

    ``partitioned``: the columns by which the table is cut into parts. ``on_delete``: (column, what becomes of its row
    when the one it refers to is deleted). ``schema``: in which of PostgreSQL's schemas (or MySQL's databases) it is
    said to be, empty for the one that is looked in first.
    """

    table: str
    schema: str = ""
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    on_delete: tuple[tuple[str, str], ...] = ()
    created: bool = False
    line: int = 1
    partitioned: tuple[str, ...] = ()


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
    schema: str = ""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement asks of a column.

    ``table``: the real table, empty if the column stands alone among several tables of its scope.
    ``expression``: for ``function`` and ``json``, what is compared; ``by``: the form in which it is.
    ``branch``: (OR, alternative), (0, 0) outside of any OR. ``other``: the column at the other side of a join, as
    (table, column). ``operator``: for ``operator``. ``operand``: the type that the other side is given.
    ``source``: which of a table's appearances is meant, where a query names it more than once; ``opposite``: the same
    of ``other``. ``nulls``, ``collation``: as :class:`Key` says them. ``place``: where the condition stands, if not in
    the query itself. ``when``: the branch of the code in which it is added, 0 if it always is.
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
    by: Form = "eq"
    operator: str = ""
    operand: str = ""
    source: str = ""
    opposite: str = ""
    nulls: str = ""
    collation: str = ""
    place: Place | None = None
    when: int = 0

    @property
    def rows(self) -> tuple[str, str]:
        """The rows that are meant: a table, in one of its appearances."""
        return self.table.lower(), self.source


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
