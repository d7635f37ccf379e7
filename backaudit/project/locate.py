"""Following values to what they stand for, as far as declarations of a back end need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import items
from backaudit.project.types import split

_DEPTH = 6
_CALLERS = 8

# What parameters (by code and index), loop variables (by their node) and parts of them stand for in one case at hand.
Given = Mapping[object, Node]
NOTHING_GIVEN: Given = {}


def given_for(node: Node, given: Given) -> Node | None:
    """What a parameter, a loop variable or a part of one stands for in the case at hand."""
    op = node.op
    if not given:
        return None
    if isinstance(op, ops.Param):
        return given.get((node.code, op.index))
    if isinstance(op, ops.Element):
        return given.get(node)
    if isinstance(op, ops.Part):
        base = node.to(op.base).origin
        known = given.get((base, op.index))
        return _held(base, given, op.index) if known is None else known
    return _attribute(node, given) if isinstance(op, ops.Attr) else _named_part(node, given)


def stands_for(project: Project, node: Node, given: Given) -> Node | None:
    """As :func:`given_for`, of a value as it stands and of what is behind its name."""
    if not given:
        return None
    stands = given_for(node.origin, given)
    return given_for(project.resolved(node), given) if stands is None else stands


def _attribute(node: Node, given: Given) -> Node | None:
    """``self.path`` and ``handler.path`` of an object or a class that is known in the case at hand."""
    op, project = node.op, node.code.project
    assert isinstance(op, ops.Attr)
    stands = stands_for(project, node.to(op.base), given)
    return held_by(project, stands, op.name) if stands is not None else None


def held_by(project: Project, holder: Node, name: str) -> Node | None:
    """What an attribute of one object, or of a class, holds: as its construction gave it, else as its class says."""
    made = project.resolved(holder)
    for module, over in map(split, project.types(made)):
        bound = project.binding(over, name) if module == "module" else None
        if bound is not None:
            return bound.origin
    called = made.func if made.call is not None else None
    for cls in project.denoted_classes(made if called is None else called):
        found = _given_at_construction(project, made, cls, name) if called is not None else None
        found = found or class_field(project, cls, name)
        if found is not None:
            return found.origin
    return None


def _given_at_construction(project: Project, made: Node, cls: ClassView, name: str) -> Node | None:
    init = project.method(cls.name, "__init__")
    if init is None or init.cls is None:
        fields = [field for field, bind in cls.fields.items() if isinstance(bind.op, ops.Bind)]
        return made.arg(fields.index(name), name) if name in fields else made.arg(None, name)
    for view in project.lineage_views(cls.name):
        for store in view.assigned.get(name, ()):
            assert isinstance(store.op, ops.SetAttr)
            value = project.resolved(store.to(store.op.value))
            if not isinstance(value.op, ops.Param) or value.code is not init:
                return value
            return project.argument(made, init, value.op.index) or project.default(init, value.op.index)
    return None


def _named_part(node: Node, given: Given) -> Node | None:
    """``row[0]``, ``row["path"]`` and ``row.get("path")`` of a row that stands for a display."""
    op = node.op
    if isinstance(op, ops.Item):
        return _held(node.to(op.base).origin, given, node.to(op.key).const)
    receiver, first = node.receiver, node.arg(0)
    if node.method == "get" and receiver is not None and first is not None:
        return _held(receiver.origin, given, first.const)
    return None


def _held(row: Node, given: Given, key: object) -> Node | None:
    """What a row has in a place, by its number or its key."""
    stands = given_for(row, given)
    made = stands.code.project.resolved(stands) if stands is not None else None
    if made is None:
        return None
    if isinstance(key, int):
        parts = items(made)
        return parts[key] if 0 <= key < len(parts) else None
    return next((value for name, value in made.entries() if name.text == key), None)


def behind(project: Project, node: Node, depth: int = 0, given: Given = NOTHING_GIVEN) -> Iterator[Node]:
    """The values that ``node`` may be: through names, imports, branches, elements of displays, arguments, factories.

    A call of the project's own function stands for what that function returns; any other value stands for itself.
    """
    seen: set[Node] = set()
    for found, _ in made_behind(project, node, given, depth):
        if found not in seen:
            seen.add(found)
            yield found


def made_behind(
    project: Project, node: Node, given: Given = NOTHING_GIVEN, depth: int = 0
) -> Iterator[tuple[Node, Given]]:
    """The values that ``node`` may be, each with what the parameters of the functions stand for that have made it."""
    here = project.resolved(node)
    if project.gives_up(depth, _DEPTH - 1, here.place):
        yield here, given
        return
    stands = stands_for(project, node, given)
    made = list(_results(project, here)) if stands is None else []
    for code, value in made:
        yield from made_behind(project, value, {**given, **arguments(project, here, code)}, depth + 1)
    if made:
        return
    inner = [stands] if stands is not None else _inner(project, here, depth)
    for value in inner:
        yield from made_behind(project, value, given, depth + 1)
    if not inner:
        yield here, given


def _results(project: Project, call: Node) -> Iterator[tuple[Code, Node]]:
    """What the functions give that a call runs."""
    if isinstance(call.op, ops.Call):
        yield from ((code, value) for code in _makers(project, call) for value in results(code))


def _inner(project: Project, node: Node, depth: int) -> list[Node]:
    """The values of which a value is one, or the first thing that it is read from."""
    op = node.op
    if isinstance(op, (ops.Phi, ops.Logic)):
        return [node.to(value) for value in op.values]
    if isinstance(op, ops.Choice):
        return [node.to(op.then), node.to(op.other)]
    if isinstance(op, (ops.Await, ops.Enter)):
        return [node.to(op.value)]
    if isinstance(op, (ops.Element, ops.Part)):
        return _elements(project, node.to(op.base), op, depth)
    if isinstance(op, ops.Param):
        return _passed(project, node.code, op.index)
    return _stored(project, node, op) if isinstance(op, ops.Attr) else []


def _makers(project: Project, call: Node) -> list[Code]:
    """The project's functions whose result a call is."""
    return [code for code in project.callees(call) if code.function.name != "__init__"]


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
    what = f"values that calls pass for `{code.function.params[index].name}`"
    callers = project.bounded(project.callers(code), _CALLERS, code.place, what)
    values = (project.argument(call, code, index) for call in callers)
    return [value for value in values if value is not None]


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


