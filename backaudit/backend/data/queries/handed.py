"""Conditions that callers hand to a function which asks with them: ``repository.find(User.email == email)``.

A repository's or manager's methods know neither table nor column; who calls them does, and is where a reader looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.data.queries.chains import (
    denoted_table,
    ends_early,
    guessed_model,
    model_of,
    root_table,
)
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.queries.links import uses_of_link
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.sql import Use


def handed_sites(project: Project) -> Iterator[QuerySite]:
    """A site at every call that hands conditions to a function that puts them in a query, or says by which column."""
    kinds = project.models.kinds
    for last in sorted(kinds["condition-links"] | kinds["order-links"]):
        for node in project.calls_of(last):
            yield from _sites(project, node)


def _sites(project: Project, link: Node) -> Iterator[QuerySite]:
    whole, columns = list(_parameters(link)), _columns_named(project, link)
    taken = guessed_model(project, link.code.cls)
    for call in project.callers(link.code) if whole or columns or taken else ():
        yield from _site(project, link, call, _of_heir(project, link, call, taken) if taken is not None else ())
        for index in whole if link.is_call_of("condition-links") else ():
            yield from _site(project, link, call, _uses(project, link, call, index))
        told = {param: given for param in columns if (given := _handed(project, call, param)) is not None}
        unsaid = dict.fromkeys(uses_of_link(project, link))
        asked = uses_of_link(project, link, told=told) if told else ()
        yield from _site(project, link, call, (use for use in asked if use not in unsaid))


def _of_heir(project: Project, link: Node, call: Node, taken: Table) -> Iterator[Use]:
    """What a link of a base class asks of the model of the class that it is called on, where another was ``taken``."""
    table = _table(project, call, link.code)
    if table is None or table is taken:
        return
    own = (node for node in link.code.nodes(ops.Attr) if denoted_table(project, node) is taken)
    rows = dict.fromkeys(own, table)
    yield from (use for use in uses_of_link(project, link, table, rows) if use.table != taken.name and use.column)


def _handed(project: Project, call: Node, param: Node) -> Node | None:
    op = param.op
    return project.argument(call, param.code, op.index) if isinstance(op, ops.Param) else None


def _columns_named(project: Project, link: Node) -> list[Node]:
    """The parameters that say by which column a link asks: compared, sorted by, or the name of an attribute or key."""
    call = link.call
    if call is None or link.receiver is None or link.code.function.kind != "function":
        return []
    first = 1 if link.code.cls is not None else 0
    origins = dict.fromkeys(node.origin for node in _columns_of(link, call))
    return [node for node in origins if isinstance(node.op, ops.Param) and node.op.index >= first]


def _columns_of(link: Node, call: ops.Call) -> Iterator[Node]:
    for value in call.args:
        yield from _compared(link.origin.to(value))
    for value in call.dstar:
        yield from (key for key, _ in link.origin.to(value).entries())


def _compared(node: Node) -> Iterator[Node]:
    """What stands where a condition or an order has its column."""
    op = node.origin.op
    if isinstance(op, ops.Compare):
        yield from _compared(node.origin.to(op.left))
    elif node.method == "getattr":
        yield from node.args()[1:2]
    elif isinstance(op, ops.Unary):
        yield from _compared(node.origin.to(op.value))
    elif node.call is not None and node.receiver is not None:
        yield from _compared(node.receiver)
    elif isinstance(op, ops.Item):
        yield node.origin.to(op.key)
    else:
        yield node


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


def _site(project: Project, node: Node, call: Node, asked: Iterable[Use]) -> Iterator[QuerySite]:
    uses = tuple(dict.fromkeys(asked))
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
        table = _table(project, call, code) or root_table(project, node)
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
