"""A project's own wrappers of a driver: ``pool.select_one("users", {"mail": mail})``, whose body composes the SQL.

What such a function asks is learnt from its body: the parameter that stands behind FROM or UPDATE is the table, one
that is gone through behind WHERE holds the columns, one that stands there by itself names one. Who calls it says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Schema, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import entries, items, text
from backaudit.sql import Use
from backaudit.sql.composed import EACH, ONE, Composed, composed

_HOLES = re.compile(r"%\(\w+\)s|%s|\{\w*\}")
_MAX_DEPTH = 12
_MAX_TEXT = 4_000


def wrapper_sites(project: Project) -> Iterator[QuerySite]:
    """A site for every call of a wrapper that names its table and columns."""
    for code, wrapper in sorted(_wrappers(project).items(), key=lambda found: found[0].place):
        for call in project.callers(code):
            site = _site(schema(project), project, call, code, wrapper)
            if site is not None and project.role(call.code.path) != "test":
                yield site


def _site(tables: Schema, project: Project, call: Node, code: Code, wrapper: Composed) -> QuerySite | None:
    given = project.argument(call, code, wrapper.table)
    table = tables.table(text(project, given)) if given is not None else None
    if table is None:
        return None
    uses: list[Use] = []
    for index, many, form in wrapper.columns:
        argument = project.argument(call, code, index)
        for name in _names(project, argument, many) if argument is not None else ():
            column = table.column(name)
            uses.append(Use(table=table.name, column=column.name if column else name, role="filter", form=form))
    if not uses:
        return None
    place = call.func.place if call.func is not None else call.place
    return QuerySite(
        place=place, code=call.code, node=call, uses=tuple(uses), raw=True, verb=wrapper.verb, tables=(table.name,)
    )


def _names(project: Project, argument: Node, many: bool) -> list[str]:
    if not many:
        return [text(project, argument)] if text(project, argument) else []
    listed = (text(project, item) for item in items(argument))
    return list(entries(argument)) or [name for name in listed if name]


# -- what the bodies say -----------------------------------------------------------------------------------------------


def _wrappers(project: Project) -> dict[Code, Composed]:
    found: dict[Code, Composed] = {}
    for last in sorted(project.models.kinds["sql-runners"]):
        for node in project.calls_of(last):
            first = node.arg(0)
            wrapper = composed(_rendered(first, 0)) if first is not None and node.code.function.params else None
            if wrapper is not None:
                found.setdefault(node.code, wrapper)
    new = found
    while new:
        new = {code: wrapper for code, wrapper in _forwarding(project, found) if code not in found}
        found |= new
    return found


def _rendered(node: Node, depth: int) -> str:
    """The SQL as a body composes it, with the parameters that stand in it marked."""
    node = node.origin
    op = node.op
    if node.code.project.gives_up(depth, _MAX_DEPTH, node.place):
        return ""
    if isinstance(op, ops.Const):
        return node.text or ""
    if isinstance(op, ops.Param):
        return ONE.format(op.index)
    if isinstance(op, (ops.Element, ops.Part)):
        return _gone_through(node, depth)
    if isinstance(op, ops.Call):
        return _called(node, depth)
    if isinstance(op, ops.Bin) and op.operator == "%":
        return _filled(_rendered(node.to(op.left), depth + 1), node.to(op.right), depth)
    if isinstance(op, ops.Phi):
        return max((_rendered(node.to(value), depth + 1) for value in op.values), key=len)[:_MAX_TEXT]
    return "".join(_rendered(part, depth + 1) for part in _pieces(node))[:_MAX_TEXT]


def _pieces(node: Node) -> list[Node]:
    op = node.op
    if isinstance(op, ops.Build):
        appended = (node.code.node(value) for value in node.code.effects.get(node.value, ()))
        grown = [call.args()[0] for call in appended if call.method in ("append", "extend") and call.args()]
        return [*(node.to(value) for value in op.items), *grown]
    if isinstance(op, ops.Bin):
        return [node.to(op.left), node.to(op.right)]
    if isinstance(op, ops.Choice):
        return [node.to(op.then)]
    if isinstance(op, (ops.Format, ops.Comp, ops.Await)):
        return [node.to(op.value)]
    return []


def _gone_through(node: Node, depth: int) -> str:
    """One of many: a key of the mapping, or an item of the list, that a parameter is."""
    op = node.op
    base = node.to(op.base).origin if isinstance(op, (ops.Element, ops.Part)) else node
    if isinstance(op, ops.Part):
        return _gone_through(base, depth) if op.index == 0 else ""
    if base.call is not None:
        inner = base.receiver if base.method in ("keys", "items") else base.arg(0)
        base = inner.origin if inner is not None else base
    return EACH.format(base.op.index) if isinstance(base.op, ops.Param) else ""


def _called(node: Node, depth: int) -> str:
    receiver, first = node.receiver, node.arg(0)
    if node.method == "join" and receiver is not None and first is not None:
        return _rendered(first, depth + 1)
    if node.method == "format" and receiver is not None:
        return _filled(_rendered(receiver, depth + 1), node, depth)
    return "".join(_rendered(argument, depth + 1) for argument in node.args()[:2])


def _filled(template: str, given: Node, depth: int) -> str:
    """A template with its holes filled, in their order or by their names."""
    given = given.origin
    named = given.keywords() if given.call is not None and given.method == "format" else entries(given)
    plain = given.args() if given.call is not None and given.method == "format" else items(given) or [given]
    rest = iter(plain)

    def fill(hole: re.Match[str]) -> str:
        name = hole.group().strip("%()s{}")
        value = named.get(name) if name and not name.isdigit() else next(rest, None)
        return _rendered(value, depth + 1) if value is not None else hole.group()

    return _HOLES.sub(fill, template)


# -- what is handed on -------------------------------------------------------------------------------------------------


def _forwarding(project: Project, known: dict[Code, Composed]) -> Iterator[tuple[Code, Composed]]:
    """The functions that hand their own parameters on to a wrapper, or to what runs it, under the same names."""
    for code, wrapper in known.items():
        for user in project.mentioning(code.function.name):
            own = {param.name: index for index, param in enumerate(user.function.params)}
            names = [param.name for param in code.function.params]
            wanted = [wrapper.table, *(index for index, _, _ in wrapper.columns)]
            if user is not code and user not in known and all(names[index] in own for index in wanted):
                columns = tuple((own[names[index]], many, form) for index, many, form in wrapper.columns)
                yield user, Composed(own[names[wrapper.table]], columns, wrapper.verb)
