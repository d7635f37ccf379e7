"""Following values to what they stand for, as far as declarations of a back end need it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.types import split

_DEPTH = 6


def behind(project: Project, node: Node, depth: int = 0) -> Iterator[Node]:
    """The values that ``node`` may be: through names, imports, branches, elements of displays, arguments, factories.

    A call of the project's own function stands for what that function returns; any other value stands for itself.
    """
    here = project.resolved(node)
    op = here.op
    inner: list[Node] = []
    if depth < _DEPTH:
        if isinstance(op, (ops.Phi, ops.Logic)):
            inner = [here.to(value) for value in op.values]
        elif isinstance(op, ops.Choice):
            inner = [here.to(op.then), here.to(op.other)]
        elif isinstance(op, (ops.Await, ops.Enter)):
            inner = [here.to(op.value)]
        elif isinstance(op, (ops.Element, ops.Part)):
            inner = _elements(project, here.to(op.base), op, depth)
        elif isinstance(op, ops.Param):
            inner = _passed(project, here.code, op.index)
        elif isinstance(op, ops.Call):
            inner = _made(project, here)
        elif isinstance(op, ops.Attr):
            inner = _stored(project, here, op)
    if not inner:
        yield here
        return
    seen: set[Node] = set()
    for value in inner:
        for found in behind(project, value, depth + 1):
            if found not in seen:
                seen.add(found)
                yield found


def _elements(project: Project, base: Node, op: ops.Element | ops.Part, depth: int) -> list[Node]:
    found: list[Node] = []
    for display in behind(project, base, depth + 1):
        made = display.op
        if isinstance(made, ops.Build) and made.kind in ("tuple", "list", "set"):
            items = [display.to(item) for item in made.items]
            found += items[op.index : op.index + 1] if isinstance(op, ops.Part) and op.index >= 0 else items
    return found


def _passed(project: Project, code: Code, index: int) -> list[Node]:
    """What the project's calls pass for a parameter."""
    if code.function.kind != "function":
        return []
    values = (project.argument(call, code, index) for call in project.callers(code)[:8])
    return [value for value in values if value is not None]


def _made(project: Project, call: Node) -> list[Node]:
    """What the project's function that is called returns."""
    found: list[Node] = []
    for code in project.callees(call):
        if code.function.name != "__init__":
            found += results(code)
    return found


def results(code: Code) -> list[Node]:
    """The values that a body returns."""
    return [code.node(op.value) for op in code.ops if isinstance(op, ops.Return) and op.value != NONE]


def _stored(project: Project, node: Node, op: ops.Attr) -> list[Node]:
    """What ``self.name`` was given in the class's methods, or a module's attribute at its end."""
    found: list[Node] = []
    for name in project.types(node.to(op.base)):
        head, over = split(name)
        bound = project.binding(over, op.name) if head == "module" else None
        cls = project.class_named(head)
        if bound is not None:
            found.append(bound)
        elif cls is not None and op.name in cls.assigned:
            found += [store.to(store.op.value) for store in cls.assigned[op.name] if isinstance(store.op, ops.SetAttr)]
    return found


def items(node: Node) -> list[Node]:
    """The elements of a literal list, tuple or set."""
    op = node.origin.op
    return [node.to(item) for item in op.items] if isinstance(op, ops.Build) and op.kind != "dict" else []


def strings(project: Project, node: Node | None) -> tuple[str, ...]:
    """The texts that a value holds: a literal, or the literals of a list; empty if unknown."""
    if node is None:
        return ()
    found = project.constant(node)
    if found is not None:
        return (found.text,) if found.text is not None else ()
    texts = (project.constant(item) for item in items(project.resolved(node)))
    return tuple(text.text for text in texts if text is not None and text.text is not None)


def text_of(project: Project, node: Node | None) -> str | None:
    """The literal text behind a value; sums, f-strings and formats of literals count, unknown parts become ``*``."""
    if node is None:
        return None
    found = project.constant(node)
    if found is not None:
        return found.text
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Bin) and op.operator == "+":
        left, right = text_of(project, here.to(op.left)), text_of(project, here.to(op.right))
        return None if left is None and right is None else f"{left or ''}{right or ''}"
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return "".join(text_of(project, here.to(item)) or "" for item in op.items)
    if isinstance(op, ops.Format):
        return text_of(project, here.to(op.value))
    if isinstance(op, ops.Attr):
        return _field_text(project, here, op)
    return None


def _field_text(project: Project, node: Node, op: ops.Attr) -> str | None:
    """An attribute of a settings object, given its default in the class."""
    for name in project.types(node.to(op.base)):
        for owner in project.lineage(split(name)[0]):
            cls = project.class_named(owner)
            if cls is not None and op.name in cls.fields:
                found = project.constant(cls.fields[op.name])
                return found.text if found is not None else None
    return None


def decorated(project: Project) -> tuple[tuple[Node, Code | ClassView], ...]:
    """Every decorator and what it decorates, in the order of files and lines."""
    found: list[tuple[Node, Code | ClassView]] = []
    for file in project.files.values():
        for index, function in enumerate(file.facts.functions):
            if function.decorators:
                code = file.code(index)
                found += [(decorator, code) for decorator in code.decorators]
        for cls in file.classes():
            found += [(cls.outer.node(value), cls) for value in cls.cls.decorators]
    return tuple(found)


def functions_behind(project: Project, node: Node) -> list[Code]:
    """The project's functions that a value is, also inside ``partial`` and decorators applied as calls."""
    found: list[Code] = []
    for value in behind(project, node):
        for name in project.types(value):
            head, over = split(name)
            code = project.function_named(over) if head == "def" else None
            if code is not None and code not in found:
                found.append(code)
        if isinstance(value.op, ops.Def):
            code = value.code.file.code(value.op.function)
            found += [code] if code not in found else []
    return found


def classes_behind(project: Project, node: Node) -> list[ClassView]:
    """The project's classes that a value denotes."""
    found: list[ClassView] = []
    for value in behind(project, node):
        found += [cls for cls in project.denoted_classes(value) if cls not in found]
    return found
