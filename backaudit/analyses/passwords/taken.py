"""New passwords by what is done with them: a client gives one, and a hash or a row takes it, in whatever route."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from backaudit.analyses.passwords.kept import kept_plainly
from backaudit.analyses.passwords.label import Password
from backaudit.backend.web.inputs.classes import schema_of
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import client_origin
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.vocabulary.names import means_password_hash

# So many places where one password comes from are looked at.
_WAYS = 40


class Taken(msgspec.Struct, frozen=True):
    """``name`` is read at ``at``; ``cls``: the class that declares it, if one does; ``bodies``: its way."""

    at: Node
    name: str
    cls: ClassView | None
    bodies: frozenset[Code]


def taken(project: Project) -> tuple[Taken, ...]:
    """The passwords that clients give and that are kept, by where they are read. Ask with ``project.once``."""
    found: dict[tuple[Node, str], Taken] = {}
    for act, value, access in _acts(project):
        if project.role(act.code.path) == "production":
            for one in _given(project, act, value, access):
                found.setdefault((one.at, one.name), one)
    return tuple(found.values())


def _acts(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    """(call, value, its part) of all that keeps a password: hashes that are made for them, and stores as it is."""
    hashers = project.models.hashers
    calls = dict.fromkeys(project.calls(*sorted(name for name, how in hashers.items() if how == "strong")))
    for method in sorted({name.rpartition(".")[2] for name in project.models.kinds["hashes-by-itself"]}):
        calls.update((call, None) for call in project.calls_of(method) if not project.callees(call))
    for call in calls:
        for value in call.args():
            yield call, value, ()
    for kept in project.once(kept_plainly):
        yield kept.store.at, kept.store.value, kept.store.access


def _given(project: Project, act: Node, value: Node, access: Access) -> Iterator[Taken]:
    goal = _Read(project)
    trace = Trace(project, goal)
    ways = list(islice(trace.origins(value, access, act.value), _WAYS + 1))
    for origin in project.bounded(ways, _WAYS, act.place, "where the password comes from"):
        part = goal.parts_of[origin.node]
        read = _read(project, origin.node, part)
        if read is not None:
            bodies = frozenset({act.code, *(node.code for node in trace.visited)})
            yield Taken(origin.node, read[0], read[1], bodies)


class _Read(Password):
    """A password, with the part of the value that is one."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.parts_of: dict[Node, Access] = {}

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        what = super().source(search, node, access) or _called_a_hash(search.project, node, access)
        if what is not None:
            self.parts_of[node] = access
        return what

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, ops.Attr) and _called_a_hash(search.project, node, access) is not None:
            return False
        return super().ends(search, node, access, use)


def _called_a_hash(project: Project, node: Node, access: Access) -> str | None:
    """A password that a client's schema calls a hash, though it is hashed or kept only here."""
    op = node.op
    own = op.name if isinstance(op, (ops.Attr, ops.Param)) else _keyed(node)[0]
    name = access[-1] if access and access != ("data",) else own
    if not isinstance(name, str) or not means_password_hash(name):
        return None
    read = _read(project, node, access)
    if read is None or (read[1] is not None and schema_of(project, read[1]) is None):
        return None
    return f"`{name}` is a password that the client sends"


def _read(project: Project, node: Node, part: Access) -> tuple[str, ClassView | None] | None:
    """(its name, the class that declares it) of a password that a client gives."""
    op = node.op
    if isinstance(op, ops.Param):
        return _parameter(project, node, op, part)
    if isinstance(op, ops.Attr):
        name = str(part[0]) if part and part != ("data",) else op.name
        cls = _declaring(project, node.to(op.base), name)
        return (name, cls) if cls is not None else None
    key, base = _keyed(node)
    if key is None or base is None:
        return None
    cls = _declaring(project, base, key)
    return (key, cls) if cls is not None or client_origin(project, base) is not None else None


def _parameter(project: Project, node: Node, op: ops.Param, part: Access) -> tuple[str, ClassView | None] | None:
    client = client_input(project, node.code, op.index)
    if client is None:
        return None
    name = str(part[-1]) if part and part != ("data",) else op.name
    cls = next((cls for kind in client.types if (cls := _with_field(project, kind, name)) is not None), None)
    return (name, cls) if cls is not None or not client.schema else None


def _keyed(node: Node) -> tuple[str | None, Node | None]:
    """``data["key"]`` and ``data.get("key")``: the key, and what it is read from."""
    op = node.op
    if isinstance(op, ops.Item):
        return node.to(op.key).text, node.to(op.base)
    return (node.to(op.args[0]).text, node.receiver) if isinstance(op, ops.Call) and op.args else (None, None)


def _declaring(project: Project, base: Node, name: str) -> ClassView | None:
    """The schema, form or serializer of which ``base`` is an object, or what one has read: ``form.cleaned_data``."""
    made = base.origin.awaited
    around = [made]
    if isinstance(made.op, ops.Attr):
        around.append(made.to(made.op.base))
    elif isinstance(made.op, ops.Call) and made.receiver is not None:
        around.append(made.receiver)
    kinds = [cls.name for node in around for cls in project.instances(node)]
    kinds += [base.code.cls.name] if base.code.cls is not None else []
    return next((cls for kind in kinds if (cls := _with_field(project, kind, name)) is not None), None)


def _with_field(project: Project, kind: str, name: str) -> ClassView | None:
    cls = project.class_named(kind)
    if cls is None:
        return None
    return cls if any(name in owner.fields for owner in project.lineage_views(kind)) else None
