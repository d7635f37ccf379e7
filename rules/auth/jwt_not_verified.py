"""auth/jwt-not-verified."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.tokens import algorithms, option, readings, verified
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Confidence, Finding, rule

_VERIFIES = re.compile(r"verif|validat|check_signature|decode")


@rule(
    "auth/jwt-not-verified",
    severity="critical",
    cwe=347,
    owasp=("A07:2025", "A02:2021", "API2:2023"),
)
def jwt_not_verified(project: Project) -> Iterator[Finding]:
    """A token is read without verifying it.

    A token is only base64 text: without its signature checked, anybody writes one with any user's name in it.

    Mend: `jwt.decode(token, KEY, algorithms=["HS256"])` verifies signature and expiry; leave its options alone. To look
    into a token before the key is known, read the header, and decode again with the key.

    Bad:
        import jwt

        def current_user(token):
            claims = jwt.decode(token, options={"verify_signature": False})
            return claims["sub"]

    Good:
        import os

        import jwt

        def current_user(token):
            claims = jwt.decode(token, os.environ["JWT_KEY"], algorithms=["HS256"])
            return claims["sub"]

    Links:
        https://pyjwt.readthedocs.io/en/stable/usage.html#reading-the-claimset-without-validation
    """
    for call in project.once(readings):
        if project.role(call.code.path) not in ("production", "script"):
            continue
        if not verified(project, call):
            if not _is_peek(project, call):
                yield _finding(call, "The token's signature is not verified: anybody can write one.")
        elif option(project, call, "verify_exp") is False:
            yield _finding(call, "The token's expiry is not verified: an old token is good for ever.", "medium")
        elif algorithms(project, call) is None and not call.keywords().keys() & {"options", "key_set"}:
            yield _finding(call, "The token may choose its own algorithm: `algorithms` is not given.", "low")


def _finding(call: Node, message: str, confidence: Confidence = "high") -> Finding:
    return Finding(place=call.place, message=message, confidence=confidence, scope=call.code.function.qualname)


def _is_peek(project: Project, call: Node) -> bool:
    """Whether the same function, or one that calls it, verifies the token as well."""
    around = [call.code, *(caller.code for caller in project.callers(call.code)[:8])]
    return any(_verifies(project, code.node(value), call) for code in around for value in range(len(code.ops)))


def _verifies(project: Project, node: Node, peek: Node) -> bool:
    if not isinstance(node.op, ops.Call) or node == peek:
        return False
    if node in project.once(readings):
        return verified(project, node)
    return bool(_VERIFIES.search(node.method.lower())) and not _VERIFIES.search(peek.code.function.name.lower())
