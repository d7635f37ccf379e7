"""Names without a value: bound nowhere in sight of a function, or by the function itself, but only later."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import catches, reached_functions
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import BUILTINS, Code, Project
from backaudit.project.nodes import operands
from backaudit.rule import Finding


def findings(project: Project) -> Iterator[Finding]:
    """The first use of each such name in the functions that a request can come to, and in their modules."""
    functions = tuple(reached_functions(project))
    modules = dict.fromkeys(code.file.top for code in functions if code.file.role == "production")
    for code in (*functions, *modules):
        told: set[str] = set()
        for value, name in _used(code):
            message = _unbound(project, code, value, name) if name not in told else ""
            if message and catches(project, code.node(value), ("builtins.NameError",)) is None:
                told.add(name)
                yield Finding(place=code.node(value).place.first_line(), message=message)


def _used(code: Code) -> Iterator[tuple[Value, str]]:
    """The names that are called, raised, caught, read of or inherited from; what only annotates is never looked up."""
    annotating = _annotating(code)
    for base in (*map(_looked_up, code.ops), *_caught(code), *_bases(code)):
        named = code.ops[base] if base != NONE and base not in annotating else None
        if isinstance(named, ops.Name):
            yield base, named.name


def _looked_up(op: ops.AnyOp) -> Value:
    if isinstance(op, ops.Call):
        return op.func
    if isinstance(op, ops.Raise):
        return op.exception
    return op.base if isinstance(op, ops.Attr) else NONE


def _caught(code: Code) -> Iterator[Value]:
    """What the ``except`` clauses name: it is looked up when something was raised, and not before."""
    for region in code.body.regions:
        if region.kind == "except" and region.test != NONE:
            yield from (part.value for part in code.node(region.test).elements())


def _bases(code: Code) -> Iterator[Value]:
    """What the classes of a body are made of."""
    for op in code.ops:
        yield from code.file.facts.classes[op.cls].bases if isinstance(op, ops.ClassDef) else ()


def _annotating(code: Code) -> set[Value]:
    waiting = [op.annotation for op in code.ops if isinstance(op, ops.Bind) and op.annotation >= 0]
    found: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if value not in found:
            found.add(value)
            waiting += [part for part in operands(code.ops[value]) if part != NONE]
    return found


def _unbound(project: Project, code: Code, use: Value, name: str) -> str:
    """What is said of a name that surely has no value where it is used; empty if it may have one."""
    own = [value for value, op in enumerate(code.ops) if isinstance(op, ops.Bind) and op.name == name]
    if any(_is_local(code, value) for value in own):
        later = all(value > use and not _repeated_together(code, value, use) for value in own)
        return f"`{name}` is bound in this function, but only later: an UnboundLocalError, and a 500." if later else ""
    if own or _is_given(project, name) or _is_bound_around(project, code, name):
        return ""
    return f"`{name}` is bound nowhere in this file: a NameError, and a 500."


def _is_given(project: Project, name: str) -> bool:
    return name in BUILTINS or name.startswith("__") or name in project.models.kinds["names-of-elsewhere"]


def _is_local(code: Code, value: Value) -> bool:
    op = code.ops[value]
    in_comprehension = any(region.kind == "comp" for region in code.regions_of(value))
    return isinstance(op, ops.Bind) and op.scope == "local" and not in_comprehension


def _repeated_together(code: Code, value: Value, use: Value) -> bool:
    """Whether one loop runs both: the binding of one turn is there in the next."""
    loops = [region for region in code.regions_of(use) if region.kind in ("loop", "for")]
    return any(region in loops for region in code.regions_of(value))


def _is_bound_around(project: Project, code: Code, name: str) -> bool:
    file = code.file
    scope: Code | None = code.enclosing
    while scope is not None:
        if name in scope.body.final:
            return True
        scope = scope.enclosing
    return bool(project.missing_stars(file) or project.starred(file, name)) or _is_set_from_within(code, name)


def _is_set_from_within(code: Code, name: str) -> bool:
    """Whether another function of the file makes it a global, or makes names at run time."""
    for index, _ in enumerate(code.file.facts.functions):
        for op in code.file.code(index).ops:
            if isinstance(op, ops.Bind) and op.name == name and op.scope == "global":
                return True
            if isinstance(op, ops.Name) and op.name in ("globals", "exec"):
                return True
    return False
