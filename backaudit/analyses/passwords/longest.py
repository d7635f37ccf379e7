"""The longest password that a declaration allows, held against what passwords and their hash need."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.costs import number
from backaudit.analyses.passwords.policy import calls_in, declared_passwords
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Node, Project

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
    op = bind.op
    values = (op.annotation, op.value) if isinstance(op, ops.Bind) else ()
    found = []
    for call in calls_in(project, bind.code, [value for value in values if value != NONE]):
        keywords = call.keywords()
        given = [keywords[name] for name in ("max_length", "max") if name in keywords]
        given += [argument for argument in (call.arg(1, None),) if argument is not None and call.method == "Length"]
        found += [limit for value in given if (limit := number(project, value)) is not None and limit > 0]
    return min(found, default=None)


def hashes_with_bcrypt(project: Project) -> bool:
    """Whether passwords go into bcrypt as they are: neither cut nor hashed before. Ask with ``project.once``."""
    for call in project.calls(*sorted(project.models.kinds["bcrypt-hashers"])):
        cut = any(isinstance(op, ops.Const) and op.value == BCRYPT_BYTES for op in call.code.ops)
        before = any("hashlib" in node.spelled for node in call.code.nodes(ops.Call))
        if project.role(call.code.path) == "production" and not cut and not before:
            return True
    for call in project.calls(*sorted(project.models.kinds["hash-contexts"])):
        schemes = call.arg(0, "schemes")
        items = getattr(schemes.origin.op, "items", ()) if schemes is not None else ()
        if schemes is not None and items and schemes.origin.to(items[0]).text == "bcrypt":
            return True
    return False
