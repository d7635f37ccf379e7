"""Random pairs of indexes and queries, asked of PostgreSQL and of ``usable``: ``python -m tests.bench.planner``.

Every index of a pair is tried alone, as the planner would hide one behind another: all others are marked invalid in a
transaction that is rolled back. A column is served if it stands in the index condition of a scan that reads at most a
third of the index; an order, if nothing above the scan sorts by it.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from backaudit.analyses.indexes.indexing import in_order, usable
from backaudit.backend.data.schema import Table
from backaudit.backend.data.schema.tables import with_definition
from backaudit.prove.server import connected
from backaudit.sql import Use, definitions, statement

ROWS = 30_000
WANTED = 0.99
_SHARE = 0.34
_SEED = 20_261
_TABLE = """CREATE TABLE t (
    id integer PRIMARY KEY, a integer NOT NULL, b integer NOT NULL, n integer, flag boolean NOT NULL,
    kind mood NOT NULL, email text NOT NULL, uid uuid NOT NULL, price numeric(10,2) NOT NULL,
    born timestamptz NOT NULL, gone timestamptz, name varchar(40) NOT NULL)"""
_FILL = """INSERT INTO t SELECT g, g % 1500, (g * 7919) % 1400, CASE WHEN g % 40 > 0 THEN g % 700 END, g % 9 = 0,
    (ARRAY['glad','sad','calm','cross'])[1 + g % 4]::mood, 'user' || (g * 31) % 29000 || '@x.org', md5(g::text)::uuid,
    (g % 4000) / 10.0, '2024-01-01'::timestamptz + g * interval '7 minutes',
    CASE WHEN g % 50 = 0 THEN '2024-06-01'::timestamptz + g * interval '1 minute' END, 'name' || (g * 13) % 25000
    FROM generate_series(1, ROWS) AS g"""
_KEYS = (
    "a", "b", "n", "flag", "kind", "email", "uid", "price", "born", "gone", "name", "a DESC", "born DESC",
    "email text_pattern_ops", "name varchar_pattern_ops", "(lower(email))", "(lower(name))", "(upper(email))",
    "n NULLS FIRST",
)  # fmt: skip
_WHERE = ("", "", "", "", " WHERE gone IS NULL", " WHERE flag", " WHERE n IS NOT NULL", " WHERE kind = 'sad'")
_PREDICATES = (
    "a = 77", "b = 91", "n = 40", "a IN (5, 700, 900)", "b = ANY('{5,7}'::int[])", "a > 1480", "b < 12", "n IS NULL",
    "a <> 5", "NOT (b = 7)", "flag", "flag = true", "flag IS TRUE", "kind = 'sad'",
    "email = 'user62@x.org'", "email LIKE 'user620%'", "email LIKE '%62@x.org'", "email ILIKE 'user62%'",
    "lower(email) = 'user62@x.org'", "upper(email) = 'USER62@X.ORG'", "lower(name) = 'name26'", "name = 'name26'",
    "name LIKE 'name260%'", "uid = md5('77')::uuid", "uid::text = 'x'", "price = 7.5", "price = 7.5::float8",
    "price > 398", "born > '2024-05-24'", "born BETWEEN '2024-02-01' AND '2024-02-02'", "born::date = '2024-02-01'",
    "gone > '2024-06-20'", "coalesce(n, 0) = 5", "a % 500 = 3", "a = 5::bigint",
    "a = 5::numeric", "id = 3", "a NOT BETWEEN 5 AND 1490", "n IS NOT DISTINCT FROM 5", "(a, b) = (77, 903)",
    "email > 'user9998'", "a = 77 OR b = 91", "a = 77 OR email = 'user62@x.org'", "a = 77 OR name LIKE '%6'",
)  # fmt: skip
_ORDERS = ("", "", "a", "born DESC", "a, b", "kind, born DESC", "lower(email)", "email", "n DESC", "a DESC, b", "id")


class Pair(NamedTuple):
    """The indexes that are there, by number, and the query."""

    indexes: tuple[int, ...]
    query: str


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    chance = random.Random(_SEED)
    pool = _pool(chance)
    asked = agreed = 0
    differing: dict[str, int] = {}
    with connected(None) as connection:
        server = _Server(connection, pool)
        for pair in _pairs(chance, count, len(pool)):
            for told, ours, theirs in _compared(server, pool, pair):
                asked += 1
                agreed += ours == theirs
                if ours != theirs:
                    differing.setdefault(f"{told}: usable says {ours}, PostgreSQL {theirs}", 0)
                    differing[f"{told}: usable says {ours}, PostgreSQL {theirs}"] += 1
    for text, times in sorted(differing.items(), key=lambda item: -item[1])[:40]:
        print(f"{times:>5}  {text}")
    share = agreed / max(asked, 1)
    print(f"{count} pairs of indexes and query, {asked} columns: usable agrees with PostgreSQL on {share:.2%}")
    return 0 if share >= WANTED else 1


def _pool(chance: random.Random) -> list[str]:
    """Index definitions to draw from: one key, two or three, some partial, a few hash."""
    found = [f"({key})" for key in _KEYS]
    while len(found) < 90:
        keys = chance.sample(_KEYS, chance.choice((1, 2, 2, 3)))
        names = [key.split()[0] for key in keys]
        if len(set(names)) == len(names):
            found.append(f"({', '.join(keys)}){chance.choice(_WHERE)}")
    found += [f"USING hash ({key})" for key in ("a", "email", "name")]
    return list(dict.fromkeys(found))


def _pairs(chance: random.Random, count: int, size: int) -> Iterator[Pair]:
    for _ in range(count):
        conditions = chance.sample(_PREDICATES, chance.choice((1, 1, 2, 2, 3)))
        order = chance.choice(_ORDERS)
        where = " AND ".join(f"({text})" if " OR " in text else text for text in conditions)
        tail = f" ORDER BY {order} LIMIT 20" if order else ""
        chosen = chance.sample(range(size), chance.choice((1, 2, 3)))
        yield Pair(tuple(sorted(chosen)), f"SELECT * FROM t WHERE {where}{tail}")


class _Server:
    """A table with all indexes of the pool, each of which can be looked at alone."""

    def __init__(self, connection: Any, pool: Sequence[str]) -> None:
        self._connection = connection
        self._run("CREATE TYPE mood AS ENUM ('glad','sad','calm','cross')")
        self._run(_TABLE)
        self._run(_FILL.replace("ROWS", str(ROWS)))
        for number, definition in enumerate(pool):
            self._run(f"CREATE INDEX ix{number} ON t {definition}")
        self._run("VACUUM ANALYZE t")
        sizes = connection.execute("SELECT relname, relpages FROM pg_class WHERE relname ~ '^(ix|t_pkey)'").fetchall()
        self._pages: dict[str, int] = dict(sizes)
        self.wheres = {"t_pkey": ""} | {f"ix{n}": text.partition(" WHERE ")[2] for n, text in enumerate(pool)}
        self._told: dict[tuple[tuple[str, ...], str], Any] = {}

    def _run(self, text: str) -> None:
        self._connection.execute(text)

    def served(self, index: str, query: str, names: frozenset[str]) -> set[str]:
        """Which of some columns the index serves in a query, alone."""
        found = set()
        for node in _nodes(self._explained((index,), query)):
            if self.bounded(node) and node["Index Name"] == index:
                found |= {name for name in names if _holds(node["Index Cond"], name)}
        return found

    def implied(self, index: str, query: str, name: str) -> bool:
        """Whether the planner uses a partial index for a query, and then asks no more of a column."""
        nodes = list(_nodes(self._explained((index,), query)))
        left = any(_holds(node.get("Filter", ""), name) for node in nodes)
        return not left and any(node.get("Index Name") == index for node in nodes)

    def bounded(self, node: dict[str, Any]) -> bool:
        """Whether a scan reads but a part of its index."""
        if node["Node Type"] != "Bitmap Index Scan" or "Index Cond" not in node:
            return False
        read = (node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)) / _loops(node)
        return bool(read <= max(_SHARE * self._pages[node["Index Name"]], 3 * _searches(node)))

    def together(self, indexes: tuple[str, ...], query: str) -> list[dict[str, Any]]:
        return list(_nodes(self._explained(indexes, query)))

    def sorted_by(self, index: str, query: str) -> set[str]:
        """The sort keys that the index does not give in order, when only it is there."""
        top = self._explained((index,), query, order=True)
        return {key for node in _nodes(top) for key in _sorted(node)}

    def _explained(self, indexes: tuple[str, ...], query: str, order: bool = False) -> Any:
        known = self._told.get((indexes, query + str(order)))
        if known is not None:
            return known
        off = ("seqscan", "sort", "hashagg") if order else ("seqscan", "indexscan", "indexonlyscan")
        connection = self._connection
        with connection.transaction(force_rollback=True):
            names = ", ".join(f"'{name}'::regclass" for name in indexes)
            connection.execute(
                f"UPDATE pg_index SET indisvalid = false WHERE indrelid = 't'::regclass AND indexrelid NOT IN ({names})"
            )
            for name in off:
                connection.execute(f"SET LOCAL enable_{name} = off")
            connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            told = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}").fetchone()[0][0]["Plan"]
        self._told[(indexes, query + str(order))] = told
        return told


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _loops(node: dict[str, Any]) -> int:
    return max(int(node.get("Actual Loops", 1)), 1)


def _searches(node: dict[str, Any]) -> int:
    return max(int(node.get("Index Searches", 1)), 1)


def _holds(condition: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", condition) is not None


def _sorted(node: dict[str, Any]) -> list[str]:
    keys = [key.split()[0] if "(" not in key else key for key in node.get("Sort Key", ())]
    there = [key.split()[0] if "(" not in key else key for key in node.get("Presorted Key", ())]
    return [key for key in keys if key not in there]


# -- the comparison ----------------------------------------------------------------------------------------------------


def _compared(server: _Server, pool: Sequence[str], pair: Pair) -> Iterator[tuple[str, bool, bool]]:
    """(what is asked, our answer, PostgreSQL's) for every column that the query filters or sorts by."""
    table, query = _table(pool, pair.indexes), statement(pair.query)
    assert query is not None, pair
    uses = list(query.uses)
    indexes = ("t_pkey", *(f"ix{number}" for number in pair.indexes))
    filters = [use for use in uses if use.role != "sort"]
    for column in dict.fromkeys(use.column for use in filters):
        mine = [use for use in filters if use.column == column]
        if len(mine) == 1:  # of a column that is asked twice a plan does not say which condition it means
            theirs = _theirs(server, indexes, pair.query, mine[0])
            yield _told(pool, pair, column), _ours(table, mine[0], uses), theirs
    sorts = [use for use in uses if use.role == "sort"]
    if sorts:
        given = max((in_order(table, index, sorts, filters) for index in table.indexes), default=0)
        left = min(len(server.sorted_by(index, pair.query)) for index in indexes)
        yield _told(pool, pair, "the order"), given == len(sorts), left == 0


def _ours(table: Table, use: Use, uses: Sequence[Use]) -> bool:
    return usable(table, use, [other for other in uses if other is not use]).served


def _theirs(server: _Server, indexes: tuple[str, ...], query: str, use: Use) -> bool:
    """PostgreSQL's answer for one column."""
    name = use.column
    if use.branch != (0, 0):
        nodes = server.together(indexes, query)
        inside = [n for n in nodes if n["Node Type"] == "BitmapOr"]
        return any(server.bounded(n) and _holds(n["Index Cond"], name) for o in inside for n in _nodes(o))
    for index in indexes:
        if name in server.served(index, query, frozenset({name})):
            return True
    partial = [index for index in indexes if _holds(server.wheres[index], name)]
    return any(server.implied(index, query, name) for index in partial)


def _table(pool: Sequence[str], numbers: Sequence[int]) -> Table:
    script = [_TABLE, *(f"CREATE INDEX ix{number} ON t {pool[number]}" for number in numbers)]
    table = Table(name="t", orm="sql")
    found = definitions("CREATE TYPE mood AS ENUM ('glad');\n" + ";\n".join(script))
    for definition in found:
        table = with_definition(table, definition, None)
    return table


def _told(pool: Sequence[str], pair: Pair, what: str) -> str:
    return f"{what} in {pair.query[22:]} with {' and '.join(pool[number] for number in pair.indexes)}"


if __name__ == "__main__":
    sys.exit(main())
