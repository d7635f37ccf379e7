"""Values of a JSON body as keys: a list or an object where a text is due is no key of anything."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.requests import Wish, input_behind, showing
from backaudit.backend.web.catching import ending, escapes, reached_functions
from backaudit.backend.web.inputs.reads import checked_data
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import Node, Project
from backaudit.project.holding import conditions
from backaudit.project.types import split
from backaudit.rule import Finding, Step

_RAISED = "builtins.TypeError"
_HASHING = frozenset({"builtins.dict", "builtins.set", "builtins.frozenset"})
_DISPLAYS = ("dict", "set")
_ASKS = ("in", "not in")
# How a table says of a call that its result is the fields that a schema declares, see ``[propagates]``.
_FIELDS = frozenset({"fields", "fields-of-second"})


def findings(project: Project) -> Iterator[Finding]:
    """Each key of a mapping, or member that a set is asked for, that is whatever JSON the client sends, uncaught."""
    for code in reached_functions(project):
        told: set[Node] = set()
        for node in sorted((*code.nodes(ops.Item), *code.nodes(ops.Compare)), key=lambda one: one.value):
            key = _key(project, node)
            if key is None or key.origin in told or is_text(project, node, key.origin):
                continue
            path = escapes(project, node, (_RAISED,))
            place = input_behind(project, key, untyped=True) if path is not None else None
            if path is None or place is None or not is_field_of_json(place):
                continue
            if not is_judged(project, key):
                told.add(key.origin)
                yield _finding(project, node, key, path, place[1])


def _key(project: Project, node: Node) -> Node | None:
    """What a mapping or a set has to hash for an operation."""
    op = node.op
    if isinstance(op, ops.Item):
        base, key = node.to(op.base), node.to(op.key)
    elif isinstance(op, ops.Compare) and op.operator in _ASKS:
        base, key = node.to(op.right), node.to(op.left)
    else:
        return None
    return key if key.text is None and _hashes(project, base) else None


def is_field_of_json(place: tuple[str, str]) -> bool:
    """Whether an input is a field of a body by its name, and no key that is gone through."""
    return place[0] == "body" and place[1].isidentifier()


class _Judged(Goal):
    """What a schema gives of its fields, each of the type that it declares."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        names = search.project.names(node.func) if node.func is not None else ()
        gives = any(not _FIELDS.isdisjoint(search.models.propagates.get(name, ())) for name in names)
        return "a schema gives it" if gives or checked_data(search.project, node) is not None else None


def is_judged(project: Project, value: Node) -> bool:
    """Whether a value comes out of a schema, which refuses a list where a text is due."""
    return next(Trace(project, _Judged()).origins(value), None) is not None


def is_text(project: Project, node: Node, key: Node) -> bool:
    """Whether something has made a text of the key, or asked what it is."""
    made = key.func is not None and "builtins.str" in project.names(key.func)
    tests = (node.code.node(test) for test, _ in conditions(node.code, node.value))
    asked = (test for test in tests if test.method == "isinstance")
    return made or key.is_call_of("text-methods") or any(test.args()[0].origin == key for test in asked)


def _hashes(project: Project, base: Node) -> bool:
    here = project.resolved(base).origin
    if isinstance(here.op, ops.Build):
        return here.op.kind in _DISPLAYS
    types = project.types(base)
    return bool(types) and all(split(name)[0] in _HASHING for name in types)


def _finding(project: Project, node: Node, key: Node, path: tuple[Node, ...], name: str) -> Finding:
    place = node.place.first_line()
    origin = client_origin(project, key, untyped=True)
    end = ending(project, node, path, "a 500, not a 400")
    return Finding(
        place=place,
        message=f"`{name}` is a key here, and may be a list or an object in the client's JSON: a TypeError, {end}.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(*(origin.steps if origin is not None else ()), Step(place, "is hashed, or refused")),
        request=showing(project, node, path, (Wish("listed", "body", name),), raises=_RAISED),
    )
