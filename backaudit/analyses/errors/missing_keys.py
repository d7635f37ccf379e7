"""Keys that are read of what a client sent, and that it may have left out."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from backaudit.analyses.errors import senders
from backaudit.analyses.errors.callers import in_callers_words, unasked_by
from backaudit.analyses.errors.checked import is_required_before
from backaudit.analyses.errors.loaded import left_out
from backaudit.analyses.errors.requests import Wish, showing, wrong
from backaudit.backend.access.denial import operands
from backaudit.backend.access.missing import alike, asked, tests
from backaudit.backend.web.callbacks import callbacks
from backaudit.backend.web.catching import ending, entry_of, escapes, reached_functions
from backaudit.backend.web.conditions import is_sent
from backaudit.backend.web.inputs.applied import made_by
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.facts.place import Place
from backaudit.flow.client import client_origin
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Goal, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.locate import on_the_way
from backaudit.project.types import split
from backaudit.rule import Finding, Step
from backaudit.vocabulary.meaning import meaning

_VALIDATES = meaning("inputs", "checking-call")


class _RaisingMapping(Goal):
    """Client data in which a missing key raises KeyError; the access path ends with the key that is asked for.

    What was put into the mapping may be of a client as well: its own keys are not those that are asked for here.
    """

    def __init__(self, project: Project, key: str) -> None:
        self._key = key
        self._raising = project.models.kinds["raising-mappings"]
        self._parsers = project.models.kinds["json-parsers"]

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if not access or access[0] == ANY or access[-1] != self._key:
            return None
        missing = left_out(search.project, node, access)
        if missing is not None:
            return missing
        if isinstance(op, ops.Param):
            param = client_input(search.project, node.code, op.index)
            if param is None or param.where != "body":
                return None
            if param.schema or not (set(param.types) & _MAPPINGS or _is_of_event(search.project, node.code, param)):
                return None
            return f"`{param.name}` comes from the client (body)"
        if isinstance(op, ops.Call) and not self._parsers.isdisjoint(request_names(search.project, node)):
            text = node.arg(0)
            parsed = client_origin(search.project, text, texts=True) if text is not None else None
            return f"{parsed.what}, and is parsed" if parsed is not None else None
        if isinstance(op, (ops.Attr, ops.Call)):
            named = self._raising.intersection(request_names(search.project, node))
            if named and not _always_there(named, str(access[0])):
                return f"`{node.spelled}` comes from the client"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        # What is merged into a dict of the server's own is another mapping, and so is what a serializer made of it.
        return isinstance(node.op, ops.Build) or (
            _made_by_schema(search.project, node) and not _left(search, node, access)
        )


def _is_of_event(project: Project, code: Code, param: RouteParam) -> bool:
    """Whether a parameter is what a client sends with an event: a mapping as soon as a key of it is read."""
    entry = project.once(callbacks).get(code)
    return entry is not None and entry.act == "EVENT" and not param.types


def _left(search: Search, node: Node, access: Access) -> bool:
    return bool(access) and left_out(search.project, node, access) is not None


def _made_by_schema(project: Project, node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Call):
        return next(made_by(project, node), None) is not None or _is_checked_copy(project, node)
    if not isinstance(op, ops.Attr) or op.name not in ("data", "validated_data", "cleaned_data"):
        return False
    schemas = project.models.kinds["schemas"] | project.models.kinds["forms"]
    owners = {owner for name in project.types(node.to(op.base)) for owner in project.lineage(split(name)[0])}
    return not schemas.isdisjoint(owners)


def _is_checked_copy(project: Project, call: Node) -> bool:
    """``form = validate(request.get_json(), schema)``: a function of the project puts a schema to what it is given."""
    applied = project.models.applies
    for callee in project.callees(call):
        for inner in callee.nodes(ops.Call):
            if inner.func is not None and not applied.keys().isdisjoint(project.names(inner.func)):
                return True
    return False


def _always_there(names: frozenset[str], key: str) -> bool:
    """Whether the server itself puts the key there."""
    return any(name.endswith(".META") for name in names) and (not key.startswith("HTTP_") or key == "HTTP_HOST")


_MAPPINGS = frozenset(("builtins.dict", "typing.Dict", "dict", "typing.Mapping", "collections.abc.Mapping"))


def findings(project: Project) -> Iterator[Finding]:
    """Each such key, uncaught."""
    for code in reached_functions(project):
        told: list[tuple[Node, Value]] = []
        first: dict[Node, Place] = {}
        for node in code.nodes(ops.Item):
            op = node.op
            assert isinstance(op, ops.Item)
            key = node.to(op.key).text
            path = _uncaught(project, node, key) if key is not None else None
            if key is None or path is None:
                continue
            origin = next(Trace(project, _RaisingMapping(project, key)).origins(node.to(op.base), (key,)), None)
            if origin is None or _is_caught_by_name(project, node, origin):
                continue
            before = [value for given, value in told if given == origin.node]
            if not any(on_the_way(code, value, node.value) for value in before):
                told.append((origin.node, node.value))
                # One `try` around the reads, or one schema, ends them all.
                cause = first.setdefault(node.to(op.base).origin, node.place.first_line())
                found = _missing(node, key, origin, path)
                yield replace(found, cause=cause, beside=f"`{key}` may be left out as well.")


def _uncaught(project: Project, node: Node, key: str) -> tuple[Node, ...] | None:
    """The calls by which a missing key ends as a 500; None if it is caught, or asked for before."""
    op = node.op
    assert isinstance(op, ops.Item)
    base = node.to(op.base)
    if is_key_known(node, base, key):
        return None
    path = escapes(project, node, _KEY_ERROR)
    if path is None or is_sent(project, entry_of(node, path), key):
        return None
    return None if any(_is_known_to(call, base, key) for call in path) else path


def _is_known_to(call: Node, base: Node, key: str) -> bool:
    """Whether a caller has asked for the key, or is run with what was checked."""
    checked = any(is_key_known(call, given, key) for given in _given(call, base))
    return checked or call.code.function.name in call.code.project.models.kinds["performs"]


def _is_caught_by_name(project: Project, node: Node, origin: Origin) -> bool:
    """Whether somebody catches what this mapping raises by the name that its library has for it."""
    raises = project.models.raises
    named = next((raises[name] for name in request_names(project, origin.node) if name in raises), None)
    return named is not None and escapes(project, node, named) is None


_KEY_ERROR = ("builtins.KeyError",)


def _given(call: Node, base: Node) -> Iterator[Node]:
    """What a call hands over, and what the mapping is there of which the callee reads the key."""
    yield from (*call.args(), *call.keywords().values())
    if base.code in call.code.project.callees(call):
        yield from in_callers_words(call, base.code, base)


def is_key_known(node: Node, base: Node, key: str) -> bool:
    """Whether the body asked before for the key, or had the data validated."""
    code = node.code
    if _asked_elsewhere(node, key) or is_required_before(code.project, node, key):
        return True
    if base.spelled.endswith(".FILES") and any("FILES" in _words(code.node(test)) for test in tests(code, node.value)):
        return True
    for value in code.before(node.value, ops.Compare, ops.SetItem, ops.Call):
        op = code.ops[value]
        if isinstance(op, ops.Compare) and op.operator in ("in", "not in") and alike(code, op.right, base.value):
            if code.node(op.left).text in (None, key):
                return True
        elif isinstance(op, ops.SetItem) and alike(code, op.base, base.value) and code.node(op.key).text == key:
            if _on_the_way(code, value, node.value):
                return True
        elif isinstance(op, ops.Call) and _validates(node, code.node(value), base, key):
            return True
    return False


def _asked_elsewhere(node: Node, key: str) -> bool:
    """``if not is_complete(request, "c"): return``: a function of the project's own was asked about the key before."""
    code = node.code
    for test in tests(code, node.value):
        call = next((part for part in operands(code.node(test)) if part.call is not None), None)
        if call is not None and code.project.callees(call) and any(given.text == key for given in call.args()):
            return True
    return False


