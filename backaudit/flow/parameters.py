"""What a call of SQL binds to the parameters of its statement."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.flow.trace import Access
from backaudit.project import Node, Project
from backaudit.project.code import SERVING
from backaudit.project.strings import spelled_strings
from backaudit.sqlparams import Parameter, parameters


def sql_parameters(project: Project) -> tuple[tuple[Node, Parameter], ...]:
    """(execute call, one bound parameter) for every statement whose text is known."""
    return project.once(_sql_parameters)


def _sql_parameters(project: Project) -> tuple[tuple[Node, Parameter], ...]:
    found: list[tuple[Node, Parameter]] = []
    for name in sorted(project.models.sinks.get("sql", {})):
        for call in project.calls(name):
            argument = call.arg(0, "sql")
            if argument is None or project.role(call.code.path) not in SERVING:
                continue
            inner = argument.arg(0) if argument.call is not None and argument.method == "text" else argument
            for text in spelled_strings(project, inner) if inner is not None else ():
                found += [(call, parameter) for parameter in parameters(text)]
    return tuple(dict.fromkeys(found))


def bound(call: Node, parameter: Parameter) -> Iterator[tuple[Node, Access]]:
    """What a parameter stands for: a part of the driver's sequence or mapping, an argument, or a part of the text."""
    op, text = call.call, call.arg(0, "sql")
    if op is None or text is None:
        return
    rest = op.args[1:]
    if parameter.slot == "":
        yield text, ()
    elif isinstance(parameter.slot, str):
        for value in rest[:1]:
            yield call.origin.to(value), (parameter.slot,)
        named = call.keywords().get(parameter.slot)
        if named is not None:
            yield named, ()
    elif not rest:
        yield from _formatted(text.origin, parameter.slot)
    elif len(rest) == 1:
        yield from _of_sequence(call.origin.to(rest[0]), parameter.slot)
    elif parameter.slot < len(rest):
        yield call.origin.to(rest[parameter.slot]), ()


def _of_sequence(values: Node, slot: int) -> Iterator[tuple[Node, Access]]:
    made = values.origin
    yield values, (slot,)
    if slot == 0 and isinstance(made.op, (ops.Attr, ops.Const)):
        yield values, ()


def _formatted(text: Node, slot: int) -> Iterator[tuple[Node, Access]]:
    """``"... %s ..." % (a, b)``, where the driver is given no parameters."""
    op = text.op
    if isinstance(op, ops.Bin) and op.operator == "%":
        right = text.to(op.right)
        yield right, (slot,) if isinstance(right.origin.op, ops.Build) else ()
