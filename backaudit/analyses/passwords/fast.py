"""Fast hashes, and what is done with what they give."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.passwords.label import NamedPassword
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.flow.rows import is_model
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.code import SERVING
from backaudit.source import lines
from backaudit.vocabulary.names import means_person, names_people

_IN_SQL = re.compile(r"\b(md5|sha1|sha256|sha224|sha384|sha512|sha2|password)\s*\(\s*'", re.I)
_INSERT = re.compile(r"\binsert\s+into\s+([\w.\"`]+)", re.I)
_MACS = frozenset({"hmac.new", "hmac.digest"})


def hashed_passwords(project: Project) -> Iterator[tuple[Node, Origin]]:
    """Calls of fast hashes on passwords, and where each password comes from."""
    weak = [name for name, strength in project.models.hashers.items() if strength == "weak"]
    for call in project.calls(*sorted(weak)):
        origin = _hashed(project, call) if project.role(call.code.path) in SERVING else None
        if origin is not None and not _is_harmless(project, call):
            yield call, origin


def _hashed(project: Project, call: Node) -> Origin | None:
    arguments = [*call.args(), *_updates(call)]
    found = (origin for node in arguments for origin in Trace(project, NamedPassword(project)).origins(node))
    return next((origin for origin in found if not (_is_mac(project, call) and _is_stored(project, origin.node))), None)


def _is_mac(project: Project, call: Node) -> bool:
    return call.func is not None and not _MACS.isdisjoint(project.names(call.func))


def _is_stored(project: Project, node: Node) -> bool:
    """Whether a password is a row's own: a keyed MAC over it signs what was stored, and stores nothing."""
    op = node.op
    if not isinstance(op, ops.Attr):
        return False
    base = node.to(op.base)
    types = project.types(base)
    return any(is_model(project, name) for name in types) if types else means_person(base.spelled.rpartition(".")[2])


def _updates(call: Node) -> Iterator[Node]:
    """What ``h = hashlib.md5(); h.update(x)`` adds."""
    code = call.code
    for effect in code.effects.get(call.value, ()):
        node = code.node(effect)
        if node.method == "update":
            yield from node.args()


class _Digest(Goal):
    def __init__(self, digest: Node) -> None:
        self._digest = digest

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        return "the digest" if node == self._digest else None

    def through(self, search: Search, call: Node) -> Iterator[Node]:
        receiver = call.receiver
        return iter([*call.args(), *([receiver] if receiver is not None else [])])


def _is_harmless(project: Project, call: Node) -> bool:
    """Whether a slow hash takes the digest in, or it only asks whether the password is known to have leaked."""
    strong = {name for name, strength in project.models.hashers.items() if strength == "strong"}
    for node in call.code.nodes(ops.Call):
        takes = node.func is not None and not strong.isdisjoint(project.names(node.func))
        if takes and any(next(Trace(project, _Digest(call)).origins(arg), None) for arg in node.args()):
            return True
    texts = (op.value for op in call.code.ops if isinstance(op, ops.Const) and isinstance(op.value, str))
    return any("pwned" in text for text in texts) or "pwned" in call.code.function.qualname.lower()


def fast_seeds(project: Project) -> Iterator[tuple[Place, str]]:
    """(where, the function) of fast hashes with which SQL files fill rows of users."""
    for file in project.artefacts("sql"):
        if project.role(file.path) != "test":
            yield from _seeded(file.path, file.text)


def _seeded(path: str, text: str) -> Iterator[tuple[Place, str]]:
    inserting = False
    for number, line in enumerate(lines(text), 1):
        filled = _INSERT.search(line)
        inserting = names_people(filled.group(1)) if filled is not None else inserting
        found = _IN_SQL.search(line) if inserting else None
        if found is not None:
            span = Span(number, found.start(), number, found.start() + len(found.group(1)))
            yield Place(path, span), found.group(1).lower()
        inserting = inserting and ";" not in line