def _on_the_way(code: Code, value: Value, use: Value) -> bool:
    """Whether whoever comes to ``use`` has passed ``value``."""
    around = code.regions_of(use)
    return value < use and all(region in around for region in code.regions_of(value))


def _words(test: Node) -> str:
    op = test.origin.op
    return test.to(op.value).spelled if isinstance(op, ops.Unary) else test.spelled


def _validates(use: Node, call: Node, base: Node, key: str) -> bool:
    code = use.code
    given = any(alike(code, argument.value, base.value) for argument in call.args())
    if given and call.method in ("set", "all"):
        return True
    if _VALIDATES.holds(call.method.lower()) and any(
        alike(code, argument.value, around.value) for argument in call.args() for around in _around(base)
    ):
        return True
    receiver = call.receiver
    if receiver is None or not alike(code, receiver.value, base.value):
        return False
    if call.method == "keys":
        return True
    first = call.arg(0)
    if call.method != "get" or first is None:
        return False
    # ``for name in required: if not data.get(name): return 400``
    each = isinstance(first.origin.op, ops.Element)
    return (first.text == key or each) and _is_asked(use, call, base.value)


def _around(base: Node) -> Iterator[Node]:
    """A mapping, and what it is a part of: who has a schema put to the whole has it put to ``data["items"][0]``."""
    here = base.origin
    yield here
    while isinstance(here.op, (ops.Item, ops.Element)):
        here = here.to(here.op.base).origin
        yield here


def _is_asked(use: Node, call: Node, before: int) -> bool:
    """Whether a condition on the way to the use asks for the value, or hands it to something that judges it."""
    code = use.code
    judged = (part for test in tests(code, before) for part in operands(code.node(test)))
    return asked(code, call.value, use.value) or any(part.origin.value == call.value for part in judged)


def _left_out(node: Node, key: str) -> tuple[Wish, ...]:
    op = node.op
    assert isinstance(op, ops.Item)
    return wrong(node.code.project, "absent", node.to(op.base), (key,))


def _missing(node: Node, key: str, origin: Origin, path: tuple[Node, ...]) -> Finding:
    end = ending(node.code.project, node, path, "a 500")
    return Finding(
        place=node.place.first_line(),
        message=f"`{node.spelled}` raises KeyError where the client left `{key}` out, and no one catches it: {end}.",
        assumed=unasked_by(path) + senders.left_out(node.code.project, origin.node, entry_of(node, path)),
        trace=(*origin.steps, Step(node.place.first_line(), f"`{key}` is read without a check")),
        request=showing(node.code.project, node, path, _left_out(node, key), raises="KeyError"),
    )
