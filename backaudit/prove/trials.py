"""A scratch schema on a PostgreSQL server in which claims are tried: tables once for all claims, plans as records."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from backaudit.facts.plans import Plan, PlanNode, TableSetup
from backaudit.prove.server import connected
from backaudit.usage import UsageError

_LIMITS = "SET statement_timeout = '20s'; SET work_mem = '16MB'; SET max_parallel_workers_per_gather = 0; SET jit = off"
_CONDITIONS = ("Index Cond", "Filter", "Hash Cond", "Join Filter", "Sort Key", "Recheck Cond")


class Refused(Exception):
    """The server refused a statement, or has no value to ask by; the text says why."""


class Trials:
    """One run of trials on an open connection of psycopg, autocommitting; ``close`` drops what was made."""

    def __init__(self, connection: Any, rows: int) -> None:
        self.rows = rows
        self.left_out: list[str] = []
        self._connection = connection
        self._made: set[str] = set()
        # A name of its own: another run may be at work on the same server, and nobody's schema is ever in the way.
        self._schema = f"backaudit_{secrets.token_hex(6)}"
        self._run(f"CREATE SCHEMA {self._schema}")
        self._run(f"SET search_path = {self._schema}")
        for setting in _LIMITS.split("; "):
            self._run(setting)
        version = self._one("SHOW server_version") or ""
        self.version = f"PostgreSQL {version.split()[0] if version else ''}"

    def close(self) -> None:
        """Leave the server as it was."""
        self._run(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")

    def build(self, setups: Iterable[TableSetup]) -> None:
        """The tables with their rows and indexes, those that are not there yet."""
        for setup in setups:
            if setup.name in self._made:
                continue
            self._run(setup.create)
            self._run(setup.fill.replace("{rows}", str(self.rows)))
            for statement in setup.indexes:
                self._optional(setup.name, statement)
            self.left_out += [f"For the proof {part} of {setup.name} was left out." for part in setup.left_out]
            self._run(f'ANALYZE "{setup.name}"')
            self._made.add(setup.name)

    def filled(self, query: str, samples: Sequence[str]) -> str:
        """The query with values that are in the tables."""
        values = [self._one(sample) for sample in samples]
        if any(value is None for value in values):
            raise Refused("there is no value to ask by")
        return query.format(*values)

    def explain(self, sql: str) -> Plan:
        """How the server answers, in a transaction that may only read."""
        with self._connection.transaction():
            self._run("SET TRANSACTION READ ONLY")
            self._one(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", raw=True)
            answer = self._one(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", raw=True)
        return plan_of(answer)

    def explain_with(self, index: str, sql: str) -> Plan:
        """The same with one index more, which is gone afterwards."""
        name = index.split('"')[1]
        self._run(index)
        try:
            self._run(f'ANALYZE "{index.split(chr(34))[3]}"')
            return self.explain(sql)
        finally:
            self._run(f'DROP INDEX "{name}"')

    def _optional(self, table: str, statement: str) -> None:
        try:
            self._run(statement)
        except Refused as error:
            self.left_out.append(f"For the proof an index of {table} was left out: {error}.")

    def _run(self, statement: str) -> None:
        self._execute(statement)

    def _one(self, statement: str, raw: bool = False) -> Any:
        row = self._execute(statement).fetchone()
        value = row[0] if row is not None else None
        return value if raw or value is None else str(value)

    def _execute(self, statement: str) -> Any:
        import psycopg

        try:
            return self._connection.execute(statement.encode())
        except psycopg.Error as error:
            raise Refused(str(error).splitlines()[0].rstrip(".")) from error


@contextmanager
def trials_on(url: str | None, rows: int) -> Iterator[Trials]:
    """Trials on the named server, or on a private one; what they make there is gone afterwards, whatever happens."""
    with connected(url) as connection:
        try:
            trials = Trials(connection, rows)
        except Refused as error:
            raise UsageError(f"nothing can be tried on the database: {error}.") from error
        try:
            yield trials
        finally:
            trials.close()


def plan_of(answer: Any) -> Plan:
    """EXPLAIN's JSON as a record."""
    told = json.loads(answer) if isinstance(answer, str) else answer
    top = told[0]["Plan"]
    return Plan(
        root=_node(top),
        cost=float(top["Total Cost"]),
        pages=int(top.get("Shared Hit Blocks", 0)) + int(top.get("Shared Read Blocks", 0)),
        milliseconds=float(told[0].get("Execution Time", 0.0)),
    )


def _node(told: dict[str, Any]) -> PlanNode:
    conditions = [_spelled(name, told[name]) for name in _CONDITIONS if name in told]
    return PlanNode(
        kind=told["Node Type"],
        table=told.get("Relation Name", ""),
        index=told.get("Index Name", ""),
        condition="; ".join(conditions),
        rows=int(told.get("Actual Rows", 0)),
        removed=int(told.get("Rows Removed by Filter", 0)),
        children=tuple(_node(child) for child in told.get("Plans", ())),
    )


def _spelled(name: str, value: Any) -> str:
    return f"{name}: {', '.join(value) if isinstance(value, list) else value}"
