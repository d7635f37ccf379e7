"""Queries written as Python: ``select(note for note in Note if note.title == x)``, ``Note.select(lambda note: …)``."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries.chains import denoted_table, related_table, root_table
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.sql import Use


def is_written(node: Node) -> bool:
    """Whether an argument is a generator, or a function of a row."""
    op = node.origin.op
    return isinstance(op, ops.Def) or (isinstance(op, ops.Comp) and op.kind == "generator")


def written_calls(project: Project) -> Iterator[Node]:
    """The calls that are given such an argument and may ask for rows by it."""
    for last in sorted(project.models.kinds["written-queries"]):
        yield from (node for node in project.calls_of(last) if any(map(is_written, node.args())))


def written_uses(project: Project, call: Node) -> Iterator[Use]:
    """What the functions and generators that a call is given ask of the rows."""
    for argument in call.args():
        op = argument.origin.op
        if isinstance(op, ops.Comp):
            yield from _of_generator(project, argument.origin)
        elif isinstance(op, ops.Def):
            yield from _of_function(project, root_table(project, call), call, argument.origin)


def _of_generator(project: Project, made: Node) -> Iterator[Use]:
    """The conditions of a generator over models: those behind its ``if``."""
    regions = made.code.body.regions
    loops = [region for region in regions if region.kind == "comp" and region.last == made.value]
    first = min((region.first for region in loops), default=made.value)
    rows = dict(_iterated(project, made, first))
    if not rows or not all(traits(project, table.orm).written for table in rows.values()):
        return
    reader = Conditions(project, rows=rows)
    for region in regions:
        if region.kind == "then" and region.first > first and region.last == made.value and region.test != ops.NONE:
            yield from reader.read(made.to(region.test))


def _iterated(project: Project, made: Node, first: int) -> Iterator[tuple[Node, Table]]:
    """The variables of a generator, with the tables of their rows: of a model, or of a relation of another's row."""
    for value in range(first, made.value):
        node = made.to(value)
        if isinstance(node.op, ops.Element):
            base = node.to(node.op.base)
            over = base.origin.op
            related = related_table(project, base.origin, over) if isinstance(over, ops.Attr) else None
            table = denoted_table(project, base) or related
            if table is not None:
                yield node, table


def _of_function(project: Project, table: Table | None, call: Node, given: Node) -> Iterator[Use]:
    """What ``lambda note: note.title == x`` asks of a table's rows, or by what it puts them in order."""
    op = given.op
    if table is None or not isinstance(op, ops.Def) or not traits(project, table.orm).written:
        return
    code = given.code.file.code(op.function)
    reader = Conditions(project, rows=dict.fromkeys(code.nodes(ops.Param), table))
    for inner in code.ops:
        if isinstance(inner, ops.Return):
            value = code.node(inner.value)
            yield from reader.sort(value) if call.is_call_of("order-links") else reader.read(value)
