"""Which values are the caller's identity, and which the client chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from backaudit.backend.access.denial import denials, inputs, operands
from backaudit.backend.access.sessions import carried_callers, is_carrier, is_http_session
from backaudit.backend.access.statements import sql_text
from backaudit.backend.access.tables import fetched_table, is_user_table
from backaudit.backend.access.verified import is_verified
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.params import field_injections, injection
from backaudit.backend.web.reads import part_handed_out
from backaudit.backend.web.records import CLIENT, Route
from backaudit.backend.web.routes import declared
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.locate import functions_behind
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

# What is made of a client's word by more operations is somebody's answer to it, and no choice of the client's.
_NEAR = 8
_NOBODYS = ("request.user", "self.request.user", "current_user")
IDENTITY = meaning("access", "caller")
_IDENTITY_PARAM = meaning("access", "caller-parameter")
_CLIENT = meaning("access", "client-chosen")


class Context(msgspec.Struct, frozen=True):
    """What is known of a body's parameters, by index, and of names of the body around it: the caller, or chosen."""

    identity: frozenset[int | str]
    client: frozenset[int | str]


NOBODY = Context(frozenset(), frozenset())


def context_of(project: Project, route: Route) -> Context:
    """What a route's declaration says of its handler's parameters."""
    code = route.handler
    injected = {p.index for p in route.params if p.where == "injected" and _is_caller(project, code, p.index)}
    identity = frozenset(injected | set(_handed_on(project, code)))
    return Context(identity, frozenset(p.index for p in route.params if p.where in CLIENT) - identity)


def _handed_on(project: Project, code: Code) -> Iterator[int]:
    """The parameters that a decorator of the project fills with the caller: ``view(user, *args)``."""
    for decorator in code.decorators:
        for outer in functions_behind(project, decorator.func or decorator):
            for inner in outer.nested:
                reader = Values(project, inner, NOBODY)
                for call in inner.nodes(ops.Call):
                    func = call.func
                    if func is not None and isinstance(func.origin.op, (ops.Name, ops.Param)) and _is_view(func, outer):
                        yield from _given(code, call, reader)


def _is_view(func: Node, outer: Code) -> bool:
    """Whether a called name is a parameter of the decorator, or of the decorator that a factory makes."""
    op = func.origin.op
    name = op.name if isinstance(op, ops.Name) else ""
    around: Code | None = func.code
    while around is not None:
        if any(param.name == name for param in around.function.params):
            return True
        around = around.parent if around is not outer else None
    return isinstance(op, ops.Param)


def _given(code: Code, call: Node, reader: Values) -> Iterator[int]:
    op = call.op
    assert isinstance(op, ops.Call)
    names = [param.name for param in code.function.params]
    yield from (index for index, value in enumerate(op.args) if reader.identifies(call.to(value)))
    yield from (names.index(n) for n, v in op.keywords if n in names and reader.identifies(call.to(v)))


def _is_caller(project: Project, code: Code, index: int) -> bool:
    """Whether an injected parameter is the user who calls."""
    if _named_caller(code.function.params[index].name, injection(project, code, index)):
        return True
    for name in project.types(code.node(_param_value(code, index))):
        table = schema(project).of_model(split(name)[0])
        if table is not None and of_people(project, table):
            return True
    return False


def _named_caller(name: str, target: Node | None) -> bool:
    spelled = f"{name} {target.spelled if target is not None else ''}".lower()
    return any(_IDENTITY_PARAM.holds(word) for word in spelled.split())


def _caller_fields(project: Project, code: Code) -> frozenset[str]:
    """The fields of a class into which the caller is injected, or that its constructor stores an injected caller in."""
    cls = code.cls
    if cls is None:
        return frozenset()
    given = field_injections(project, cls.name)
    named = (name for name, target in given.items() if _named_caller(name, target))
    return frozenset(named) | frozenset(project.all_of(_stored_callers, cls.name))


def _stored_callers(project: Project, cls: str) -> Iterator[str]:
    """``self.user = user`` of a constructor that is given the caller, by its own annotation or by whoever calls it."""
    init = project.method(cls, "__init__")
    for node in init.nodes(ops.SetAttr) if init is not None else ():
        op = node.op
        assert isinstance(op, ops.SetAttr)
        value = node.to(op.value).origin.op
        given = value.index if node.to(op.base).spelled == "self" and isinstance(value, ops.Param) else 0
        if given and _gets_caller(project, node.code, given):
            yield op.name


