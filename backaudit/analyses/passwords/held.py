"""Passwords as a table, a document, a file or a list in memory holds them, and passwords as somebody gives them."""

from __future__ import annotations

from collections.abc import Iterable

from backaudit.analyses.passwords.hashing import hashes_on_the_way, made_by_hash
from backaudit.analyses.passwords.label import NamedPassword, Password
from backaudit.backend.access.markers import is_marker
from backaudit.extract.secrets.values import is_digest, judge
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import ClientValue
from backaudit.flow.rows import is_model
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Goal, Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.locate import makes_object
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, means_person

_LOOKS_UP = meaning("passwords", "look-up")
_LOADERS = frozenset({"json.load", "pickle.load", "csv.reader", "csv.DictReader", "shelve.open"})
_CONFIGURATION = meaning("passwords", "configuration")


class Held(Goal):
    """A password that was kept somewhere and is read again: a row's column, a document's key, a list of users'."""

    def __init__(self, project: Project) -> None:
        self._sources = project.models.sources
        self._input = project.models.kinds.get("schemas", frozenset()) | project.models.kinds.get("forms", frozenset())

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op, project = node.op, search.project
        if isinstance(op, ops.Attr) and not access and is_password_column(op.name):
            return self._attribute(project, node, op)
        if not access:
            single = isinstance(op, ops.Call) and node.is_call_of("single-values") and not project.callees(node)
            return f"`{node.spelled}` is read from the database" if single else None
        last = access[-1]
        if isinstance(last, str) and last != ANY and not is_password_column(last):
            return None
        if isinstance(op, ops.Call):
            return self._fetched(project, node, access)
        if isinstance(op, ops.Build) and op.kind in ("dict", "list", "tuple") and node.code.function.kind == "module":
            return self._in_memory(node)
        rows = any(is_model(project, name) for name in project.types(node))
        is_column = isinstance(last, str) and last != ANY
        if rows and is_column and not self._is_new(project, node.origin):
            return f"`{last}` is kept in a row"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        last = access[-1] if access else None
        found = search.project.instances(node) if isinstance(last, str) and is_password_column(last) else ()
        return any(hashes_on_the_way(search.project, cls, str(last)) for cls in found)

    def _attribute(self, project: Project, node: Node, op: ops.Attr) -> str | None:
        if self._is_new(project, node.to(op.base).origin):
            return None
        for name in project.types(node.to(op.base)):
            head, over = split(name)
            owner = over if head == "type" else head
            cls = project.class_named(owner)
            if cls is not None and hashes_on_the_way(project, cls, op.name):
                continue
            if is_model(project, owner) or (head != "type" and self._is_person(project, owner)):
                return f"`{node.spelled or op.name}` is the stored password"
        return None

    def _is_new(self, project: Project, made: Node) -> bool:
        """Whether an object was made here, of what somebody gave: by its class, or by a schema that loads it."""
        if not isinstance(made.op, ops.Call) or made.func is None:
            return False
        loads = made.method == "load" and made.receiver is not None
        schemas = project.instances(made.receiver) if loads and made.receiver is not None else ()
        known = self._input | project.models.kinds["model-serializers"]
        return makes_object(project, made) or any(not known.isdisjoint(project.lineage(cls.name)) for cls in schemas)

    def _is_person(self, project: Project, name: str) -> bool:
        """Whether a plain class of the project stands for users who are kept in memory or filled from rows."""
        cls = project.class_named(name)
        return cls is not None and means_person(cls.cls.name) and self._input.isdisjoint(project.lineage(name))

    def _fetched(self, project: Project, node: Node, access: Access) -> str | None:
        names = project.names(node.func) if node.func is not None else ()
        if project.callees(node) or any(name in self._sources for name in names) or _of_configuration(node):
            return None
        if self._is_new(project, node):
            return None
        if node.is_call_of("fetched") and not isinstance(access[-1], str):
            return f"`{node.spelled}` is read from the database"
        if not _LOADERS.isdisjoint(names):
            return f"`{node.spelled}` is read from a file"
        if access[-1] == ANY or isinstance(access[-1], int):
            return None
        asked = node.is_call_of("fetched") or _LOOKS_UP.holds(node.method)
        return f"`{node.spelled}` looks it up" if asked and not _is_key(node) else None

    def _in_memory(self, node: Node) -> str | None:
        bound = [o.name for o in node.code.ops if isinstance(o, ops.Bind) and node.code.origin(o.value) == node.value]
        people = [name for name in bound if means_person(name) or is_password_column(name)]
        if not people or _of_configuration(node):
            return None
        return f"`{people[0]}` holds the passwords"

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        return ()


def _is_key(node: Node) -> bool:
    """``d.get("key")``: no query, but a part of something else."""
    first = node.arg(0)
    return node.method == "get" and first is not None and isinstance(first.const, str)


def _of_configuration(node: Node) -> bool:
    """Whether names around a value say that it is configuration."""
    code = node.code
    bound = [o.name for o in code.ops if isinstance(o, ops.Bind) and code.origin(o.value) == node.value]
    return any(_CONFIGURATION.holds(name) for name in [*bound, code.function.name])


def is_written(project: Project, node: Node) -> bool:
    """Whether a value is a text of the code that could be somebody's password: itself, or a constant of a module."""
    constant = project.constant(node)
    text = constant.text if constant is not None else None
    told = bool(text) and judge(text or "") not in ("none", "hash") and not is_digest(text or "")
    return told and not is_marker(project, node)


def held(project: Project, node: Node) -> Origin | None:
    """Where a value was kept, if it is a stored password."""
    return next(Trace(project, Held(project)).origins(node), None)


def given(project: Project, node: Node, access: Access = (), use: Value | None = None) -> Origin | None:
    """Who gives a value (taken by operation ``use``), if it is a password as somebody typed it."""
    origin = next(Trace(project, Password(project)).origins(node, access, use), None)
    asked = any(isinstance(part, str) for part in access) and not isinstance(node.origin.op, ops.Build)
    if origin is None and not asked:  # a part that is asked for by a telling name proves nothing by that name
        origin = next(Trace(project, NamedPassword(project)).origins(node, access, use), None)
        if origin is not None and made_by_hash(project, node, access, use):
            return None
    return origin


def chosen(project: Project, node: Node, kept: Origin, use: Value) -> Origin | None:
    """Who gives what is compared with the password in a row's column: whatever its key is called, it is one.

    What a hash was made of is none any more, and neither is what the project's own functions may have made one of.
    """
    column = kept.node.op
    if not isinstance(column, ops.Attr) or not is_password_column(column.name) or made_by_hash(project, node, (), use):
        return None
    trace = Trace(project, ClientValue(project), within=True)
    origin = next(trace.origins(node, (), use), None)
    return origin if all(visited.call is None or not project.callees(visited) for visited in trace.visited) else None
