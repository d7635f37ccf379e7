"""Keys that forms and serializers read of what was validated, though the field was refused or not sent."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.needed import needs
from backaudit.backend.access.missing import alike, asked, tests
from backaudit.backend.web.catching import catches
from backaudit.backend.web.chosen import chosen
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.rule import Finding, assume

_KEY_ERROR = ("builtins.KeyError",)
_TYPE_ERROR = ("builtins.TypeError",)
_CLEANS = "clean"


def findings(project: Project) -> Iterator[Finding]:
    """Each key of validated data that is not there where its field was refused, or where only a part was sent."""
    kinds = project.models.kinds
    for cls in project.subclasses(*sorted(kinds["forms"])):
        for name, code in cls.methods.items():
            if name == _CLEANS or name.startswith(f"{_CLEANS}_"):
                yield from _of_form(project, code, name.removeprefix(f"{_CLEANS}_"))
                yield from _got_none(project, code, name.removeprefix(f"{_CLEANS}_"))
    partial = {cls.name for cls in _partly_filled(project)}
    for cls in project.subclasses(*sorted(kinds["partial-serializers"])):
        validate = cls.methods.get("validate")
        if validate is not None and cls.name in partial:
            yield from _of_serializer(project, validate)


def _of_form(project: Project, code: Code, own: str) -> Iterator[Finding]:
    """A field that was refused is not in ``cleaned_data``; the method's own field always is."""
    for node, key, base in _items(code):
        cleaned = base.origin.op
        of_form = isinstance(cleaned, ops.Attr) and cleaned.name == "cleaned_data"
        of_form = of_form or (base.origin.method == _CLEANS and not base.origin.args())
        if of_form and key != own and not _is_asked(project, node, base, key):
            yield _finding(node, key, "where that field was refused")
            return


def _got_none(project: Project, code: Code, own: str) -> Iterator[Finding]:
    """``len(cleaned_data.get("password"))``: a field that was refused gives None, which is used as if it were text."""
    for call in code.nodes(ops.Call):
        read = next((value for value in _needed(project, call) if _is_got(value, own)), None)
        if read is None or asked(code, read.value, call.value) or catches(project, call, _TYPE_ERROR) is not None:
            continue
        key = (first.text for first in read.args())
        yield Finding(
            place=call.place.first_line(),
            message=f'"{next(key)}" is None where that field was refused, and `{call.method}()` needs a value: no one '
            "catches what it raises, a 500, not a 400.",
            assumed=assume("caller", "no other validator has asked for the key"),
        )
        return


def _needed(project: Project, call: Node) -> Iterator[Node]:
    """What a call needs to be no None: what it hands on, and the text whose method it is."""
    yield from (need.given.origin for need in needs(project, call))
    if call.receiver is not None and call.is_call_of("text-methods"):
        yield call.receiver.origin


def _is_got(read: Node, own: str) -> bool:
    """Whether a value is ``cleaned_data.get("other_field")``."""
    first = read.arg(0) if read.method == "get" and len(read.args()) == 1 else None
    holder = read.receiver
    if holder is None or first is None:
        return False
    op = holder.origin.op
    cleaned = (isinstance(op, ops.Attr) and op.name == "cleaned_data") or holder.origin.method == _CLEANS
    return cleaned and first.text not in (None, own)


def _of_serializer(project: Project, code: Code) -> Iterator[Finding]:
    """A PATCH validates what was sent alone."""
    for node, key, base in _items(code):
        given = base.origin.op
        if isinstance(given, ops.Param) and given.index == 1 and not _is_asked(project, node, base, key):
            yield _finding(node, key, "where a PATCH leaves it out")
            return


def _items(code: Code) -> Iterator[tuple[Node, str, Node]]:
    """What a method reads by a literal key: the read, the key, and what it is read of."""
    if code.file.role != "production":
        return
    for node in code.nodes(ops.Item):
        op = node.op
        assert isinstance(op, ops.Item)
        key = node.to(op.key).text
        if key is not None:
            yield node, key, node.to(op.base)


def _is_asked(project: Project, node: Node, base: Node, key: str) -> bool:
    """Whether the key was asked for or set before, or its absence is caught."""
    code = node.code
    if catches(project, node, _KEY_ERROR) is not None:
        return True
    for value in range(node.value):
        op = code.ops[value]
        if isinstance(op, ops.Compare) and op.operator in ("in", "not in") and code.node(op.left).text == key:
            return True
        if isinstance(op, ops.SetItem) and alike(code, op.base, base.value) and code.node(op.key).text == key:
            return True
    return any(_got(code, test, key) for test in tests(code, node.value))


def _got(code: Code, test: Value, key: str) -> bool:
    """Whether a condition looks at ``data.get("key")``, or at errors and partial updates as such."""
    for node in made_of(code.node(test)):
        first = node.arg(0)
        if node.method == "get" and first is not None and first.text == key:
            return True
        if isinstance(node.op, ops.Attr) and node.op.name in ("errors", "partial", "instance"):
            return True
    return False


def _partly_filled(project: Project) -> Iterator[ClassView]:
    """The serializers of views that answer PATCH."""
    views = {route.view.name: route.view for route in routes(project) if route.view and "PATCH" in route.methods}
    for view in views.values():
        yield from (one.cls for one in chosen(project, view, "serializer_class"))


def _finding(node: Node, key: str, when: str) -> Finding:
    return Finding(
        place=node.place.first_line(),
        message=f'"{key}" is not there {when}: KeyError, which no one catches: a 500, not a 400.',
        assumed=assume("caller", "no other validator has asked for the key"),
    )
