"""SQL text as records: what is defined, what is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit.sql import HOLE, Use, definitions, looks_like_query, normal, pattern_form, statement


def uses(text: str) -> list[Use]:
    parsed = statement(text)
    assert parsed is not None
    return list(parsed.uses)


def asked(text: str) -> list[tuple[str, str, str, str]]:
    return [(use.table, use.column, use.role, use.form) for use in uses(text)]


def test_a_table_is_read_with_its_keys() -> None:
    (found,) = definitions(
        "CREATE TABLE IF NOT EXISTS shop.orders (id BIGSERIAL PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE,"
        " paid BOOLEAN DEFAULT FALSE, owner INT REFERENCES users (id), a INT, b INT, UNIQUE (a, b),"
        " FOREIGN KEY (b) REFERENCES other (key))"
    )
    columns = {column.name: column for column in found.columns}
    assert found.table == "orders"
    assert found.created
    assert (columns["code"].length, columns["code"].unique, columns["code"].nullable) == (20, True, False)
    assert columns["paid"].few
    assert columns["owner"].references == "users.id"
    assert found.references == (("b", "other.key"),)
    assert [(index.columns, index.unique, index.primary) for index in found.indexes] == [
        (("id",), True, True),
        (("code",), True, False),
        (("a", "b"), True, False),
    ]


def test_an_index_is_read_with_all_that_decides_its_use() -> None:
    (found,) = definitions(
        "CREATE UNIQUE INDEX CONCURRENTLY ix ON t USING gin (LOWER(Email), a DESC, c text_pattern_ops) WHERE d IS NULL"
    )
    (index,) = found.indexes
    assert [(key.text, key.expression, key.descending, key.opclass) for key in index.keys] == [
        ("lower(email)", True, False, ""),
        ("a", False, True, ""),
        ("c", False, False, "text_pattern_ops"),
    ]
    assert (index.unique, index.method, index.where) == (True, "gin", "d is null")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX ON t (a)",
        "CREATE TABLE t (id INT, KEY kk (a))",
        "ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE (a)",
        "CREATE TABLE t (id TEXT NOT NULL, a TEXT, UNIQUE (a) ON CONFLICT IGNORE) STRICT, WITHOUT ROWID",
        "CREATE TABLE [dbo].[t] ([id] INT IDENTITY(1,1), [a] CHAR(9), CONSTRAINT [u] UNIQUE NONCLUSTERED ([a] ASC))",
        "CREATE UNIQUE NONCLUSTERED INDEX [u] ON [dbo].[t] ([a] ASC)",
    ],
)
def test_every_spelling_of_an_index_counts(text: str) -> None:
    assert ("a",) in [index.columns for found in definitions(text) for index in found.indexes]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (id TEXT NOT NULL, a TEXT NULL, PRIMARY KEY (id)) WITHOUT ROWID;",
        "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, a TEXT) STRICT;",
        "CREATE TABLE [dbo].[t]([id] [int] NOT NULL, [a] [nvarchar](50) NULL,"
        " CONSTRAINT [p] PRIMARY KEY CLUSTERED ([id] ASC) WITH (PAD_INDEX = OFF) ON [PRIMARY]) ON [PRIMARY]\nGO",
    ],
)
def test_what_only_one_database_writes_hides_no_table(text: str) -> None:
    (found,) = definitions(text)
    assert [(column.name, column.nullable) for column in found.columns] == [("id", False), ("a", True)]
    assert [(index.columns, index.primary) for index in found.indexes] == [(("id",), True)]


def test_a_forgotten_semicolon_and_foreign_commands_do_not_hide_a_table() -> None:
    script = (
        'CREATE EXTENSION "uuid-ossp"\n\nCREATE TABLE a (id INT PRIMARY KEY)\nGO\nCREATE TABLE b (id INT);\n'
        "INSERT INTO a VALUES (';');\nCREATE INDEX ON b (id);"
    )
    assert [(found.table, found.line) for found in definitions(script)] == [("a", 3), ("b", 5), ("b", 7)]


def test_conditions_carry_real_tables_and_forms() -> None:
    found = asked(
        "SELECT * FROM orders o JOIN users u ON u.id = o.user_id WHERE o.code = %s AND lower(u.mail) = %(mail)s"
        " AND o.note LIKE '%%x%%' AND o.paid_at >= ? AND o.state <> 'new' AND u.gone IS NULL AND NOT o.hidden"
        " ORDER BY o.made DESC LIMIT 5"
    )
    assert ("orders", "code", "filter", "eq") in found
    assert ("users", "mail", "filter", "function") in found
    assert ("orders", "note", "filter", "like") in found
    assert ("orders", "paid_at", "filter", "range") in found
    assert ("orders", "state", "filter", "not") in found
    assert ("users", "gone", "filter", "null") in found
    assert ("orders", "hidden", "filter", "bool") in found
    assert {("orders", "user_id", "join", "eq"), ("users", "id", "join", "eq")} <= set(found)
    assert ("orders", "made", "sort", "eq") in found


def test_alternatives_are_told_apart_from_what_always_holds() -> None:
    found = uses("SELECT * FROM t WHERE k = 1 AND (a = 1 OR (b = 2 AND c = 3) OR d = 4)")
    assert {use.column: use.branch for use in found} == {
        "k": (0, 0),
        "a": (1, 1),
        "b": (1, 2),
        "c": (1, 2),
        "d": (1, 3),
    }


def test_a_subquery_is_a_scope_of_its_own() -> None:
    parsed = statement("SELECT * FROM a WHERE x = 1 AND EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id AND b.y = 2)")
    assert parsed is not None
    assert [scope.tables for scope in parsed.scopes] == [("a",), ("b",)]
    assert {(use.scope, use.table, use.column) for use in parsed.uses} == {
        (0, "a", "x"),
        (1, "b", "a_id"),
        (1, "a", "id"),
        (1, "b", "y"),
    }


@pytest.mark.parametrize(
    "derived", ["SELECT id FROM t LIMIT 9", "SELECT id FROM t GROUP BY id", "SELECT id + 1 AS id FROM t"]
)
def test_columns_of_derived_tables_that_hide_their_rows_are_nobodys(derived: str) -> None:
    assert [use for use in asked(f"WITH w AS ({derived}) SELECT * FROM w WHERE w.id = 1") if use[2] == "filter"] == []


def test_a_condition_on_a_derived_table_reaches_the_rows_that_it_passes_on() -> None:
    assert asked("WITH w AS (SELECT id FROM t) SELECT * FROM w WHERE w.id = 1") == [("t", "id", "filter", "eq")]
    assert asked("WITH w AS MATERIALIZED (SELECT id FROM t) SELECT * FROM w WHERE w.id = 1") == []


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT * FROM t WHERE a = {HOLE} {HOLE} ORDER BY {HOLE}",
        f"SELECT * FROM t WHERE a = '{HOLE}'",
        f"SELECT {HOLE} FROM t WHERE a IN ({HOLE})",
        f"SELECT * FROM t WHERE a = 1 AND {HOLE}",
    ],
)
def test_unknown_parts_do_not_hide_the_known(text: str) -> None:
    assert [use.column for use in uses(text)] == ["a"]


@pytest.mark.parametrize("mark", ["?1", ":1", ":a1", "$1"])
def test_numbered_marks_are_read_and_slices_are_none(mark: str) -> None:
    assert asked(f"SELECT pieces[1:2] FROM t WHERE a = {mark}") == [("t", "a", "filter", "eq")]


def test_a_table_of_unknown_name_is_no_table() -> None:
    assert asked(f"SELECT * FROM {HOLE} WHERE a = 1") == []


@pytest.mark.parametrize("text", ["Select a user from the list", "update", "SELECT FROM WHERE (", "hello", ""])
def test_what_is_no_query_gives_nothing_to_report(text: str) -> None:
    parsed = statement(text)
    assert parsed is None or all(use.role == "filter" and not use.column for use in parsed.uses) or not parsed.uses


@pytest.mark.parametrize(
    ("pattern", "form"),
    [("abc", "eq"), ("abc%", "prefix"), ("%abc", "like"), ("_b", "like"), (None, "like"), (f"{HOLE}%", "prefix")],
)
def test_patterns_have_forms(pattern: str | None, form: str) -> None:
    assert pattern_form(pattern) == form


def test_equal_conditions_have_one_normal_form() -> None:
    assert normal("Deleted_At IS NULL") == normal('t."deleted_at" is null')
    assert normal("LOWER(t.Email)") == "lower(email)"


@pytest.mark.parametrize(
    "text",
    ["lower(Email)", "UPPER(x1)", "a = 'Bc d'", "a = 5", "Flag = TRUE", "x IS NULL", "x is not null", "Name = ''"],
)
def test_the_short_way_to_the_normal_form_ends_where_the_long_one_does(text: str) -> None:
    assert normal(text) == normal(f"({text})")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="selctfromwhinux*=()%s,;'\"-$ \n", max_size=60))
def test_no_text_raises(text: str) -> None:
    statement("select " + text)
    definitions("create table " + text)


def test_the_parser_is_not_imported_for_what_is_no_sql() -> None:
    code = "import sys, backaudit.sql as s; s.statement('x'); s.definitions('x'); sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_query_may_begin_with_comments_and_parentheses() -> None:
    assert looks_like_query("-- all\n/* x */ (SELECT 1)")
    assert not looks_like_query("the select")
