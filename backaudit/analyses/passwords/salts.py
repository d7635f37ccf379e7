"""Salts that all passwords share: one that is written down, or read from the settings, is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.analyses.passwords.label import NamedPassword
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.code import SERVING
from backaudit.project.locate import argument_of


class _Shared(Goal):
    """A value that is the same whoever's password is hashed."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        if access:
            return None
        if isinstance(node.op, ops.Const):
            return "the salt is written in the code" if node.op.value else None
        return "the salt is the same for all passwords" if _is_setting(search.project, node) else None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        # Where one of several may arrive the other may be each row's own, and this one stand in for nobody's.
        return isinstance(node.op, (ops.Choice, ops.Logic, ops.Phi))

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        """The text of a setting as bytes."""
        return [call.receiver] if call.method == "encode" and call.receiver is not None else []


def _is_setting(project: Project, node: Node) -> bool:
    """Whether a value is read of the environment or settings, or drawn once when a module is imported."""
    kinds = project.models.kinds
    op = node.op
    if isinstance(op, ops.Call):
        func = node.func
        base = node.receiver
        named = func is not None and not kinds["env-lookups"].isdisjoint(project.names(func))
        drawn = node.code.function.kind == "module" and not project.callees(node) and node.method != "encode"
        return named or drawn or (node.method == "get" and base is not None and _is_whole(project, base))
    if isinstance(op, ops.Item):
        return _is_whole(project, node.to(op.base))
    base = node.to(op.base) if isinstance(op, ops.Attr) else None
    return base is not None and any(True for _ in _settings_classes(project, base))


def _is_whole(project: Project, node: Node) -> bool:
    return not project.models.kinds["whole-settings"].isdisjoint(project.names(node))


def _settings_classes(project: Project, node: Node) -> Iterator[str]:
    for cls in project.instances(node):
        if project.inherits(cls.name, *sorted(project.models.kinds["settings-classes"])):
            yield cls.name


def shared_salts(project: Project) -> Iterator[tuple[Node, Origin]]:
    """(the call that hashes a password, where its salt comes from) of serving code."""
    table = project.models.sinks["salt"]
    for call in project.calls(*sorted(table)):
        if project.role(call.code.path) not in SERVING:
            continue
        names = project.names(call.func) if call.func is not None else ()
        places = [argument_of(call, which) for name in names[:1] for which in table.get(name, ())]
        salt = next((place for place in places if place is not None), None)
        origin = next(Trace(project, _Shared()).origins(salt, (), call.value), None) if salt is not None else None
        if origin is not None and _hashes_password(project, call):
            yield call, origin


def _hashes_password(project: Project, call: Node) -> bool:
    given = call.args()
    return any(True for node in given for _ in Trace(project, NamedPassword(project)).origins(node))