def _gets_caller(project: Project, init: Code, index: int) -> bool:
    if _is_injected_caller(project, init, index):
        return True
    given = [project.argument(call, init, index) for call in project.callers(init)]
    return bool(given) and all(node is not None and _hands_caller(project, node) for node in given)


def _hands_caller(project: Project, node: Node) -> bool:
    op = node.origin.op
    injected = isinstance(op, ops.Param) and _is_injected_caller(project, node.origin.code, op.index)
    return injected or IDENTITY.holds(node.spelled.lower())


def _is_injected_caller(project: Project, code: Code, index: int) -> bool:
    return injection(project, code, index) is not None and _is_caller(project, code, index)


def _param_value(code: Code, index: int) -> int:
    return next((v for v, op in enumerate(code.ops) if isinstance(op, ops.Param) and op.index == index), 0)


class Values:
    """The values of one body, judged by what they are made of."""

    def __init__(self, project: Project, code: Code, context: Context) -> None:
        self.project = project
        self.code = code
        self.context = context
        self._known: dict[tuple[Node, bool], bool] = {}
        self._fields = _caller_fields(project, code)

    def identifies(self, node: Node) -> bool:
        """Whether the caller's identity has a part in a value."""
        return self._any(node, True)

    def chosen(self, node: Node) -> bool:
        """Whether the client chose a value, as far as this body shows."""
        return self._any(node, False)

    def _any(self, node: Node, identity: bool) -> bool:
        key = (node, identity)
        if key not in self._known:
            asked = self._is_tie if identity else self._is_chosen
            self._known[key] = any(asked(part) for part in self._parts(node, signed=identity))
        return self._known[key]

    def _parts(self, node: Node, signed: bool = True) -> Iterator[Node]:
        """A value, what it is made of, and what was put into that; unless ``signed``, no further than a signature."""
        seen: set[int] = set()
        level = [node.value]
        turn = 0
        while level and (signed or turn < _NEAR):
            turn += 1
            following: list[int] = []
            for value in level:
                if value != NONE and value not in seen:
                    seen.add(value)
                    part = node.to(value)
                    yield part
                    if not signed and is_verified(self.project, part):
                        continue
                    reached = level if _only_holds(part) else following
                    reached += inputs(part.op)
                    reached += self._put_into(part)
            level = following

    def _put_into(self, part: Node) -> Iterator[int]:
        # A value may be another body's: what a module has bound with functools.partial, say.
        code, op = part.code, part.op
        if isinstance(op, (ops.Build, ops.Call)):
            for effect in code.effects.get(part.value, ()):
                stored = code.ops[effect]
                if isinstance(stored, (ops.SetItem, ops.SetAttr)):
                    yield stored.value
                elif isinstance(stored, ops.Call) and isinstance(op, ops.Build):
                    yield from stored.args
                elif isinstance(stored, ops.Call) and code.node(effect).spelled == "setattr()":
                    yield from stored.args[2:]

    def _is_tie(self, node: Node) -> bool:
        """The caller, or what a decorator or hook has left on the request for the caller that it let by."""
        op = node.op
        carried = isinstance(op, ops.Attr) and op.name in self.project.once(carried_callers)
        return (carried and is_carrier(self.project, node)) or self.is_identity(node)

    def is_identity(self, node: Node) -> bool:
        op = node.op
        if self._is_known(node, self.context.identity):
            return True
        if isinstance(op, ops.Param):
            return False
        if isinstance(op, ops.Attr) and op.name in self._fields and node.to(op.base).spelled == "self":
            return True
        if isinstance(op, (ops.Attr, ops.Name, ops.Import, ops.Call, ops.Item)):
            spelled = (node.spelled or getattr(op, "name", "")).lower()
            return IDENTITY.holds(spelled) or self._is_told(node) or self._is_given(node)
        return False

    def _is_given(self, node: Node) -> bool:
        """Whether a call checks a signature, or a function of ours says who calls, told nothing by the client."""
        if not isinstance(node.op, ops.Call) or is_verified(self.project, node):
            return isinstance(node.op, ops.Call)
        telling = [code for code in self.project.callees(node) if self.project.solved(_tells_caller, code)]
        return bool(telling) and not any(map(self.chosen, node.args()))

    def _is_told(self, node: Node) -> bool:
        """Whether the framework tells who is calling here, or an earlier step has left it in the session or request."""
        kinds, named = self.project.models.kinds, node.func or node
        if not kinds["callers"].isdisjoint(self.project.names(named)) or self.is_session(node):
            return True
        base, key = _entry(node)
        kept = base is not None and not kinds["keyed-carriers"].isdisjoint(self.project.types(base))
        return kept and _IDENTITY_PARAM.holds(key)

    def _is_known(self, node: Node, known: frozenset[int | str]) -> bool:
        """Whether a parameter of the body, or a name of the body around it, is one of those that are known."""
        op = node.op
        asked = op.index if isinstance(op, ops.Param) else op.name if isinstance(op, ops.Name) else None
        return asked in known and node.code == self.code

    def is_caller_key(self, node: Node) -> bool:
        """Whether a value is a claim of a verified token, or an entry of the session that says who."""
        here = node.origin
        op = here.op
        if isinstance(op, ops.Call) and here.method in ("int", "str", "UUID") and here.args():
            return self.is_caller_key(here.args()[0])
        if isinstance(op, ops.Item):
            claim = here.to(op.key).text == "sub" and is_verified(self.project, here.to(op.base).origin)
            return claim or (self.is_session(here) and _about_user(here))
        return here.method == "get_jwt_identity"

    def is_session(self, node: Node) -> bool:
        """``session["user_id"]``, ``session.get("user")``."""
        base, key = _entry(node)
        return base is not None and bool(key) and is_http_session(self.project, base)

    def _is_chosen(self, node: Node) -> bool:
        op = node.op
        if isinstance(op, ops.Param) or self._is_known(node, self.context.client):
            return self._is_known(node, self.context.client)
        spelled = node.spelled.lower()
        if isinstance(op, (ops.Attr, ops.Item, ops.Call)) and _CLIENT.holds(spelled):
            return True
        func = node.func if isinstance(op, ops.Call) else node
        named = func is not None and not frozenset(self.project.models.sources).isdisjoint(self.project.names(func))
        return named or part_handed_out(self.project, node) in CLIENT


