"""Request bodies without a schema: where they are read, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.web.inputs.applied import Applied, applied_to
from backaudit.backend.web.records import Route, RouteParam
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.nodes import operands
from backaudit.project.types import split

_CARRIERS = (ops.Bind, ops.Await, ops.Phi, ops.Logic, ops.Choice, ops.Enter)
_UNTYPED = frozenset({"builtins.dict", "typing.Dict", "typing.Any", "builtins.object", "typing.Mapping"})


class Fate(msgspec.Struct):
    """What becomes of a body: the keys read one by one, those checked by hand, whether a schema checks it all.

    ``spread``: it is handed on as a whole, as keyword arguments. ``refused``: the keys without which the request is.
    """

    keys: dict[str, bool]
    refused: set[str] = msgspec.field(default_factory=set)
    validated: bool = False
    spread: bool = False

    @property
    def unchecked(self) -> list[str]:
        """The keys that nobody checks by hand."""
        return [name for name, checked in self.keys.items() if not checked]


class Body(msgspec.Struct, frozen=True):
    """A body that no schema types; ``node`` is the parameter or the read, ``code`` the function that has it."""

    node: Node
    code: Code
    fate: Fate
    param: RouteParam | None = None
    route: Route | None = None

    @property
    def is_open(self) -> bool:
        """Whether any JSON gets through it: of what is only read, all keys may be checked by hand."""
        read_openly = self.fate.spread or bool(self.fate.unchecked)
        return not self.fate.validated and (self.param is not None or read_openly)


def untyped_bodies(project: Project) -> tuple[Body, ...]:
    """Bodies that handlers take as plain dictionaries, by file. Ask with ``project.once``."""
    return (*_parameters(project), *_reads(project))


def _parameters(project: Project) -> Iterator[Body]:
    seen: set[Node] = set()
    for route in routes(project):
        code = route.handler
        for param in route.params:
            if param.where != "body" or param.schema or not is_untyped(project, code, param):
                continue
            node = parameter(code, param.index)
            if node is not None and node not in seen:
                seen.add(node)
                yield Body(node, code, fate_of(project, node), param, route)


def is_judged(project: Project, body: Body) -> bool:
    """Whether a schema is put to the body elsewhere on the request's way, or it is read only to judge the request."""
    cls = body.code.cls
    if cls is not None and not project.models.kinds["request-judges"].isdisjoint(project.lineage(cls.name)):
        return True
    routes = project.once(by_handler).get(body.code, ()) if body.param is None else ()
    return any(_is_judged_for(project, body, route) for route in routes)


def _is_judged_for(project: Project, body: Body, route: Route) -> bool:
    schemas = [one for one in applied_to(project, route) if one.where in ("body", "form")]
    near = (one for one in schemas if one.place.path == body.code.path or not route.view)
    return any(_is_on_the_way(one, route) for one in near) or (bool(schemas) and _asks_base(body.code))


def _is_on_the_way(one: Applied, route: Route) -> bool:
    """Whether a schema is put to the body by code that runs, not only named by the view."""
    return route.view is None or not any(one.place == each.place for each in route.view.fields.values())


def _asks_base(code: Code) -> bool:
    """Whether a method has the base class's method of its own name do its work."""
    return any(
        call.method == code.function.name and call.receiver is not None and call.receiver.method == "super"
        for call in code.nodes(ops.Call)
    )


def parameter(code: Code, index: int) -> Node | None:
    """The value of a parameter."""
    return next((n for n in code.nodes(ops.Param) if isinstance(n.op, ops.Param) and n.op.index == index), None)


def is_untyped(project: Project, code: Code, param: RouteParam) -> bool:
    """Whether a parameter takes any JSON object: ``dict``, ``dict[str, Any]``, ``list[dict]``, ``Any``."""
    annotation = code.outside(code.function.params[param.index].annotation)
    return annotation is not None and _is_open(project, annotation)


@cut_circles(otherwise=False)
def _is_open(project: Project, node: Node) -> bool:
    node = project.alias_of(node) or node.origin
    op = node.op
    if isinstance(op, ops.Bin):
        return _is_open(project, node.to(op.left)) or _is_open(project, node.to(op.right))
    if not isinstance(op, ops.Item):
        return not _UNTYPED.isdisjoint({split(name)[0] for name in project.names(node)})
    inside = node.to(op.key).elements()
    names = {name.rpartition(".")[2] for name in project.names(node.to(op.base))}
    if names & {"dict", "Dict", "Mapping", "MutableMapping"}:
        return _is_open(project, inside[-1])
    if names & {"Annotated"}:
        return _is_open(project, inside[0])
    wrapped = names & {"Optional", "Union", "list", "List", "Sequence"}
    return bool(wrapped) and any(_is_open(project, part) for part in inside)


