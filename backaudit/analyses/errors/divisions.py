"""A number that a client chose, and that may be zero, by which something is divided."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.refused import Unchecked
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.backend.web.catching import ending, escapes, reached_functions
from backaudit.backend.web.inputs.records import Shape
from backaudit.facts import ops
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.rule import Finding, Step, assume

_DIVIDING = frozenset(("/", "//", "%"))
_NUMBERS = frozenset(("builtins.int", "builtins.float", "decimal.Decimal"))
_RAISED = ("builtins.ZeroDivisionError",)


def findings(project: Project) -> Iterator[Finding]:
    """Each division by what a client may send as zero, uncaught."""
    goal = _Zero(project)
    for code in reached_functions(project):
        for node, divisor in _divisions(project, code):
            path = escapes(project, node, _RAISED)
            origin = next(Trace(project, goal).origins(divisor, (), node.value), None) if path is not None else None
            if origin is not None:
                yield Finding(
                    place=node.place.first_line(),
                    message=f"The client may send 0 for `{divisor.spelled}`, by which is divided: ZeroDivisionError, "
                    f"uncaught, {ending(project, node, path or (), 'a 500, not a 4xx')}.",
                    assumed=assume("caller", "nothing that was called before refuses a zero"),
                    trace=(*origin.steps, Step(node.place.first_line(), "divides by it")),
                    request=showing(project, node, path or (), wrong(project, "zero", divisor), raises=_RAISED[0]),
                )


def _divisions(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    """Divisions of numbers, each with what they divide by; ``%`` after a text is none, nor ``/`` after a path."""
    for node in code.nodes(ops.Bin):
        op = node.op
        if not isinstance(op, ops.Bin) or op.operator not in _DIVIDING or node.to(op.right).const is not None:
            continue
        divided = project.types(node.to(op.left))
        if not _NUMBERS.isdisjoint(divided) or (op.operator != "%" and not divided):
            yield node, node.to(op.right)
    for call in code.nodes(ops.Call):
        second = call.arg(1) if call.method == "divmod" else None
        if second is not None:
            yield call, second


class _Zero(Unchecked):
    """What a client chose and may be zero: no lower limit above it is declared, and no condition looks at it."""

    def fits(self, shape: Shape) -> bool:
        least, above = shape.limit("minimum"), shape.limit("exclusiveMinimum")
        positive = (isinstance(least, (int, float)) and least > 0) or (isinstance(above, (int, float)) and above >= 0)
        return positive or bool(shape.choices) or shape.kind not in ("integer", "number", "string")

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        op = node.op
        if node.is_call_of("keeps-above") or (isinstance(op, ops.Logic) and op.operator == "or"):
            return True
        if super().ends(search, node, access, use):
            return True
        tests = conditions(node.code, use) if 0 <= use < len(node.code.ops) else ()
        return any(node.code.node(test).origin.value == node.origin.value for test, _ in tests)