def _tells_caller(project: Project, code: Code) -> Iterator[bool]:
    """True if a function gives who calls: what it reads of the request's credentials, or else turns away."""
    if code.function.kind != "function" or code.function.is_generator:
        return
    given = [value for value in code.returned() if value.const is None and not value.is_none]
    if not given or code in project.once(_handlers):
        return
    reader = Values(project, code, NOBODY)
    asked = "authenticates" in denials(project, code) and _reads_credentials(project, code)
    if asked or all(_is_said(reader, value) for value in given):
        yield True


def _handlers(project: Project) -> frozenset[Code]:
    return frozenset(route.handler for route in project.once(declared))


def _is_said(reader: Values, value: Node) -> bool:
    """Whether a value is the caller, or a part of what is known of the caller, and nothing that was looked up by it."""
    here = value.origin
    while not reader.is_identity(here):
        op = here.op
        if isinstance(op, (ops.Attr, ops.Item)):
            here = here.to(op.base).origin
        elif here.method == "get" and here.receiver is not None:
            here = here.receiver.origin
        else:
            return False
    return True


def _reads_credentials(project: Project, code: Code) -> bool:
    """Whether a body reads what a browser or program sends of itself with each request: a header, a cookie."""
    sent = project.models.kinds["not-from-links"]
    return any(not sent.isdisjoint(project.names(node)) for node in code.nodes(ops.Attr))


def _only_holds(node: Node) -> bool:
    """Whether an operation makes nothing of a value: a display that it stands in, gone through or not."""
    op = node.op
    if isinstance(op, ops.Part):
        return isinstance(node.to(op.base).origin.op, ops.Element)
    return isinstance(op, (ops.Build, ops.Element)) or _is_pairs(node)


def _is_pairs(node: Node) -> bool:
    """``{"key": value}.items()``, or the method that it calls."""
    func = node.to(node.op.func) if isinstance(node.op, ops.Call) else node
    op = func.op
    return isinstance(op, ops.Attr) and op.name == "items" and func.to(op.base).is_dict


def _entry(node: Node) -> tuple[Node | None, str]:
    """Of ``base["key"]`` and ``base.get("key")`` the base and the key, if the code says which."""
    op = node.op
    key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0) if node.method == "get" else None
    base = node.to(op.base) if isinstance(op, ops.Item) else node.receiver
    return base, (key.text or "") if key is not None else ""


