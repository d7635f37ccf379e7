"""Rows that belong to who calls, and that not everybody has: a cart, a wallet, a list that the first visit makes."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.caller import NOBODY, Context, Values, of_people
from backaudit.backend.access.changes import how
from backaudit.backend.access.missing import chain
from backaudit.backend.access.owners import caller_bodies, filled_table, owner_column
from backaudit.backend.access.tables import fetched_table, touched_table
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.locate import makes_object
from backaudit.rule import Step


def lacked_by_some(project: Project, lookup: Node) -> Origin | None:
    """Why a look-up may find nothing: it is by the caller alone, and the row is made later than the caller's own."""
    table = _table(project, lookup)
    if table is None or table.name not in project.once(_made_later) or not _is_by_caller(project, lookup, table):
        return None
    name = table.model.rpartition(".")[2] or table.name
    what = f"the caller's `{name}` is looked up, which not everybody has"
    made = project.once(_made_later)[table.name]
    steps = (Step(lookup.place.first_line(), what), Step(made.place.first_line(), "it is only made here"))
    return Origin(lookup, what, steps)


def _table(project: Project, lookup: Node) -> Table | None:
    found = (fetched_table(project, link) for link in chain(lookup) if link.call is not None)
    return next((table for table in found if table is not None), None) or touched_table(project, lookup)


def _is_by_caller(project: Project, lookup: Node, table: Table) -> bool:
    """Whether who calls is all that a look-up asks by."""
    context = project.once(_contexts).get(lookup.code)
    owner = owner_column(project, table)
    if context is None or owner is None:
        return False
    reader = Values(project, lookup.code, context)
    asked = [name for link in chain(lookup) for name in _asked(link, reader)]
    names = {owner.name, owner.attribute, owner.name.removesuffix("_id")}
    return bool(asked) and all(identified and name in names for name, identified in asked)


def _asked(link: Node, reader: Values) -> Iterator[tuple[str, bool]]:
    """The columns that a link of a query compares, and whether each is compared with the caller."""
    for name, value in link.keywords().items():
        yield name.partition("__")[0], reader.identifies(value)
    for argument in link.args():
        made = argument.origin
        op = made.op
        if isinstance(op, ops.Compare):
            sides = (made.to(op.left).origin, made.to(op.right).origin)
            column = next((side.op.name for side in sides if isinstance(side.op, ops.Attr)), "")
            yield column, op.operator == "==" and any(map(reader.identifies, sides))


def _contexts(project: Project) -> dict[Code, Context]:
    """What is known of the caller in each body, over all that call it."""
    found: dict[Code, Context] = {}
    for code, context in project.once(caller_bodies):
        known = found.get(code, context)
        found[code] = Context(known.identity | context.identity, frozenset())
    return found


def _made_later(project: Project) -> dict[str, Node]:
    """Tables whose rows are made for who calls, never for somebody who registers; and where one is made."""
    made: dict[str, list[tuple[Node, bool]]] = {}
    contexts = project.once(_contexts)
    serving = (file for file in project.files.values() if file.role == "production")
    for code in (code for file in serving for code in file.bodies):
        reader = Values(project, code, contexts.get(code, NOBODY))
        for table, call, owner in _made(project, code):
            later = reader.identifies(owner) or _is_of_a_row(project, owner)
            made.setdefault(table.name, []).append((call, later))
    return {name: calls[0][0] for name, calls in made.items() if all(later for _, later in calls)}


def _is_of_a_row(project: Project, owner: Node) -> bool:
    """Whether an owner is one that a row of something else names: whom an order is for is no newcomer."""
    here = owner.origin
    while isinstance(here.op, ops.Attr):
        here = here.to(here.op.base).origin
        table = touched_table(project, here)
        if table is not None:
            return not of_people(project, table)
    return False


def _made(project: Project, code: Code) -> Iterator[tuple[Table, Node, Node]]:
    """The rows that a body makes with an owner: of which table, where, and whose."""
    for call in code.nodes(ops.Call):
        table = filled_table(project, call) if call.keywords() and _makes(project, call) else None
        owner = owner_column(project, table) if table is not None else None
        if table is None or owner is None or of_people(project, table):
            continue
        given = call.keywords()
        whose = given.get(owner.name) or given.get(owner.attribute) or given.get(owner.name.removesuffix("_id"))
        if whose is not None:
            yield table, call, whose


def _makes(project: Project, call: Node) -> bool:
    """Whether a call makes a row: of a class, or of a query."""
    return makes_object(project, call) or (call.is_call_of("query-writes") and how(call.method) == "insert")
