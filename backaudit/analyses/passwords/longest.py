"""The longest password that a declaration allows, held against what passwords and their hash need."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.costs import number
from backaudit.analyses.passwords.policy import calls_in, declared_passwords
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node, Project

ENOUGH = 64
BCRYPT_BYTES = 72


class Longest(msgspec.Struct, frozen=True):
    """``name`` of ``where`` may be ``most`` characters long; ``bcrypt``: and its hash reads only the first 72 bytes."""

    at: Node
    name: str
    where: str
    most: int
    bcrypt: bool


def badly_limited(project: Project) -> Iterator[Longest]:
    """New passwords whose greatest length is too small for a passphrase, or too large for the hash."""
    cut = project.once(hashes_with_bcrypt)
    for cls, name, bind in declared_passwords(project):
        most = _most(project, bind)
        if most is not None and (most < ENOUGH or (cut and most > BCRYPT_BYTES)):
            yield Longest(bind, name, f"`{cls.cls.name}`", most, most > BCRYPT_BYTES)


def _most(project: Project, bind: Node) -> int | None:
    limits = (_limit(project, call) for call in calls_in(project, bind.code, _declared(bind)))
    return min((limit for limit in limits if limit is not None and limit > 0), default=None)


def _declared(bind: Node) -> list[Value]:
    """The annotation and the value of a field."""
    op = bind.op
    return [value for value in (op.annotation, op.value) if value != NONE] if isinstance(op, ops.Bind) else []


def _limit(project: Project, call: Node) -> int | None:
    """The least of the lengths that one call allows at most."""
    given = [call.arg(None, "max_length"), call.arg(None, "max"), call.arg(1) if call.method == "Length" else None]
    found = (number(project, value) for value in given if value is not None)
    return min((limit for limit in found if limit is not None and limit > 0), default=None)


def hashes_with_bcrypt(project: Project) -> bool:
    """Whether passwords go into bcrypt as they are: neither cut nor hashed before. Ask with ``project.once``."""
    calls = project.calls(*sorted(project.models.kinds["bcrypt-hashers"]))
    if any(project.role(call.code.path) == "production" and not _shortens(call.code) for call in calls):
        return True
    for call in project.calls(*sorted(project.models.kinds["hash-contexts"])):
        schemes = call.arg(0, "schemes")
        items = getattr(schemes.origin.op, "items", ()) if schemes is not None else ()
        if schemes is not None and items and schemes.origin.to(items[0]).text == "bcrypt":
            return True
    return False


def _shortens(code: Code) -> bool:
    """Whether a body cuts what it hashes to bcrypt's length, or hashes it before."""
    cut = any(isinstance(op, ops.Const) and op.value == BCRYPT_BYTES for op in code.ops)
    return cut or any("hashlib" in node.spelled for node in code.nodes(ops.Call))
