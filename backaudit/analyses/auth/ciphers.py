"""Calls of ciphers, modes and hashes that are broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from backaudit.project import Node, Project
from backaudit.vocabulary.meaning import meaning

Broken = Literal["cipher", "hash", "mode"]
_PASSWORDS = meaning("passwords", "in-code")


def broken(project: Project) -> Iterator[tuple[Node, Broken]]:
    """(where, what is broken of it) of the calls that serve."""
    return ((call, what) for call, what in _all(project) if project.role(call.code.path) == "production")


def _all(project: Project) -> Iterator[tuple[Node, Broken]]:
    kinds = project.models.kinds
    yield from ((call, "cipher") for call in project.calls(*sorted(kinds["broken-ciphers"])))
    yield from ((call, "hash") for call in project.calls(*sorted(kinds["broken-hashes"])) if _broken_hash(call))
    for call in (call for last in ("new", "Cipher") for call in project.calls_of(last)):
        if any(given.spelled.endswith(("MODE_ECB", "modes.ECB()")) for given in call.args()):
            yield call, "mode"


def _broken_hash(call: Node) -> bool:
    """Not a password's (another rule's subject), not declared harmless, and of one of the broken kinds."""
    stated = call.arg(None, "usedforsecurity")
    if stated is not None and stated.const is False:
        return False
    given = " ".join(arg.spelled for arg in call.args())
    if _PASSWORDS.holds(given) or _PASSWORDS.holds(call.code.function.name):
        return False
    if call.method == "new":
        first = call.arg(0, "name")
        return first is not None and (first.text or "").lower().replace("-", "") in ("md5", "sha1", "md4")
    return True
