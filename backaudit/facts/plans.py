"""What a finding claims of a database's planner, as SQL to be tried, and what the planner said."""

from __future__ import annotations

import msgspec


class TableSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Statements that make a table and fill it; ``{rows}`` stands for the number of rows. ``left_out``: what of the
    table cannot be made, with the reason."""

    name: str
    create: str
    fill: str
    indexes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A query that lacks an index. ``query``: its SQL, with ``{0}`` and so on for the values that ``samples`` select
    from the table; ``index``: the statement that makes what is missing; ``table``: whose it is."""

    table: str
    query: str
    index: str
    samples: tuple[str, ...] = ()
    setup: tuple[TableSetup, ...] = ()


class PlanNode(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan, as EXPLAIN tells it; ``children`` give it their rows."""

    kind: str
    table: str = ""
    index: str = ""
    condition: str = ""
    rows: int = 0
    removed: int = 0
    children: tuple[PlanNode, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a query was answered, what the planner thought it costs, what was read, and how long it took."""

    root: PlanNode
    cost: float
    pages: int
    milliseconds: float


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Both plans of a query, on rows that were made up. ``sql``: what was asked."""

    sql: str
    index: str
    rows: int
    server: str
    before: Plan
    after: Plan

    @property
    def times_fewer(self) -> float:
        """How many times fewer pages are read with the index."""
        return self.before.pages / max(self.after.pages, 1)
