"""What an index serves, asked of PostgreSQL: ``python -m tests.truth.decisions`` measures the cases of
``tests/data/index_cases.txt`` anew and writes the answers beside them, which the tests hold against ``usable``.

Every index of a case is looked at alone, the others are marked invalid in a transaction that is rolled back. A
condition is served if its column stands in the index condition of a bitmap scan that reads at most a third of the
index, or if the planner uses a partial index and then asks no more of the column; an order, if nothing sorts by it;
the column of a join, if a look-up by a value of the other column's type is. What deserves a report is measured by
``tests/truth/worth.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backaudit.prove.server import connected
from backaudit.sql import Use, statement
from tests.truth import worth

ANSWERS = Path(__file__).parent.parent / "data" / "index_decisions.jsonl"
WRITTEN = ANSWERS.parent / "index_cases.txt"
ROWS = 30_000
_SHARE = 0.34
SCHEMA = (
    "CREATE TYPE mood AS ENUM ('glad','sad','calm','cross')",
    """CREATE TABLE depot (
        id bigint PRIMARY KEY, zone integer NOT NULL, town text NOT NULL, mail text NOT NULL,
        CONSTRAINT one_mail UNIQUE (mail))""",
    """CREATE TABLE parcel (
        id bigint PRIMARY KEY, depot_id bigint NOT NULL REFERENCES depot (id), weight integer NOT NULL,
        shelf integer NOT NULL, grams integer, code text NOT NULL, label varchar(60) NOT NULL, track uuid NOT NULL,
        fee numeric(10,2) NOT NULL, ratio double precision NOT NULL, tiny smallint NOT NULL,
        sent timestamptz NOT NULL, lost timestamptz, local timestamp NOT NULL, fragile boolean NOT NULL,
        insured boolean, state mood NOT NULL,
        padded char(10) NOT NULL, facts jsonb NOT NULL, tags text[] NOT NULL, span int4range NOT NULL,
        body text NOT NULL, words tsvector NOT NULL, plain text COLLATE "C" NOT NULL,
        doubled integer GENERATED ALWAYS AS (weight * 2) STORED
    )""",
    "CREATE TABLE route (parcel_key bigint NOT NULL, leg_key bigint NOT NULL, PRIMARY KEY (parcel_key, leg_key))",
)
FILL = (
    "INSERT INTO depot SELECT g, g % 3000, 'town' || g % 900, 'depot' || g || '@x.org' FROM generate_series(1, ROWS) g",
    """INSERT INTO parcel (id, depot_id, weight, shelf, grams, code, label, track, fee, ratio, tiny, sent, lost, local,
        fragile, insured, state, padded, facts, tags, span, body, words, plain)
    SELECT g, 1 + (g * 31) % ROWS, g % 1500, (g * 7919) % 1400, CASE WHEN g % 300 > 0 THEN g % 700 END,
        'code' || (g * 31) % 29000 || '.x', 'label' || (g * 13) % 25000, md5(g::text)::uuid, (g % 4000) / 10.0,
        (g % 5000) / 7.0, g % 900, '2024-01-01'::timestamptz + g * interval '7 minutes',
        CASE WHEN g % 50 = 0 THEN '2024-06-01'::timestamptz + g * interval '1 minute' END,
        '2024-01-01'::timestamp + g * interval '7 minutes', g % 40 = 0, CASE WHEN g % 3 > 0 THEN g % 40 = 1 END,
        (ARRAY['glad','sad','calm','cross'])[1 + g % 4]::mood, 'p' || g,
        jsonb_build_object('k', 'v' || g % 3000, 'n', g % 3000), ARRAY['tag' || g % 3000, 'tag' || (g + 7) % 3000],
        int4range(g, g + 5), 'word' || g % 3000, to_tsvector('english', 'word' || g % 3000), 'plain' || g
    FROM generate_series(1, ROWS) g""",
    "INSERT INTO depot VALUES (0, 0, 'nowhere', 'nobody@x.org')",
    "INSERT INTO route SELECT g, (g * 7919) % 20000 FROM generate_series(1, ROWS) g",
)

_ON = "parcel"


def cases() -> Iterator[tuple[str, str, str]]:
    """(name, indexes, query) of every case that is written down."""
    kind, number = "", 0
    for line in WRITTEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            kind, number = line[2:], 0
        elif "=> " in line:
            indexes, _, query = line.partition("=> ")
            number += 1
            yield f"{kind} {number}", indexes.strip(), query


def ddl(indexes: str) -> list[str]:
    """The statements that make the indexes of a case."""
    found: list[str] = []
    for number, text in enumerate(part.strip() for part in indexes.split(";") if part.strip()):
        if text == "INVALID":
            found.append(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix{number - 1}'::regclass")
            continue
        table, rest = text.split(" ", 1) if text.startswith("depot ") else (_ON, text)
        found.append(f"CREATE INDEX ix{number} ON {table} {rest}")
    return found


class Server:
    """The tables of the cases, with rows, on a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        for text in ("CREATE EXTENSION IF NOT EXISTS pg_trgm", *SCHEMA, *FILL, "ANALYZE"):
            connection.execute(text.replace("ROWS", str(ROWS)))

    def answers(self, indexes: str, query: str) -> tuple[list[tuple[str, str, str, bool]], list[str]]:
        """(table, column, role, served) for every use of a column in a query, and which of them deserve a report."""
        parsed = statement(query)
        assert parsed is not None, query
        with self._having(ddl(indexes)):
            uses = {(_owner(use, query), use.column, use.role): use for use in parsed.uses if use.role != "group"}
            found: list[tuple[str, str, str, bool]] = [
                (*key, self._served(*key, query, use)) for key, use in uses.items()
            ]
            asked = [worth.Asked(*key, use) for key, use in zip(found, uses.values(), strict=True)]
            return found, worth.worthwhile(self._connection, query, asked)

    @contextmanager
    def _having(self, statements: list[str]) -> Iterator[None]:
        with self._connection.transaction(force_rollback=True):
            for text in statements:
                self._connection.execute(text)
            yield

    def _served(self, table: str, column: str, role: str, query: str, use: Use) -> bool:
        if role == "join" and use.form == "eq":
            return self._joined(table, column, query)
        names = self._indexes(table)
        groups = [[name] for name in names] + ([names] if " OR " in query else [])
        return any(self._by(table, column, role, query, group) for group in groups)

    def _by(self, table: str, column: str, role: str, query: str, names: list[str]) -> bool:
        off = ("seqscan", "sort", "hashagg") if role == "sort" else ("seqscan", "indexscan", "indexonlyscan")
        with self._only(table, names, off):
            plan = list(_nodes(self._ask(f"EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON) {query}")[0][0][0]["Plan"]))
            if role == "sort":
                return not any(_holds(key, column) for node in plan for key in _unsorted(node))
            return any(self._bounded(node, column) for node in plan) or self._implied(plan, names, column)

    def _joined(self, table: str, column: str, query: str) -> bool:
        """Whether rows are found by a value of the type that the other side of the join has."""
        pair = re.search(rf"(\w+)\.(\w+) = {table}\.{column}|{table}\.{column} = (\w+)\.(\w+)", query)
        assert pair is not None, query
        other, key = (pair[1], pair[2]) if pair[1] else (pair[3], pair[4])
        spelled = f"SELECT quote_literal({key}) || '::' || pg_typeof({key}) FROM {other} WHERE {key} > 5 LIMIT 1"
        value = self._ask(spelled)[0][0]
        return any(
            self._by(table, column, "filter", f"SELECT 1 FROM {table} WHERE {table}.{column} = {value}", [name])
            for name in self._indexes(table)
        )

    def _indexes(self, table: str) -> list[str]:
        text = f"SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = '{table}'::regclass AND indisvalid"
        return [name for (name,) in self._ask(text)]

    @contextmanager
    def _only(self, table: str, names: list[str], off: tuple[str, ...]) -> Iterator[None]:
        kept = ", ".join(f"'{name}'::regclass" for name in names)
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(
                "UPDATE pg_index SET indisvalid = false "
                f"WHERE indrelid = '{table}'::regclass AND indexrelid NOT IN ({kept})"
            )
            for name in off:
                self._connection.execute(f"SET LOCAL enable_{name} = off")
            self._connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            yield

    def _bounded(self, node: dict[str, Any], column: str) -> bool:
        """Whether a scan enters its index by the column and reads a part of it only."""
        if node["Node Type"] == "Bitmap Heap Scan" and node["Plans"][0]["Node Type"] == "Bitmap Index Scan":
            inner = node["Plans"][0]
            lossy = int(node.get("Lossy Heap Blocks", 0))
            if lossy:  # a BRIN index points at ranges of the table
                pages = self._ask(f"SELECT relpages FROM pg_class WHERE relname = '{node['Relation Name']}'")[0][0]
                return lossy <= _SHARE * pages and _holds(inner.get("Index Cond", ""), column)
        if node["Node Type"] != "Bitmap Index Scan" or not _holds(node.get("Index Cond", ""), column):
            return False
        pages, method = self._ask(
            "SELECT relpages, amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            f"WHERE relname = '{node['Index Name']}'"
        )[0]
        if method == "brin":
            return False
        loops = max(int(node.get("Actual Loops", 1)), 1)
        read = (node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)) / loops
        share = 0.6 if method == "gist" else _SHARE
        return bool(read <= max(share * pages, 4 * max(int(node.get("Index Searches", 1)), 1)))

    def _implied(self, plan: list[dict[str, Any]], names: list[str], column: str) -> bool:
        """Whether the planner uses a partial index whose predicate is about the column, and asks no more of it."""
        used = [node for node in plan if node.get("Index Name") in names]
        left = any(_holds(node.get("Filter", ""), column) for node in plan)
        return not left and any(_holds(self._predicate(node["Index Name"]), column) for node in used)

    def _predicate(self, index: str) -> str:
        text = f"SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = '{index}'::regclass"
        return self._ask(text)[0][0] or ""

    def _ask(self, text: str) -> list[Any]:
        return list(self._connection.execute(text).fetchall())


def _owner(use: Use, query: str) -> str:
    if use.table:
        return use.table
    return next(name for name in ("parcel", "depot", "route") if f"{name}.{use.column}" in query or name in query)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _holds(condition: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", condition) is not None


def _unsorted(node: dict[str, Any]) -> list[str]:
    if node["Node Type"] == "Merge Append":  # what is in order already is only put together
        return []
    if node["Node Type"] == "Aggregate" and "Plans" in node and node["Plans"][0]["Node Type"] == "Seq Scan":
        return [" ".join(node.get("Output", ()))]
    there = len(node.get("Presorted Key", ()))
    return list(node.get("Sort Key", ()))[there:]


def measured() -> Iterator[dict[str, Any]]:
    """Every case with what PostgreSQL answered."""
    with connected(None) as connection:
        server = Server(connection)
        for name, indexes, query in cases():
            columns, report = server.answers(indexes, query)
            yield {"id": name, "indexes": ddl(indexes), "query": query, "columns": columns, "report": report}


if __name__ == "__main__":
    ANSWERS.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in measured()), encoding="utf-8")