def caller_reads(project: Project, code: Code) -> tuple[Node, ...]:
    """Reads of the caller that fail when nobody is logged in: ``session["user_id"]``, ``request.user`` in a query."""
    reader = Values(project, code, NOBODY)
    items = (node for node in code.nodes(ops.Item) if reader.is_session(node) and _about_user(node))
    found = [node for node in items if not _just_set(project, node)]
    for call in filter(partial(_asks_or_writes, project), code.nodes(ops.Call)):
        found += [node for arg in call.args() for node in operands(arg) if reader.is_identity(node)]
    found += [node for node in code.nodes(ops.Attr) if _lacked_by_nobody(project, node)]
    return tuple(sorted(dict.fromkeys(found), key=lambda node: node.value))


def certain_reads(project: Project, code: Code) -> tuple[Node, ...]:
    """Those of them that are sure to fail: the caller is not handed on to what may well take nobody for an answer."""
    others = [call for call in code.nodes(ops.Call) if not _fails_itself(project, call)]
    handed = {inner for call in others for argument in call.args() for inner in operands(argument)}
    return tuple(node for node in caller_reads(project, code) if node not in handed or _lacked_by_nobody(project, node))


def _fails_itself(project: Project, call: Node) -> bool:
    """Whether a call asks for rows, or is of a library by its full name: ``Q(owner=request.user)``, ``int(...)``."""
    if _asks_or_writes(project, call):
        return True
    func = call.func
    names = project.names(func) if func is not None and not project.callees(call) else ()
    return bool(names) and not any(name.startswith("*.") for name in names)


def _asks_or_writes(project: Project, call: Node) -> bool:
    """Whether a call asks for rows or changes them; nobody's id in ``exclude`` leaves out nothing."""
    asks = call.is_call_of("lookups") and call.method != "exclude"
    return asks or call.is_call_of("query-writes") or bool(sql_text(project, call))


def _just_set(project: Project, node: Node) -> bool:
    """Whether the body has stored what it reads out of the session."""
    op = node.op
    key = node.to(op.key).text if isinstance(op, ops.Item) else None
    for stored in node.code.nodes(ops.SetItem):
        made = stored.op
        same = isinstance(made, ops.SetItem) and stored.to(made.key).text == key and stored.value < node.value
        if same and isinstance(made, ops.SetItem) and is_http_session(project, stored.to(made.base)):
            return True
    return False


def _lacked_by_nobody(project: Project, node: Node) -> bool:
    """An attribute of the caller that what stands for a caller who is not logged in does not have."""
    op = node.op
    base = node.to(op.base).origin.spelled if isinstance(op, ops.Attr) else ""
    if base not in _NOBODYS or not isinstance(op, ops.Attr):
        return False
    known = project.models.kinds["anonymous-attributes"]
    return op.name not in known and not project.once(has_own_anonymous)


def has_own_anonymous(project: Project) -> bool:
    """Whether the project has a class of its own for callers who are not logged in."""
    return any(True for _ in project.mentioned(lambda name: name in ("anonymous_user", "AnonymousUserMixin")))


def _about_user(node: Node) -> bool:
    op = node.op
    text = node.to(op.key).text if isinstance(op, ops.Item) else None
    return text is not None and bool(re.search(r"user|uid|account|usuario|member|logged", text.lower()))


def mentions_caller(project: Project, code: Code) -> bool:
    """Whether a body uses the caller's identity in any way."""
    reader = Values(project, code, NOBODY)
    return any(reader.is_identity(code.node(value)) for value in range(len(code.ops)))


def of_people(project: Project, table: Table) -> bool:
    """Whether a table's rows are those who call, by its name and columns or because they are looked up in it."""
    return is_user_table(table) or table.name in project.once(caller_tables)


def caller_tables(project: Project) -> frozenset[str]:
    """The tables in which who calls is looked up: by a verified token, a session."""
    found: set[str] = set()
    codes = {code: None for name in sorted(project.models.kinds["lookups"]) for code in project.calling(name)}
    for code in codes:
        reader = Values(project, code, NOBODY)
        for call in code.nodes(ops.Call):
            if call.is_call_of("looks-up-the-caller") and any(reader.is_caller_key(arg) for arg in call.args()):
                table = fetched_table(project, call)
                found |= {table.name} if table is not None else set()
    return frozenset(found)