@cut_circles(())
def strings(project: Project, node: Node | None, given: Given = NOTHING_GIVEN) -> tuple[str, ...]:
    """The texts that a value holds: a literal, or the literals of a list; empty if unknown."""
    if node is None:
        return ()
    stands = stands_for(project, node, given)
    if stands is not None:
        return strings(project, stands, given)
    found = project.constant(node)
    if found is not None:
        return (found.text,) if found.text is not None else ()
    here = project.resolved(node)
    if isinstance(here.op, ops.Logic):
        either = (strings(project, here.to(value), given) for value in here.op.values)
        return next((texts for texts in either if texts), ())
    texts = (text_of(project, item, given) for item in items(here))
    return tuple(text for text in texts if text is not None)


def modules_named(project: Project, node: Node, text: str | None) -> list[str]:
    """The modules (or ``module.name``) of the project that a text or an import names, also relative to its file."""
    if text is None:
        return [over for head, over in map(split, project.types(node)) if head == "module"]
    level = len(text) - len(text.lstrip("."))
    dotted = text.lstrip(".").replace(":", ".")
    found = [over for head, over in map(split, project.imported(node.code.file, dotted, "", level)) if head == "module"]
    outer, _, name = dotted.rpartition(".")
    around = project.imported(node.code.file, outer, "", level) if outer or level else ()
    return found or [f"{over}.{name}" for head, over in map(split, around) if head == "module"]


def named_value(project: Project, node: Node, given: Given = NOTHING_GIVEN) -> Node:
    """What a dotted name in a text stands for (``"app.views.index"``); any other value stands for itself."""
    text = text_of(project, node, given)
    for name in modules_named(project, node, text) if text else ():
        module, _, last = name.rpartition(".")
        bound = project.binding(module, last)
        if bound is not None:
            return bound
    return node


