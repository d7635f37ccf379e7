"""Conditions that callers hand to a function which asks with them: ``repository.find(User.email == email)``.

A repository's or manager's methods know neither table nor column; who calls them does, and is where a reader looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import denoted_table, ends_early, model_of
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.sql import Use


def handed_sites(project: Project) -> Iterator[QuerySite]:
    """A site at every call that hands conditions to a function that puts them in a query."""
    for last in sorted(project.models.kinds["condition-links"]):
        for node in project.calls_of(last):
            for index in _parameters(node):
                for call in project.callers(node.code):
                    yield from _site(project, node, call, index)


def _parameters(node: Node) -> Iterator[int]:
    """The parameters that a link of a chain gets its conditions from; ``self`` is none."""
    call = node.call
    if call is None or node.receiver is None or node.code.function.kind != "function":
        return
    first = 1 if node.code.cls is not None else 0
    for value in (*call.args, *call.star, *call.dstar):
        op = node.origin.to(value).origin.op
        if isinstance(op, ops.Param) and op.index >= first:
            yield op.index


def _site(project: Project, node: Node, call: Node, index: int) -> Iterator[QuerySite]:
    uses = tuple(dict.fromkeys(_uses(project, node, call, index)))
    if uses and project.role(call.code.path) != "test":
        later = [other for other in node.code.nodes(ops.Call) if other.value > node.value]
        limited, single = ends_early(node, later)
        tables = tuple(dict.fromkeys(use.table for use in uses))
        yield QuerySite(
            place=call.place if call.func is None else call.func.place,
            code=call.code,
            node=call,
            uses=uses,
            limited=limited,
            single=single,
            tables=tables,
        )


def _uses(project: Project, node: Node, call: Node, index: int) -> Iterator[Use]:
    code = node.code
    param = code.function.params[index]
    if param.kind == "dstar":
        table = _table(project, call, code)
        known = {other.name for other in code.function.params}
        given = {name: value for name, value in call.keywords().items() if name not in known}
        yield from Lookups(project).keywords(table, given) if table is not None else ()
        return
    reader = Conditions(project)
    for argument in _given(project, call, code, index):
        yield from reader.read(argument)


def _given(project: Project, call: Node, code: Code, index: int) -> list[Node]:
    if code.function.params[index].kind != "star":
        argument = project.argument(call, code, index)
        return [argument] if argument is not None else []
    bound = 1 if code.cls is not None else 0
    values = call.call.args if call.call is not None else ()
    return [call.origin.to(value) for value in values[max(index - bound, 0) :]]


def _table(project: Project, call: Node, code: Code) -> Table | None:
    """The table that a repository asks: the model that its class names, or that it was made with."""
    receiver = call.receiver
    if receiver is None:
        return None
    for cls in (*project.instances(receiver), *project.denoted_classes(receiver)):
        found = model_of(project, cls.name)
        if found is not None:
            return found
    made = project.resolved(receiver)
    return next((t for a in made.args() if (t := denoted_table(project, a)) is not None), None) if made.call else None
