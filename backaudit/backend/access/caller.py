"""Which values are the caller's identity, and which the client chose."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.backend.access.changes import QUERY_WRITES
from backaudit.backend.access.denial import inputs, operands
from backaudit.backend.access.statements import sql_text
from backaudit.backend.access.tables import is_user_table
from backaudit.backend.data.schema import schema
from backaudit.backend.web.params import field_injections, injection
from backaudit.backend.web.records import CLIENT, Route
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_WALK = 8
IDENTITY = meaning("access", "caller")
_IDENTITY_PARAM = meaning("access", "caller-parameter")
_CLIENT = meaning("access", "client-chosen")
LOOKUPS = frozenset(
    {
        "get", "aget", "get_or_404", "filter", "filter_by", "where", "get_object_or_404", "aget_object_or_404",
        "get_list_or_404", "first_or_404", "one_or_404", "find_one", "find", "find_one_and_update",
        "find_one_and_delete", "delete_one", "update_one", "replace_one", "get_or_none", "exclude", "get_one",
    }
)  # fmt: skip


class Context(msgspec.Struct, frozen=True):
    """What is known of a body's parameters: which are the caller, which the client chose."""

    identity: frozenset[int]
    client: frozenset[int]


NOBODY = Context(frozenset(), frozenset())


def context_of(project: Project, route: Route) -> Context:
    """What a route's declaration says of its handler's parameters."""
    code = route.handler
    identity = frozenset(p.index for p in route.params if p.where == "injected" and _is_caller(project, code, p.index))
    return Context(identity, frozenset(p.index for p in route.params if p.where in CLIENT))


def _is_caller(project: Project, code: Code, index: int) -> bool:
    """Whether an injected parameter is the user who calls."""
    if _named_caller(code.function.params[index].name, injection(project, code, index)):
        return True
    for name in project.types(code.node(_param_value(code, index))):
        table = schema(project).of_model(split(name)[0])
        if table is not None and is_user_table(table):
            return True
    return False


def _named_caller(name: str, target: Node | None) -> bool:
    spelled = f"{name} {target.spelled if target is not None else ''}".lower()
    return any(_IDENTITY_PARAM.holds(word) for word in spelled.split())


def _caller_fields(project: Project, code: Code) -> frozenset[str]:
    """The fields of a class-based view into which the caller is injected."""
    cls = code.cls
    given = field_injections(project, cls.name) if cls is not None else {}
    return frozenset(name for name, target in given.items() if _named_caller(name, target))


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
            asked = self.is_identity if identity else self._is_chosen
            self._known[key] = any(asked(part) for part in self._parts(node))
        return self._known[key]

    def _parts(self, node: Node) -> Iterator[Node]:
        """A value, what it is made of, and what was put into that."""
        seen: set[int] = set()
        level = [node.value]
        for _ in range(_WALK):
            following: list[int] = []
            for value in level:
                if value != NONE and value not in seen:
                    seen.add(value)
                    part = node.to(value)
                    yield part
                    following += inputs(part.op)
                    following += self._put_into(part)
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

    def is_identity(self, node: Node) -> bool:
        op = node.op
        if isinstance(op, ops.Param):
            return node.code is self.code and op.index in self.context.identity
        if isinstance(op, ops.Attr) and op.name in self._fields and node.to(op.base).spelled == "self":
            return True
        if isinstance(op, (ops.Attr, ops.Name, ops.Import, ops.Call, ops.Item)):
            spelled = (node.spelled or getattr(op, "name", "")).lower()
            return IDENTITY.holds(spelled) or self.is_session(node)
        return False

    def is_session(self, node: Node) -> bool:
        """``session["user_id"]``, ``session.get("user")``."""
        op = node.op
        key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0) if node.method == "get" else None
        base = node.to(op.base) if isinstance(op, ops.Item) else node.receiver
        text = key.text if key is not None else None
        return base is not None and text is not None and is_http_session(self.project, base)

    def _is_chosen(self, node: Node) -> bool:
        op = node.op
        if isinstance(op, ops.Param):
            return node.code is self.code and op.index in self.context.client
        spelled = node.spelled.lower()
        if isinstance(op, (ops.Attr, ops.Item, ops.Call)) and _CLIENT.holds(spelled):
            return True
        func = node.func if isinstance(op, ops.Call) else node
        return func is not None and not frozenset(self.project.models.sources).isdisjoint(self.project.names(func))


def is_http_session(project: Project, node: Node) -> bool:
    """Whether a value is the session that a cookie carries (not a database's)."""
    known = project.models.kinds.get("http-sessions", frozenset())
    here = node.origin
    while isinstance(here.op, ops.Await):
        here = here.to(here.op.value).origin
    target = here.func or here
    return here.spelled.endswith("request.session") or not known.isdisjoint(project.names(target))


def caller_reads(project: Project, code: Code) -> tuple[Node, ...]:
    """Reads of the caller that fail when nobody is logged in: ``session["user_id"]``, ``request.user`` in a query."""
    reader = Values(project, code, NOBODY)
    found: list[Node] = []
    for node in code.nodes(ops.Item):
        if reader.is_session(node) and _about_user(node):
            found.append(node)
    for call in code.nodes(ops.Call):
        if call.method in LOOKUPS or call.method in QUERY_WRITES or sql_text(project, call):
            found += [node for arg in call.args() for node in operands(arg, 4) if reader.is_identity(node)]
    return tuple(sorted(dict.fromkeys(found), key=lambda node: node.value))


def _about_user(node: Node) -> bool:
    op = node.op
    text = node.to(op.key).text if isinstance(op, ops.Item) else None
    return text is not None and bool(re.search(r"user|uid|account|usuario|member|logged", text.lower()))


def mentions_caller(project: Project, code: Code) -> bool:
    """Whether a body uses the caller's identity in any way."""
    reader = Values(project, code, NOBODY)
    return any(reader.is_identity(code.node(value)) for value in range(len(code.ops)))