def definition_of(target: Code | ClassView) -> Node | None:
    """The operation that defines a function or class in the body around it."""
    if isinstance(target, ClassView):
        nodes = target.outer.nodes(ops.ClassDef)
        return next((n for n in nodes if isinstance(n.op, ops.ClassDef) and n.op.cls == target.index), None)
    outer = target.parent
    found = outer.nodes(ops.Def) if outer is not None else iter(())
    return next((n for n in found if isinstance(n.op, ops.Def) and n.op.function == target.index), None)


def text_of(project: Project, node: Node | None, given: Given = NOTHING_GIVEN, depth: int = 0) -> str | None:
    """The literal text behind a value; sums, f-strings and formats of literals count, unknown parts become empty."""
    if node is None or project.gives_up(depth, 2 * _DEPTH, node.place):
        return None
    stands = stands_for(project, node, given)
    if stands is not None:
        return text_of(project, stands, given, depth + 1)
    found = project.constant(node)
    if found is not None:
        return found.text
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Attr):
        return _field_text(project, here, op)
    if isinstance(op, ops.Call):
        return _called_text(project, here, given, depth)
    if isinstance(op, ops.Param):
        return text_of(project, project.default(here.code, op.index), given, depth + 1)
    return _written_text(project, here, given, depth + 1)


def _written_text(project: Project, node: Node, given: Given, depth: int) -> str | None:
    """The text of ``a + b``, ``a % b`` and f-strings."""
    op = node.op
    if isinstance(op, ops.Bin) and op.operator == "+":
        left, right = (text_of(project, node.to(side), given, depth) for side in (op.left, op.right))
        return None if left is None and right is None else f"{left or ''}{right or ''}"
    if isinstance(op, ops.Bin) and op.operator == "%":
        return _percent(project, node, op, given)
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return "".join(text_of(project, node.to(item), given, depth) or "" for item in op.items)
    return text_of(project, node.to(op.value), given, depth) if isinstance(op, ops.Format) else None


def _percent(project: Project, node: Node, op: ops.Bin, given: Given) -> str | None:
    pattern = text_of(project, node.to(op.left), given)
    if pattern is None:
        return None
    right = node.to(op.right)
    parts = items(project.resolved(right)) or [right]
    texts = [text_of(project, part, given) or "" for part in parts]
    pieces = pattern.split("%s")
    return "".join(a + b for a, b in zip(pieces, [*texts, *[""] * len(pieces)], strict=False))


_TEXT_METHODS: dict[str, Callable[..., str]] = {
    "strip": str.strip, "rstrip": str.rstrip, "lstrip": str.lstrip, "lower": str.lower,
}  # fmt: skip


def _called_text(project: Project, call: Node, given: Given, depth: int) -> str | None:
    """``"/{}".format(name)``, ``text.lower()``, and what a function of the project returns."""
    receiver = call.receiver
    if receiver is not None and call.method in (*_TEXT_METHODS, "format", "join"):
        base = text_of(project, receiver, given, depth + 1)
        if base is not None:
            return _of_text_method(project, call, base, given, depth + 1)
    for code in project.callees(call):
        # The last return is the one that nothing guards.
        for result in results(code)[::-1] if code.function.name != "__init__" else ():
            inner = {**given, **arguments(project, call, code)}
            found = text_of(project, result, inner, depth + 1)
            if found is not None:
                return found
    return None


def _of_text_method(project: Project, call: Node, base: str, given: Given, depth: int) -> str | None:
    """What a method makes of a text."""
    if call.method == "format":
        for arg in call.args():
            base = _replaced(base, text_of(project, arg, given, depth) or "")
        return base
    first = call.arg(0)
    if call.method == "join":
        parts = items(project.resolved(first)) if first is not None else []
        return base.join(text_of(project, part, given, depth) or "" for part in parts) if parts else None
    chars = text_of(project, first, given, depth)
    return _TEXT_METHODS[call.method](base, chars) if chars else _TEXT_METHODS[call.method](base)