def _reads(project: Project) -> Iterator[Body]:
    handlers = project.once(by_handler)
    found: dict[Code, list[Node]] = {}
    for node in _json_reads(project):
        if project.role(node.code.path) == "production":
            found.setdefault(node.code, []).append(node)
    for code, nodes in found.items():
        fate = Fate({})
        for node in nodes:
            _follow(project, node, fate, set())
        route = next(iter(handlers.get(code, ())), None)
        yield Body(nodes[0], code, fate, None, route)


def _json_reads(project: Project) -> Iterator[Node]:
    kinds = project.models.kinds
    known = kinds.get("body-reads", frozenset())
    for last in sorted({name.rpartition(".")[2] for name in known}):
        for code in project.mentioning(last):
            for node in code.nodes(ops.Attr):
                named = isinstance(node.op, ops.Attr) and node.op.name == last
                if named and not known.isdisjoint(request_names(project, node)):
                    yield _called(node)
    for call in project.calls(*sorted(project.models.kinds["json-parsers"])):
        first = call.arg(0)
        if first is not None and next(Trace(project, _TextBody()).origins(first), None) is not None:
            yield call


class _TextBody(Goal):
    """The text of a body."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        known = search.models.kinds.get("text-body-reads", frozenset())
        read = isinstance(node.op, (ops.Attr, ops.Call)) and not known.isdisjoint(request_names(search.project, node))
        return "the body" if read else None


def _called(node: Node) -> Node:
    """The call of a method that is read; the read itself if it is no method."""
    for value in range(node.value + 1, min(node.value + 12, len(node.code.ops))):
        op = node.code.ops[value]
        if isinstance(op, ops.Call) and op.func == node.value:
            return node.to(value)
    return node


def fate_of(project: Project, node: Node) -> Fate:
    """What becomes of a value in its function and in those that it is passed to."""
    fate = Fate({})
    _follow(project, node, fate, set())
    return fate


def carried(code: Code, start: Value) -> set[Value]:
    """A value under all its names in a body."""
    found = {start}
    before = 0
    while len(found) > before:
        before = len(found)
        for value, op in enumerate(code.ops):
            if isinstance(op, _CARRIERS) and not found.isdisjoint(operands(op)):
                found.add(value)
    return found


def _follow(project: Project, node: Node, fate: Fate, seen: set[Node]) -> None:
    if node in seen:
        return
    seen.add(node)
    code = node.code
    held = carried(code, node.value)
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.Item) and op.base in held:
            _key(project, code.node(value), code.node(op.key), fate)
        elif isinstance(op, ops.Call):
            call = code.node(value)
            if call.receiver is not None and call.receiver.value in held:
                _asked(project, call, fate, seen)
            elif any(argument.value in held for argument in call.args()):
                _given(project, call, held, fate, seen)
        elif isinstance(op, ops.Build) and _spreads(code.node(value), held):
            _follow(project, code.node(value), fate, seen)


def _spreads(display: Node, held: set[Value]) -> bool:
    """Whether a display is filled from the body: ``{**body}``."""
    return any(key is None and given.value in held for key, given in display.entries_and_unpacked())


def _asked(project: Project, call: Node, fate: Fate, seen: set[Node]) -> None:
    """A method of the body: a look-up, or a copy that goes on."""
    first = call.arg(0)
    if call.is_call_of("key-reads") and first is not None:
        _key(project, call, first, fate)
    elif call.method in ("dict", "copy", "to_dict", "items"):
        _follow(project, call, fate, seen)


def _key(project: Project, node: Node, key: Node, fate: Fate) -> None:
    name = key.const
    if isinstance(name, str):
        fate.keys[name] = fate.keys.get(name, False) or _is_checked(project, node) or _is_only_there(node)
        if _is_refused_without(node):
            fate.refused.add(name)


def _is_checked(project: Project, part: Node) -> bool:
    held = carried(part.code, part.value)
    for call in part.code.nodes(ops.Call):
        given = {argument.value for argument in call.args()}
        receiver = call.receiver
        given |= {receiver.value} if receiver is not None else set()
        method = call.method
        if not held & given:
            continue
        if method in project.models.kinds["checks-a-value"] or is_validator(project, call):
            return True
    return any(
        isinstance(op, ops.Compare) and op.operator in ("in", "not in") and op.left in held for op in part.code.ops
    )


def _is_only_there(part: Node) -> bool:
    """Whether all that is asked of a part is that it is there: ``data.get("tasks") is None``."""
    held = carried(part.code, part.value)
    uses = [op for op in part.code.ops if not isinstance(op, _CARRIERS) and not held.isdisjoint(operands(op))]
    return bool(uses) and all(isinstance(op, ops.Compare) and part.to(op.right).is_none for op in uses)


def _is_refused_without(part: Node) -> bool:
    """Whether the body of code leaves where a part of the request is not there: ``if sender is None: raise …``."""
    held = carried(part.code, part.value)
    left = [region for region in part.code.body.regions if region.exits in ("raise", "return") and region.test != NONE]
    if any(_says_present(part.code.node(region.test), held) for region in left if region.kind == "else"):
        return True
    return any(_says_absent(part.code.node(region.test), held) for region in left if region.kind == "then")


def _says_present(test: Node, held: set[Value]) -> bool:
    """``name``, ``name is not None``, or several such that all have to hold."""
    op = test.origin.op
    if isinstance(op, ops.Logic):
        return op.operator == "and" and any(_says_present(test.origin.to(value), held) for value in op.values)
    if isinstance(op, ops.Compare):
        return op.operator in ("is not", "!=") and op.left in held and test.origin.to(op.right).is_none
    return test.value in held


def _says_absent(test: Node, held: set[Value]) -> bool:
    """``not name``, ``name is None``, or one of several such."""
    op = test.origin.op
    if isinstance(op, ops.Logic):
        return any(_says_absent(test.origin.to(value), held) for value in op.values)
    if isinstance(op, ops.Compare):
        return op.operator in ("is", "==") and op.left in held and test.origin.to(op.right).is_none
    return isinstance(op, ops.Unary) and op.operator == "not" and op.value in held


def _says_validation(name: str) -> bool:
    lowered = name.lower()
    return (
        any(word in lowered for word in ("valid", "schema", "serializer"))
        or name.endswith("Form")
        or lowered.startswith(("check_", "parse_", "clean_", "require"))
    )


def _given(project: Project, call: Node, held: set[Value], fate: Fate, seen: set[Node]) -> None:
    if is_validator(project, call):
        fate.validated = True
        return
    assert call.call is not None
    if call.is_call_of("client-copies") and not project.callees(call):
        _follow(project, call, fate, seen)
    fate.spread = fate.spread or not held.isdisjoint(call.call.dstar)
    for callee in project.callees(call):
        for index in range(len(callee.function.params)):
            passed = project.argument(call, callee, index)
            param = parameter(callee, index)
            if passed is not None and passed.value in held and param is not None:
                _follow(project, param, fate, seen)


def is_text(node: Node) -> bool:
    """Whether an operation gives a text, or raises: an f-string, what a text is added to, what only texts can do."""
    op = node.op
    if isinstance(op, ops.Bin) and op.operator in ("+", "%"):
        return any(node.to(side).origin.text is not None for side in (op.left, op.right))
    texts = node.code.project.models.kinds["text-methods"]
    return (isinstance(op, ops.Build) and op.kind == "fstring") or (node.receiver is not None and node.method in texts)


def is_validator(project: Project, call: Node) -> bool:
    """Whether a call checks a whole body: the construction or loading of a schema, a form, a validator's call."""
    kinds = project.models.kinds
    func = call.func
    names = project.names(func) if func is not None else ()
    known = kinds.get("schemas", frozenset()) | kinds.get("forms", frozenset())
    made = func is not None and any(is_table_class(cls) for cls in project.denoted_classes(func))
    if not made and any(not known.isdisjoint(project.lineage(name)) for name in names):
        return True
    return not kinds.get("validators", frozenset()).isdisjoint(names) or _says_validation(call.method)


def is_table_class(cls: ClassView) -> bool:
    """Whether a class is a table although it inherits from a schema's base: it checks nothing when it is made."""
    return any(name == "table" and cls.outer.node(value).const is True for name, value in cls.cls.keywords)
