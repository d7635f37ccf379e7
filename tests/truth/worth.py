"""Whether a missing index is worth having, asked of PostgreSQL: the index is made, and the query explained again.

A column deserves a report if no condition leaves few rows of its table by an index today, and an index that begins with
the column, or with the query's equalities and then the column, is chosen by the planner and halves the cost or leaves a
third of the pages; the alternatives of an OR are given their indexes together. What costs next to nothing today
deserves none. Keys that refer to a deleted row are not in any plan: the table is read by the database itself, which
its statistics tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from backaudit.sql import Use

_FEWER_COSTS, _FEWER_PAGES = 2, 3
_CHEAP = 30
_FEW = 0.1
_EXACT = ("eq", "in")


class Asked(NamedTuple):
    """A use of a column, and whether an index serves it."""

    table: str
    column: str
    role: str
    served: bool
    use: Use


class Plan(NamedTuple):
    """What a query costs, the pages it reads, the tables of which an index leaves few rows, the indexes used."""

    cost: float
    pages: int
    reached: frozenset[str]
    used: frozenset[str]

    def much_less_than(self, other: Plan) -> bool:
        return other.cost / max(self.cost, 0.01) >= _FEWER_COSTS or other.pages / max(self.pages, 1) >= _FEWER_PAGES


def worthwhile(connection: Any, query: str, asked: Sequence[Asked]) -> list[str]:
    """The columns, as ``table.column``, of which an index is missed."""
    today = _plan(connection, query, [found.column for found in asked if found.served])
    referring = _referring(connection, query)
    if today.cost < _CHEAP and today.pages < _CHEAP:
        return referring
    lacking = [found for found in asked if not found.served and found.table not in today.reached]
    paying = {f"{found.table}.{found.column}" for found in lacking if _pays(connection, query, today, lacking, found)}
    return sorted({*paying, *referring})


def _pays(connection: Any, query: str, today: Plan, lacking: Sequence[Asked], found: Asked) -> bool:
    """Whether an index of the column pays: alone, with those of the other alternatives, or behind what is compared."""
    branch = found.use.branch[0]
    together = [other.column for other in lacking if branch and other.use.branch[0] == branch]
    if _chosen(_having(connection, query, found.table, [[name] for name in together or [found.column]]), today):
        return True
    rest = [other.column for other in lacking if other.table == found.table and _completes(found, other)]
    if not rest or found.role == "join":
        return False
    # Of a pair, each column is credited with what it adds to the other.
    without = _having(connection, query, found.table, [rest])
    pair = [*rest, found.column] if found.role == "sort" else [found.column, *rest]
    both = _having(connection, query, found.table, [pair])
    return _chosen(both, today) and both.much_less_than(without)


def _completes(found: Asked, other: Asked) -> bool:
    """Whether two columns make one index: what is compared, then what is sorted by."""
    if found.role == "sort":
        return other.role == "filter" and other.use.form in _EXACT
    return other.role == "sort"


def _chosen(plan: Plan, today: Plan) -> bool:
    return any(name.startswith("candidate") for name in plan.used) and plan.much_less_than(today)


def _having(connection: Any, query: str, table: str, indexes: Sequence[Sequence[str]]) -> Plan:
    """The plan with some indexes more."""
    with _apart(connection):
        for number, columns in enumerate(indexes):
            listed = ", ".join(dict.fromkeys(columns))
            connection.execute(f"CREATE INDEX candidate{number} ON {table} ({listed})")
        return _plan(connection, query, [])


def _plan(connection: Any, query: str, served: Sequence[str]) -> Plan:
    with _apart(connection):
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        root = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}").fetchall()[0][0][0]["Plan"]
    nodes = list(_nodes(root, ""))
    entered = {table: node for table, node in nodes if any(name in node.get("Index Cond", "") for name in served)}
    reached = {table for table, node in entered.items() if _read(node) <= _FEW * _rows(connection, table)}
    pages = int(root.get("Shared Hit Blocks", 0)) + int(root.get("Shared Read Blocks", 0))
    used = frozenset(node.get("Index Name", "") for _, node in nodes)
    return Plan(root["Total Cost"], pages, frozenset(reached), used)


def _nodes(node: dict[str, Any], table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node with its table, which the scan of a bitmap's index does not name."""
    table = node.get("Relation Name", table)
    yield table, node
    for child in node.get("Plans", ()):
        yield from _nodes(child, table)


def _read(node: dict[str, Any]) -> float:
    """The rows that a scan has read."""
    return float((node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)) * node.get("Actual Loops", 1))


def _rows(connection: Any, table: str) -> float:
    text = "SELECT reltuples FROM pg_class WHERE oid = %s::regclass"
    return float(connection.execute(text, (table,)).fetchall()[0][0])


def _referring(connection: Any, query: str) -> list[str]:
    """The keys by which a table is read whole for a deleted row that it might refer to."""
    if not query.startswith("DELETE FROM "):
        return []
    owner = query.split()[2]
    with _apart(connection):
        before = _whole_reads(connection)
        connection.execute(query)
        after = _whole_reads(connection)
    read = [table for table, times in after.items() if times > before.get(table, 0) and table != owner]
    return [f"{table}.{column}" for table in read for column in _keys_to(connection, table, owner)]


def _keys_to(connection: Any, table: str, owner: str) -> list[str]:
    text = (
        "SELECT attname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] "
        "WHERE contype = 'f' AND conrelid = %s::regclass AND confrelid = %s::regclass"
    )
    return [column for (column,) in connection.execute(text, (table, owner)).fetchall()]


def _whole_reads(connection: Any) -> dict[str, int]:
    found = connection.execute("SELECT relname, seq_scan FROM pg_stat_xact_user_tables").fetchall()
    return {str(table): int(times) for table, times in found}


@contextmanager
def _apart(connection: Any) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield
