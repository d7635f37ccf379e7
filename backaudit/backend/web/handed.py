"""Values that handlers hand on: the parameters to which they give them, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from backaudit.facts import ops
from backaudit.project import Code, Node, Project

Parameter = tuple[Code, int]


def handed_parameters(
    project: Project, bodies: Iterable[Code], is_meant: Callable[[Node], bool]
) -> dict[Parameter, tuple[Node, Node]]:
    """The parameters to which bodies, or those that they call, hand a value that is meant: the call, and the value
    there. Whoever hands a value on stands before whom it is handed to.
    """
    found: dict[Parameter, tuple[Node, Node]] = {}

    def carries(value: Node) -> bool:
        op = value.op
        return (isinstance(op, ops.Param) and (value.code, op.index) in found) or is_meant(value)

    waiting = sorted(dict.fromkeys(bodies), key=lambda code: (code.path, code.index))
    while waiting:
        for call in waiting.pop().nodes(ops.Call):
            for parameter, value in _handing(project, call, carries):
                if parameter not in found:
                    found[parameter] = (call, value)
                    waiting.append(parameter[0])
    return found


def _handing(project: Project, call: Node, carries: Callable[[Node], bool]) -> Iterator[tuple[Parameter, Node]]:
    given = [value for value in (argument.awaited for argument in call.args()) if carries(value)]
    for callee in project.callees(call) if given else ():
        for index in range(len(callee.function.params)):
            argument = project.argument(call, callee, index)
            if argument is not None and argument.awaited in given:
                yield (callee, index), argument.awaited


__all__ = ["Parameter", "handed_parameters"]
