"""Plans in words that a learner can read, as a drawing and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from backaudit.facts.plans import Plan, PlanNode, Proof

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
    return f"{most.kind} by {name}: {most.rows:,} rows were read"


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


def proof_of(proof: Proof) -> dict[str, Any]:
    """A proof as plain data, with what it says in words."""
    return {**msgspec.to_builtins(proof), "words": list(lines(proof))}