def _replaced(pattern: str, text: str) -> str:
    """The first replacement field filled."""
    start = pattern.find("{")
    end = pattern.find("}", start)
    return pattern if start < 0 or end < 0 else pattern[:start] + text + pattern[end + 1 :]


def arguments(project: Project, call: Node, code: Code) -> dict[object, Node]:
    """What a call gives the parameters of the function that it runs."""
    found: dict[object, Node] = {}
    bound = call.receiver if code.cls is not None and code.function.name != "__init__" else None
    for index, param in enumerate(code.function.params):
        value = project.argument(call, code, index) or project.default(code, index)
        if value is None and index == 0:
            value = bound
        if value is not None:
            found[code, index] = value
        elif param.kind == "star" and call.call is not None:
            rest = call.call.args[index - (1 if bound is not None else 0) :]
            found.update({(code, index, place): call.to(given) for place, given in enumerate(rest)})
        elif param.kind == "dstar":
            found.update({(code, index, name): given for name, given in call.keywords().items()})
    return found


def _field_text(project: Project, node: Node, op: ops.Attr) -> str | None:
    """An attribute of a settings object, given its default in the class."""
    for name in project.types(node.to(op.base)):
        for cls in project.lineage_views(split(name)[0]):
            if op.name in cls.fields:
                found = project.constant(cls.fields[op.name])
                return found.text if found is not None else None
    return None


def makes_object(project: Project, call: Node) -> bool:
    """Whether a call makes an object of a class of the project."""
    return call.func is not None and any(True for _ in project.denoted_classes(call.func))


def imported_packages(project: Project) -> frozenset[str]:
    """The packages of which any file imports something, by their first names. Ask with ``project.once``."""
    imports = (item for file in project.files.values() for item in file.facts.imports)
    return frozenset(item.module.partition(".")[0] for item in imports)


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


def functions_behind(project: Project, node: Node, given: Given = NOTHING_GIVEN) -> list[Code]:
    """The project's functions that a value is, also inside ``partial`` and decorators applied as calls."""
    found: list[Code] = []
    for value in behind(project, node, given=given):
        for name in project.types(value):
            head, over = split(name)
            code = project.function_named(over) if head == "def" else None
            if code is not None and code not in found:
                found.append(code)
        if isinstance(value.op, ops.Def):
            code = value.code.file.code(value.op.function)
            found += [code] if code not in found else []
    return found


def classes_behind(project: Project, node: Node, given: Given = NOTHING_GIVEN) -> list[ClassView]:
    """The project's classes that a value denotes."""
    found: list[ClassView] = []
    for value in behind(project, node, given=given):
        found += [cls for cls in project.denoted_classes(value) if cls not in found]
    return found


def conditions(test: Node) -> Iterator[Node]:
    """The single conditions that ``and``, ``or`` and ``not`` join."""
    here = test.origin
    op = here.op
    if isinstance(op, ops.Unary):
        yield from conditions(here.to(op.value))
    elif isinstance(op, ops.Logic):
        for value in op.values:
            yield from conditions(here.to(value))
    else:
        yield here


def on_the_way(code: Code, value: int, later: int) -> bool:
    """Whether control that comes to ``later`` can have come by ``value``.

    It cannot where ``value`` stands in a branch that has left, or in the other branch of the same statement.
    """
    around = {(region.first, region.last): region for region in code.regions_of(later)}
    groups = {region.group: region for region in around.values()}
    for region in code.regions_of(value):
        if (region.first, region.last) in around:
            continue
        other = groups.get(region.group)
        if region.exits in ("return", "raise") or (other is not None and {region.kind, other.kind} == {"then", "else"}):
            return False
    return True


def class_field(project: Project, cls: ClassView, name: str) -> Node | None:
    """What a class or its nearest base in the project binds to a name."""
    for view in project.lineage_views(cls.name):
        if name in view.fields:
            return view.fields[name]
    return None


def argument_of(call: Node, argument: int | str) -> Node | None:
    """An argument as tables name it: by position, by keyword, or ``self`` for the receiver."""
    if argument == "self":
        return call.receiver
    return call.arg(argument, None) if isinstance(argument, int) else call.arg(None, argument)
