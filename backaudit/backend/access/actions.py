"""What a method that a view's actions share does for one of them: it asks for the action, or the request's method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.holding import conditions
from backaudit.project.locate import text_of
from backaudit.project.operands import operands
from backaudit.vocabulary.protocols import SAFE

Truth = bool | None

_EQUAL = {"==": True, "in": True, "!=": False, "not in": False}


def runs_for(node: Node, route: Route) -> Truth:
    """Whether an operation runs when a route is asked for; None where that depends on anything else."""
    code = node.code
    held = [_agrees(holds(code.node(test), route), truth) for test, truth in conditions(code, node.value)]
    return False if False in held else None if None in held else True


def _agrees(said: Truth, wanted: bool) -> Truth:
    return None if said is None else said == wanted


def holds(test: Node, route: Route) -> Truth:
    """Whether a condition holds for a route, as far as it asks for the action or the method alone."""
    here = test.origin
    op = here.op
    if isinstance(op, ops.Unary) and op.operator == "not":
        inner = holds(here.to(op.value), route)
        return None if inner is None else not inner
    if isinstance(op, ops.Logic):
        return _joined(op.operator, [holds(here.to(value), route) for value in op.values])
    if isinstance(op, ops.Compare) and op.operator in _EQUAL:
        return _agrees(_is_among(asked_of(here.to(op.left), route), here.to(op.right)), _EQUAL[op.operator])
    return None


def _joined(operator: str, said: list[Truth]) -> Truth:
    """What ``and`` and ``or`` make of their sides."""
    decides = operator == "or"
    if decides in said:
        return decides
    return None if None in said else not decides


def asked_of(node: Node, route: Route) -> frozenset[str]:
    """The names that an expression can stand for: the route's action, or its methods; empty for any other."""
    here = node.origin
    if here.call is not None and here.method in ("lower", "upper") and here.receiver is not None:
        return asked_of(here.receiver, route)
    if _reads(here, "action") and route.action:
        return frozenset({route.action.upper()})
    return frozenset(route.methods) if _reads(here, "method") else frozenset()


def _reads(node: Node, name: str) -> bool:
    """Whether a value is an attribute of the view or request: ``self.action``, ``getattr(self, "action", None)``."""
    op = node.op
    if isinstance(op, ops.Attr):
        return op.name == name
    asked = node.arg(1) if node.method == "getattr" else None
    return asked is not None and asked.text == name


def _is_among(asked: frozenset[str], listed: Node) -> Truth:
    """Whether what is asked for is one of those listed; None where only some of it is, or the list is not known."""
    names = frozenset(_listed(listed))
    if not asked or not names:
        return None
    return True if asked <= names else None if asked & names else False


def _listed(node: Node) -> Iterator[str]:
    here = node.code.project.resolved(node)
    if here.spelled.endswith("SAFE_METHODS") or node.spelled.endswith("SAFE_METHODS"):
        yield from SAFE
        return
    for item in items(here) or [here]:
        text = text_of(here.code.project, item)
        if text is None:
            return
        yield text.upper()


def entries_for(code: Code, route: Route) -> Iterator[Node]:
    """What ``TABLE[self.action]`` and ``TABLE.get(self.action, other)`` in a body give for a route."""
    for table, key, other in _lookups(code):
        asked = asked_of(key, route)
        found = next((value for name, value in _entries(table) if name in asked), other)
        if found is not None:
            yield found


def in_tables(code: Code) -> frozenset[int]:
    """The operations of a body that stand in a table which is asked for the action, or stand in for its entries."""
    found: set[int] = set()
    for table, _, other in _lookups(code):
        for given in (table, other) if other is not None else (table,):
            found |= {node.value for node in operands(given.origin) if node.code == code}
    return frozenset(found)


def _lookups(code: Code) -> Iterator[tuple[Node, Node, Node | None]]:
    """Where a body looks something up by the action or the method: the table, the key, and what stands in for it."""
    for node in (*code.nodes(ops.Item), *code.nodes(ops.Call)):
        op = node.op
        if isinstance(op, ops.Item):
            table, key, other = node.to(op.base), node.to(op.key), None
        elif node.method == "get" and node.receiver is not None and (first := node.arg(0)) is not None:
            table, key, other = node.receiver, first, node.arg(1)
        else:
            continue
        if any(_reads(key.origin, name) for name in ("action", "method")):
            yield table, key, other


def _entries(table: Node) -> Iterator[tuple[str, Node]]:
    for key, value in table.code.project.resolved(table).entries():
        if key.text is not None:
            yield key.text.upper(), value


def view_steps(project: Project, methods: Sequence[str]) -> frozenset[str]:
    """The methods of a class view that its library calls for methods of HTTP; all where no table speaks of one."""
    kinds = project.models.kinds
    unasked = [kinds.known(f"unasked-steps:{method}") for method in methods]
    return kinds["view-steps"] - (frozenset.intersection(*unasked) if unasked else frozenset())
