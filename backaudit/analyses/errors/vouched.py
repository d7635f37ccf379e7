"""Texts whose form is known before something is made of them: asked for, matched, converted once, or found as a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.access.missing import alike, asked
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import by_handler, routes
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.approvals import guarded
from backaudit.project import Code, Node, Project
from backaudit.project.locate import on_the_way
from backaudit.project.operands import made_of


def is_vouched(project: Project, argument: Node, call: Node) -> bool:
    """Whether a text's form is known before a call: asked for, matched, converted once, or found as a key."""
    return (
        _converted_before(call, argument)
        or _checked(argument, call)
        or _matched(project, argument)
        or _found_by(project, argument, call)
    )


def _converted_before(call: Node, argument: Node) -> bool:
    """Whether the same text was converted the same way before: then this one does not raise."""
    code = call.code
    before = (other for other in code.calls_of(call.method) if other.value < call.value and other.receiver is None)
    same = (one for one in before if (given := one.arg(0)) is not None and alike(code, given.value, argument.value))
    return any(on_the_way(code, one.value, call.value) for one in same)


def _checked(argument: Node, call: Node) -> bool:
    """Whether the text's form was asked for before."""
    code = call.code
    return guarded(argument, call.value, frozenset()) or any(
        (code.node(value).is_call_of("digit-checks") or code.node(value).is_call_of("pattern-checks"))
        and any(alike(code, part.value, argument.value) for part in _involved(code.node(value)))
        and asked(code, value, call.value)
        for value in code.before(call.value, ops.Call)
    )


def _found_by(project: Project, argument: Node, call: Node) -> bool:
    """Whether a row was found by the text before: what is no key has had its 404."""
    code = call.code
    wanted = tuple(_alternatives(code, argument.value))
    return _on_every_way(
        code,
        (
            value
            for value in code.before(call.value, ops.Call)
            if (func := code.node(value).func) is not None
            and not project.models.kinds["answers-404"].isdisjoint(project.names(func))
            and any(_mentions(code, value, part) for part in wanted)
        ),
        call.value,
    )


def _on_every_way(code: Code, values: Iterator[Value], use: Value) -> bool:
    """Whether whoever comes to ``use`` has passed one of the values: one on the way, or one in each of two branches."""
    around = code.regions_of(use)
    taken = set()
    for value in values:
        apart = [region for region in code.regions_of(value) if region not in around]
        if not apart:
            return True
        if len(apart) == 1:
            taken.add((apart[0].test, apart[0].kind))
    return any((test, "then") in taken and (test, "else") in taken for test, _ in taken)


def _alternatives(code: Code, value: Value) -> Iterator[Value]:
    """The values that may be meant where branches join."""
    op = code.ops[code.origin(value)]
    yield code.origin(value)
    if isinstance(op, ops.Phi):
        yield from (code.origin(part) for part in op.values)


def _mentions(code: Code, value: Value, wanted: Value) -> bool:
    return any(part.value == wanted for part in made_of(code.node(value)))


def _involved(call: Node) -> list[Node]:
    return [*call.args(), *([call.receiver] if call.receiver is not None else [])]


def _matched(project: Project, argument: Node) -> bool:
    """Whether a regular expression has passed the text: its group, or a part of the path that admits digits only."""
    node = argument.origin
    if node.method in ("group", "groups"):
        return True
    name = _name_of(node)
    return bool(name) and (_has_digits_only(project, node.code, name) or _has_found_row(project, node))


def _has_digits_only(project: Project, code: Code, name: str) -> bool:
    """Whether the path of a handler, as it is declared, admits nothing else for a placeholder."""
    digits = re.compile(
        rf"{{{re.escape(name)}:[^}}]*(?:\\d|\[0-9])|\?P<{re.escape(name)}>[^)]*(?:\\d|\[0-9])|<int:{re.escape(name)}>"
    )
    served = project.once(by_handler).get(code) or _routes_of_view(project, code)
    declared = [*(route.declared for route in served), *code.decorators]
    if any(digits.search(text) for node in declared for text in _texts(project, node)):
        return True
    return any(_DIGITS.fullmatch(pattern) for route in served for key, pattern in route.converters if key == name)


def _routes_of_view(project: Project, code: Code) -> tuple[Route, ...]:
    """The routes that a class view answers, for a method of it that is none's handler (``get_queryset``)."""
    return tuple(project.once(_by_view).get(code.cls.name, ())) if code.cls is not None else ()


def _by_view(project: Project) -> dict[str, list[Route]]:
    """The routes that class views answer, by the view and each of its bases."""
    found: dict[str, list[Route]] = {}
    for route in project.once(routes):
        for name in project.lineage(route.view.name) if route.view is not None else ():
            found.setdefault(name, []).append(route)
    return found


# What a path's placeholder may be restricted to so that a number can be made of it.
_DIGITS = re.compile(r"int|\(?(?:\\d|\[0-9\])(?:[+*]|\{[\d,]+\})?\)?")


def _has_found_row(project: Project, node: Node) -> bool:
    """Whether a generic view has looked a row up by the path before it calls this method."""
    op = node.op
    base = node.to(op.base).origin if isinstance(op, ops.Item) else None
    of_path = base is not None and isinstance(base.op, ops.Attr) and base.op.name == "kwargs"
    return of_path and node.code.cls is not None and node.code.function.name in project.models.kinds["after-look-up"]


def _name_of(node: Node) -> str:
    """The name of a path parameter: of the function's parameter, or the key by which it is read."""
    op = node.op
    if isinstance(op, ops.Param):
        return op.name
    key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0)
    return (key.text or "") if key is not None else ""


def _texts(project: Project, call: Node | None) -> list[str]:
    if call is None:
        return []
    found = (project.constant(argument) for argument in (*call.args(), *call.keywords().values()))
    return [constant.text for constant in found if constant is not None and constant.text is not None]
