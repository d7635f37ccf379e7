"""Rows that the code counts on by name, and that nobody makes: a new database has none, and the look-up raises."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conflicts.rows import constructions
from backaudit.backend.access.missing import chain, raising
from backaudit.backend.access.tables import fetched_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.catching import escapes, reached
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step, assume

_UNMADE = assume("stored", "nobody has made the row by hand")


def findings(project: Project) -> Iterator[Finding]:
    """Each look-up of one row by words of the code alone, uncaught, of a table that the project does not fill."""
    for call, exceptions in raising(project):
        words = _own_words(project, call)
        table = fetched_table(project, call) if words else None
        path = escapes(project, call, exceptions) if table is not None else None
        if table is None or path is None or not reached(project, call.code):
            continue
        if _is_filled(project, table):
            continue
        place, raised = call.place.first_line(), exceptions[0].rpartition(".")[2]
        yield Finding(
            place=place,
            message=f"`{call.method}()` raises {raised} on a database that has no row of `{table.name}` for "
            f"`{'`, `'.join(words)}`: nothing here makes one, and nobody catches it: a 500 until somebody has.",
            assumed=_UNMADE,
            shown="strict",
            trace=(Step(place, "looks up a row that is to be there already"),),
        )


def _own_words(project: Project, call: Node) -> tuple[str, ...]:
    """What a look-up goes by, if the code itself says all of it; nothing of one that asks for any row."""
    given = [(name, value) for link in chain(call) for name, value in _asked(link)]
    known = all(project.constant(value) is not None for _, value in given)
    return tuple(f"{name}={value.spelled or value.const!r}" for name, value in given) if known else ()


def _asked(link: Node) -> Iterator[tuple[str, Node]]:
    yield from link.keywords().items()
    named = link.keywords().values()
    for argument in (one.origin for one in link.args() if one not in named):
        op = argument.op
        if isinstance(op, ops.Compare):
            yield argument.to(op.left).spelled, argument.to(op.right)
        elif argument.call is None and not _is_model(argument):
            yield "", argument


def _is_model(node: Node) -> bool:
    """Whether an argument is the model itself: ``select(Role)``, ``get(Role, 1)``."""
    return bool(list(node.code.project.denoted_classes(node)))


def _is_filled(project: Project, table: Table) -> bool:
    """Whether a migration, a command or the start of the application makes rows of the table."""
    made = constructions(project, table) if table.model else ()
    return table.seeded or any(not reached(project, call.code) for call in made)
