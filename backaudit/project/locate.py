"""Following values to what they stand for, as far as declarations of a back end need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

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
    return _named_part(node, given)


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
    stands = given_for(here, given)
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
    found = project.constant(node)
    if found is not None:
        return (found.text,) if found.text is not None else ()
    here = project.resolved(node)
    stands = given_for(here, given)
    if stands is not None:
        return strings(project, stands, given)
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


def named_value(project: Project, node: Node) -> Node:
    """What a dotted name in a text stands for (``"app.views.index"``); any other value stands for itself."""
    text = text_of(project, node)
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
    found = project.constant(node)
    if found is not None:
        return found.text
    here = project.resolved(node)
    stands = given_for(here, given)
    if stands is not None:
        return text_of(project, stands, given, depth + 1)
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
    return found


def spread(node: Node, given: Given) -> list[tuple[Node, Given]]:
    """What a call's ``*names`` stands for, value by value, each with the case in which it is to be read.

    ``names`` is a parameter that collects arguments, or a comprehension over one: ``*[prefixed(url) for url in urls]``.
    """
    here = node.origin
    op = here.op
    if isinstance(op, ops.Comp):
        value = here.to(op.value)
        loops = [loop for loop in _variables(node.code.project, [value])[1] if isinstance(loop.op, ops.Element)]
        over = [(loop, rest(loop.to(loop.op.base), given)) for loop in loops if isinstance(loop.op, ops.Element)]
        return [(value, {**given, loop: item}) for loop, items in over[:1] for item in items]
    return [(value, given) for value in rest(here, given)]


def rest(node: Node, given: Given) -> list[Node]:
    """The arguments that a parameter ``*names`` collects."""
    op = node.origin.op
    if not isinstance(op, ops.Param):
        return []
    found: list[Node] = []
    while (value := given.get((node.code, op.index, len(found)))) is not None:
        found.append(value)
    return found


def cases(project: Project, code: Code, nodes: list[Node], depth: int = 0) -> Sequence[Given]:
    """The cases in which ``nodes`` of a body stand for different things: a case for each caller and loop element.

    Always at least one, the empty one.
    """
    params, loops = _variables(project, nodes)
    passed_loops = [(element, base) for element in loops if isinstance((base := _looped(element)).op, ops.Param)]
    own_loops = [element for element in loops if element not in dict(passed_loops)]
    what = "cases in which this is run"
    turning: list[dict[object, Node]] = [{}]
    for element in own_loops:
        turns = _each_turn(turning, _rows(project, element, _looped(element)))
        turning = list(project.bounded(turns, _CASES, element.place, what))
    asked = (params or passed_loops) and code.function.kind == "function" and not _is_far(project, code, depth)
    called: list[dict[object, Node]] = []
    callers = project.callers(code) if asked else ()
    for call in project.bounded(callers, _CASES, code.place, what):
        called += _cases_of_call(project, code, call, params, passed_loops, depth)
    several = _each_turn(called or [{}], turning)
    return project.bounded(several, _CASES, code.place, what)


def _cases_of_call(
    project: Project, code: Code, call: Node, params: list[int], loops: list[tuple[Node, Node]], depth: int
) -> list[dict[object, Node]]:
    """The cases in which one call runs a body, of which some parameters, and loops over parameters, are asked."""
    given = arguments(project, call, code)
    asked = [given[code, index] for index in params if (code, index) in given]
    here = [{**case, **given} for case in cases(project, call.code, asked, depth + 1)]
    for element, base in loops:
        # What this call passes for the list, so that one call's paths do not meet another's handler.
        value = given_for(base, given)
        here = _each_turn(here, _rows(project, element, value.origin) if value is not None else [])
    return here


def _is_far(project: Project, code: Code, depth: int) -> bool:
    return project.gives_up(depth, _CALLERS, code.place)


def _each_turn(found: list[dict[object, Node]], turns: list[dict[object, Node]]) -> list[dict[object, Node]]:
    """Every case in every turn of a loop; the cases alone where the turns are not known."""
    return [{**case, **turn} for case in found for turn in turns or [{}]]


def _looped(element: Node) -> Node:
    op = element.op
    assert isinstance(op, ops.Element)
    return element.to(op.base).origin


_CASES = 600
# Callers of callers whose cases are told apart.
_CALLERS = 3


def _variables(project: Project, nodes: list[Node]) -> tuple[list[int], list[Node]]:
    """The parameters (by index) and loop variables that some values are made of."""
    params: dict[int, None] = {}
    loops: dict[Node, None] = {}
    seen: set[Node] = set()
    todo = [project.resolved(node) for node in nodes]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        op = here.op
        if isinstance(op, ops.Param):
            params[op.index] = None
        elif isinstance(op, ops.Element):
            loops[here] = None
        todo += [here.to(value).origin for value in _made_of(op) if value != NONE]
    return list(params), list(loops)


def _made_of(op: ops.AnyOp) -> tuple[int, ...]:
    if isinstance(op, (ops.Part, ops.Attr, ops.Element, ops.Item)):
        return (op.base,)
    if isinstance(op, ops.Call):
        return (op.func, *op.args)
    if isinstance(op, ops.Bin):
        return (op.left, op.right)
    if isinstance(op, ops.Build):
        return op.items
    return (op.value,) if isinstance(op, ops.Format) else ()


def _rows(project: Project, element: Node, base: Node) -> list[dict[object, Node]]:
    """What a variable of a loop over ``base`` is, turn by turn: elements of a literal list, pairs of a literal dict."""
    found: list[dict[object, Node]] = []
    pairs = base.receiver if base.method == "items" else None
    for display in behind(project, pairs if pairs is not None else base):
        made = display.op
        if isinstance(made, ops.Build) and made.kind != "dict":
            found += [{element: display.to(item)} for item in made.items]
        elif pairs is not None:
            found += [{(element, 0): key, (element, 1): value} for key, value in display.entries()]
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
