"""A number that a client chose, and that may be zero, by which something is divided."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.refused import Unchecked
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.analyses.errors.vouching import compared
from backaudit.backend.access.missing import alike, chain
from backaudit.backend.web.catching import ending, escapes, reached_functions
from backaudit.backend.web.inputs.records import Shape
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import client_origin
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.operands import made_of
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
            if path is None:
                continue
            if _counted(divisor) is not None:
                yield from _by_length(project, node, divisor, path)
                continue
            origin = next(Trace(project, goal).origins(divisor, (), node.value), None)
            if origin is not None:
                yield Finding(
                    place=node.place.first_line(),
                    message=f"The client may send 0 for `{divisor.spelled}`, by which is divided: ZeroDivisionError, "
                    f"uncaught, {ending(project, node, path, 'a 500, not a 4xx')}.",
                    assumed=assume("caller", "nothing that was called before refuses a zero"),
                    trace=(*origin.steps, Step(node.place.first_line(), "divides by it")),
                    request=showing(project, node, path, wrong(project, "zero", divisor), raises=_RAISED[0]),
                )


def _by_length(project: Project, node: Node, divisor: Node, path: tuple[Node, ...]) -> Iterator[Finding]:
    """``sum(values) / len(values)`` of what a client may send empty, or of rows that a look-up may not find."""
    counted = _counted(divisor)
    if counted is None or _is_asked(node, counted):
        return
    sent = next(Trace(project, _Empty(project)).origins(counted, (), node.value), None)
    key, chosen = (counted, sent) if sent is not None else _rows_of_a_client(project, counted)
    if chosen is None:
        return
    why = "the client may send an empty list" if sent is not None else "the client may ask for what has no rows"
    yield Finding(
        place=node.place.first_line(),
        message=f"`{counted.spelled or divisor.spelled}` may be empty ({why}), and is divided by its length: "
        f"ZeroDivisionError, uncaught, {ending(project, node, path, 'a 500')}.",
        assumed=assume("caller", "nothing that was called before refuses what is empty"),
        trace=(*chosen.steps, Step(node.place.first_line(), "divides by how many there are")),
        request=showing(
            project,
            node,
            path,
            wrong(project, "listed" if sent is not None else "unknown", key),
            raises=_RAISED[0],
        ),
    )


def _counted(divisor: Node) -> Node | None:
    """What ``len(...)`` is asked of, and what ``.count()`` counts."""
    made = divisor.origin
    if made.method == "len" and made.receiver is None:
        return made.arg(0)
    return made.receiver if made.method == "count" and not made.args() else None


def _is_asked(node: Node, counted: Node) -> bool:
    """Whether a condition on the way looks at what is counted, or at how many there are."""
    tests = conditions(node.code, node.value)
    return any(_mentions(node.code, test, counted) for test, _ in tests)


def _mentions(code: Code, test: Value, counted: Node) -> bool:
    return any(alike(code, part.value, counted.value) for part in made_of(code.node(test)))


def _rows_of_a_client(project: Project, counted: Node) -> tuple[Node, Origin | None]:
    """The key by which rows were asked for, and where it comes from: nobody says that it has any."""
    made = counted.origin
    rows = any(name.startswith("list[") or "Query" in name for name in project.types(made))
    if made.call is None or not rows or project.callees(made):
        return counted, None
    for value in (value for link in chain(made) for value in (*link.args(), *link.keywords().values())):
        origin = client_origin(project, compared(value))
        if origin is not None:
            return compared(value), origin
    return counted, None


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


class _Empty(Unchecked):
    """What a client chose and may be an empty list."""

    def fits(self, shape: Shape) -> bool:
        least = shape.limit("minItems")
        return shape.kind not in ("array", "any") or (isinstance(least, (int, float)) and least > 0)


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
