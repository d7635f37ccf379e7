"""Plans in words that a learner can read, as a drawing and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from backaudit.facts.plans import Plan, PlanNode, Proof

# What the steps of a plan do, for who sees them the first time.
_WORDS = {
    "Seq Scan": "A sequential scan reads the table from its first page to its last and keeps the rows that match.",
    "Index Scan": "An index scan goes down the index to the first match, then fetches each row that the index names.",
    "Index Only Scan": "An index-only scan finds all it needs in the index and leaves the table alone.",
    "Bitmap Heap Scan": "A bitmap scan collects from the index which pages have matches, then reads each page once.",
    "Sort": "A sort needs all rows before it can give the first.",
    "Incremental Sort": "An incremental sort has the rows in part of the order already and sorts small groups.",
    "Nested Loop": "A nested loop looks the second table up once for each row of the first.",
    "Hash Join": "A hash join reads one table whole into memory, then holds the other against it.",
    "Merge Join": "A merge join walks through both tables in the order of the key.",
    "Limit": "A limit stops as soon as enough rows are there.",
}
# From how many times fewer pages on that is what is told; below, the cost is.
_TELLING = 2


def lines(proof: Proof) -> tuple[str, ...]:
    """Before, after, and how much less is read."""
    fewer = proof.times_fewer
    gain = (
        f"{fewer:,.0f} times fewer pages"
        if fewer >= 2
        else f"{proof.before.cost / max(proof.after.cost, 0.01):,.0f} times cheaper"
    )
    return (
        f"before  {told(proof.before, proof.rows)}",
        f"after   {told(proof.after, proof.rows)}: {gain}",
    )


def told(plan: Plan, rows: int) -> str:
    """One plan: how the rows were found, what was read, what it cost."""
    return f"{way(plan.root, rows)}; {plan.pages:,} pages, cost {plan.cost:,.0f}, {plan.milliseconds:.2f} ms"


def way(root: PlanNode, rows: int) -> str:
    """How the table was read, by the node that reads most."""
    scans = [node for node in nodes(root) if node.table or node.index]
    if not scans:
        return root.kind
    most = max(scans, key=lambda node: (node.kind == "Seq Scan", node.removed + node.rows))
    if most.kind == "Seq Scan":
        every = most.removed + most.rows
        found = f" to find {most.rows:,}" if most.removed else ""
        return f"Seq Scan: {'all ' if every >= rows else ''}{every:,} rows of {most.table} were read{found}"
    name = next((node.index for node in scans if node.index), "")
    return f"{most.kind} by {name}: {_rows(most.rows)} {'was' if most.rows == 1 else 'were'} read"


def nodes(root: PlanNode) -> Iterator[PlanNode]:
    """A plan's steps, the topmost first."""
    yield root
    for child in root.children:
        yield from nodes(child)


def steps(plan: Plan) -> tuple[tuple[int, PlanNode], ...]:
    """A plan's steps with their depth, as a drawing indents them."""
    return tuple(_steps(plan.root, 0))


def _steps(node: PlanNode, depth: int) -> Iterator[tuple[int, PlanNode]]:
    yield depth, node
    for child in node.children:
        yield from _steps(child, depth + 1)


def explained(place: str, proof: Proof, indexes: Sequence[str]) -> str:
    """One query for a learner: its SQL, its indexes, its plans step by step, and what the steps mean."""
    told_before, told_after = lines(proof)
    shown = [
        place,
        f"  SQL      {proof.sql}",
        f"  indexes  {', '.join(indexes) or 'none'}",
        f"  rows     {proof.rows:,} in each table, generated; {proof.server}",
        "",
        f"  {told_before}" if proof.index else f"  plan    {told(proof.before, proof.rows)}",
        *_drawn(proof.before),
    ]
    if proof.index:
        shown += ["", f"  with     {proof.index}", f"  {told_after}", *_drawn(proof.after)]
    else:
        shown += ["", "  No index is missing here: what the query asks is served, or an index would not pay."]
    kinds = dict.fromkeys(node.kind for plan in (proof.before, proof.after) for _, node in steps(plan))
    return "\n".join([*shown, "", *(f"  {_WORDS[kind]}" for kind in kinds if kind in _WORDS), ""])


def _drawn(plan: Plan) -> Iterator[str]:
    for depth, node in steps(plan):
        over = f" on {node.table}" if node.table else ""
        by = f" by {node.index}" if node.index else ""
        removed = f", {node.removed:,} thrown away" if node.removed else ""
        condition = f"  [{node.condition}]" if node.condition else ""
        yield f"    {'  ' * depth}{node.kind}{over}{by}: {_rows(node.rows)}{removed}{condition}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def proof_of(proof: Proof) -> dict[str, Any]:
    """A proof as plain data, with what it says in words."""
    return {**msgspec.to_builtins(proof), "words": list(lines(proof))}
