"""Passwords that are kept as they were typed: each store, and the way of the value to it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.hashing import hashes, hashes_when_told
from backaudit.analyses.passwords.keeps import other_stores
from backaudit.analyses.passwords.label import Password, is_unproven
from backaudit.analyses.passwords.stores import Store, password_stores
from backaudit.backend.access.markers import is_marker
from backaudit.extract.secrets.values import is_digest, judge
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Node, Project

# So many ways to a store are looked at.


class Kept(msgspec.Struct, frozen=True):
    """``proven``: somebody is seen to give the password, it is not only a parameter that is called one."""

    store: Store
    origin: Origin
    proven: bool


def kept_plainly(project: Project) -> tuple[Kept, ...]:
    """One for each place that keeps one. Ask with ``project.once``."""
    found: dict[Node, Kept] = {}
    for store in (*project.once(password_stores), *project.once(other_stores)):
        if store.at not in found:
            known = _kept(project, store)
            if known is not None:
                found[store.at] = known
    return tuple(found.values())


def hashed_later(project: Project, store: Store) -> bool:
    """Whether the object that takes a password has a method that puts a hash in its place, which is called for it.

    Its own methods do so before the row is written, or after: which was not followed.
    """
    code, op = store.at.code, store.at.op
    owners = [code.cls] if code.cls is not None else project.instances(store.at)
    if any(hashes_when_told(project, cls, store.column) for cls in owners):
        return True
    if not isinstance(op, ops.SetAttr):
        return False
    row = store.at.to(op.base).origin
    later = (call for call in code.nodes(ops.Call) if call.value > store.at.value and call.receiver is not None)
    asked = (call for call in later if call.receiver is not None and call.receiver.origin == row)
    return any(hashes(project, callee) for call in asked for callee in project.callees(call))


def _kept(project: Project, store: Store) -> Kept | None:
    goal = Password(project)
    first = None
    for origin in Trace(project, goal).origins(store.value, store.access, store.at.value):
        if not is_unproven(project, origin.node):
            return Kept(store, origin, True)
        first = first or origin
    if store.of_account:
        written = next(_written(project, store), None)
        if written is not None:
            return Kept(store, written, True)
    return Kept(store, first, False) if first is not None else None


def _written(project: Project, store: Store) -> Iterator[Origin]:
    return Trace(project, _Written(project)).origins(store.value, store.access, store.at.value)


class _Written(Password):
    """A password that stands in the code: those of accounts that a program makes at its start."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        text = op.value if isinstance(op, ops.Const) and not access else None
        if not isinstance(text, str) or judge(text) in ("none", "hash") or is_digest(text):
            return None
        if is_marker(search.project, node):
            return None
        return "a password is written in the code"

    def parts(self, search: Search, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return ()  # what is put together with other text is no password by itself

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        return False if isinstance(node.op, ops.Const) else super().ends(search, node, access, use)


def plain_columns(project: Project) -> frozenset[str]:
    """The columns, by name, in which some row keeps a password as it was typed though its name is another."""
    return frozenset(kept.store.column for kept in project.once(kept_plainly) if kept.proven and kept.store.other_name)
