"""What differs from PostgreSQL in what an index serves: SQLite is asked itself, MySQL by what its manual says."""

from __future__ import annotations

import re
import sqlite3

import pytest
from msgspec.structs import replace

from backaudit.analyses.indexes.indexing import in_order, usable
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.data.schema.tables import with_definition
from backaudit.sql import Use, definitions, statement
from tests.projects import project

TABLE = """CREATE TABLE crate (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, shelf INTEGER NOT NULL, weight INTEGER, open BOOLEAN NOT NULL,
    born TEXT)"""
CASES = (
    ("", "SELECT * FROM crate WHERE id = 5"),
    ("", "SELECT * FROM crate WHERE shelf = 5"),
    ("(shelf)", "SELECT * FROM crate WHERE shelf = 5"),
    ("(shelf)", "SELECT * FROM crate WHERE shelf > 5"),
    ("(shelf)", "SELECT * FROM crate WHERE shelf IN (5, 6)"),
    ("(weight)", "SELECT * FROM crate WHERE weight IS NULL"),
    ("(shelf, weight)", "SELECT * FROM crate WHERE weight = 5"),
    ("(open, weight)", "SELECT * FROM crate WHERE weight = 5"),
    ("(shelf, weight)", "SELECT * FROM crate WHERE shelf = 1 AND weight = 5"),
    ("(label)", "SELECT * FROM crate WHERE label LIKE 'abc%'"),
    ("(label COLLATE NOCASE)", "SELECT * FROM crate WHERE label LIKE 'abc%'"),
    ("(label COLLATE NOCASE)", "SELECT * FROM crate WHERE label = 'abc'"),
    ("(label)", "SELECT * FROM crate WHERE label LIKE '%abc'"),
    ("(label)", "SELECT * FROM crate WHERE lower(label) = 'abc'"),
    ("(lower(label))", "SELECT * FROM crate WHERE lower(label) = 'abc'"),
    ("(shelf) WHERE weight IS NOT NULL", "SELECT * FROM crate WHERE shelf = 5"),
    ("(shelf) WHERE weight IS NOT NULL", "SELECT * FROM crate WHERE shelf = 5 AND weight IS NOT NULL"),
    ("(shelf)", "SELECT * FROM crate WHERE shelf + 1 = 5"),
    ("(shelf)", "SELECT * FROM crate WHERE shelf <> 5"),
    ("(born)", "SELECT * FROM crate ORDER BY born LIMIT 20"),
    ("(born)", "SELECT * FROM crate ORDER BY born DESC LIMIT 20"),
    ("(born)", "SELECT * FROM crate ORDER BY shelf LIMIT 20"),
    ("(shelf, born)", "SELECT * FROM crate WHERE shelf = 5 ORDER BY born LIMIT 20"),
    ("(born DESC)", "SELECT * FROM crate ORDER BY born NULLS LAST LIMIT 20"),
)


def table_of(index: str, engine: str) -> Table:
    script = TABLE + (f";\nCREATE INDEX ix ON crate {index}" if index else "")
    table = Table(name="crate", orm="sql")
    for definition in definitions(script):
        table = with_definition(table, definition, None)
    return replace(table, engine=engine)


def served(table: Table, query: str) -> set[str]:
    """The columns that are served, and ``order`` if that is."""
    parsed = statement(query)
    assert parsed is not None
    filters = [use for use in parsed.uses if use.role == "filter"]
    sorts = [use for use in parsed.uses if use.role == "sort"]
    found = {use.column for use in filters if usable(table, use, _others(filters, use)).served}
    given = bool(sorts) and any(in_order(table, index, sorts, filters) == len(sorts) for index in table.indexes)
    return found | ({"order"} if given else set())


def _others(uses: list[Use], use: Use) -> list[Use]:
    return [other for other in uses if other is not use]


def asked_of_sqlite(index: str, query: str) -> set[str]:
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    if index:
        connection.execute(f"CREATE INDEX ix ON crate {index}")
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    found = set(re.findall(r"(\w+)[=<>]", plan.replace("rowid", "id")))
    parsed = statement(query)
    assert parsed is not None
    # A key that is an expression has no name in the plan; a partial index serves its own predicate.
    found |= {use.column for use in parsed.uses if "<expr>" in plan and use.form == "function"}
    found |= {use.column for use in parsed.uses if "USING INDEX ix" in plan and use.text and use.text in index.lower()}
    sorts = any(use.role == "sort" for use in parsed.uses)
    columns = {use.column for use in parsed.uses}
    return (found & columns) | ({"order"} if sorts and "TEMP B-TREE" not in plan else set())


@pytest.mark.parametrize(("index", "query"), CASES)
def test_what_sqlite_serves_is_what_it_says(index: str, query: str) -> None:
    assert served(table_of(index, "sqlite"), query) == asked_of_sqlite(index, query)


def test_mysql_serves_a_fixed_beginning_and_skips_nothing() -> None:
    beginning, second = "SELECT * FROM crate WHERE label LIKE 'abc%'", "SELECT * FROM crate WHERE weight = 5"
    assert served(table_of("(label)", "mysql"), beginning) == {"label"}
    assert served(table_of("(label)", "postgresql"), beginning) == set()
    assert served(table_of("(open, weight)", "postgresql"), second) == {"weight"}
    assert served(table_of("(open, weight)", "mysql"), second) == set()


MODELS = """
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class Box(Base):
    __tablename__ = "boxes"
    id = Column(Integer, primary_key=True)
    shelf_id = Column(Integer, ForeignKey("shelves.id"))
"""


@pytest.mark.parametrize(
    ("files", "engine"),
    [
        ({"docker-compose.yml": "services: {app: {environment: {URL: 'mysql+pymysql://db/x'}}}\n"}, "mysql"),
        ({"requirements.txt": "mysqlclient\n"}, "mysql"),
        ({"requirements.txt": "psycopg2\n"}, "postgresql"),
        ({"requirements.txt": "psycopg2\nmysqlclient\n"}, "postgresql"),
        ({"store.py": "import sqlite3\n"}, "sqlite"),
        ({}, "postgresql"),
    ],
)
def test_the_database_is_known_by_its_address_or_its_driver(files: dict[str, str], engine: str) -> None:
    table = schema(project({"models.py": MODELS, **files})).table("boxes")
    assert table is not None
    assert table.engine == engine
    assert any(index.columns == ("shelf_id",) for index in table.indexes) == (engine == "mysql")


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ('create_engine(f"mysql+pymysql://{host}/shop")', "mysql"),
        ('create_engine(f"sqlite:///{host}" if here else f"mysql+pymysql://{host}/shop")', "postgresql"),
    ],
)
def test_a_program_that_also_opens_a_file_of_sqlite_has_no_indexes_of_mysql(opened: str, expected: str) -> None:
    code = f"""
import pymysql
from sqlalchemy import Column, ForeignKey, Integer, create_engine
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Crate(Base):
    __tablename__ = "crate"
    id = Column(Integer, primary_key=True)
    shelf_id = Column(ForeignKey("shelf.id"))

def engine(host, here):
    return {opened}
"""
    table = schema(project({"store.py": code})).table("crate")
    assert table is not None
    assert table.engine == expected
    assert any(index.columns == ("shelf_id",) for index in table.indexes) is (expected == "mysql")
