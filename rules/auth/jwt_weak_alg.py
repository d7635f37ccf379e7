"""auth/jwt-weak-alg."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.locate import strings
from backaudit.backend.tokens import algorithms, readings, signings
from backaudit.project import Node, Project
from backaudit.rule import Finding, rule

_MINIMUM = 32
_HMAC = "HS"


@rule("auth/jwt-weak-alg", severity="high", cwe=327, owasp=("A04:2025", "A02:2021", "API2:2023"))
def jwt_weak_alg(project: Project) -> Iterator[Finding]:
    """A token's algorithm does not protect it.

    `none` means no signature at all. A reader that admits both HMAC and public-key algorithms can be given a token that
    is signed by HMAC with the public key, which everybody has. An HMAC key shorter than its hash can be guessed.

    Mend: admit exactly one algorithm, the one that signs (`algorithms=["EdDSA"]`, `["HS256"]`), and make HMAC keys of
    at least 32 random bytes.

    Bad:
        import jwt

        def read(token, key):
            return jwt.decode(token, key, algorithms=["HS256", "RS256"])

    Good:
        import jwt

        def read(token, key):
            return jwt.decode(token, key, algorithms=["RS256"])

    Links:
        https://www.rfc-editor.org/rfc/rfc8725#section-3.1
    """
    for call in project.once(readings):
        yield from _reading(project, call)
    for signing in project.once(signings):
        call = signing.call
        named = strings(project, call.arg(None, "algorithm") or call.arg(2))
        if _serves(project, call) and any(name.lower() == "none" for name in named):
            yield Finding(place=call.place, message="The token is signed with algorithm `none`: it is not signed.")
        elif _serves(project, call):
            yield from _short(project, call, named)


def _serves(project: Project, call: Node) -> bool:
    return project.role(call.code.path) in ("production", "script")


def _reading(project: Project, call: Node) -> Iterator[Finding]:
    named = algorithms(project, call) or ()
    if not _serves(project, call):
        return
    if any(name.lower() == "none" for name in named):
        yield Finding(place=call.place, message="The reader admits algorithm `none`: a token without a signature.")
    elif len({name[:2] == _HMAC for name in named}) == 2:
        shown = ", ".join(named)
        yield Finding(place=call.place, message=f"The reader mixes HMAC and public-key algorithms ({shown}).")


def _short(project: Project, call: Node, named: tuple[str, ...]) -> Iterator[Finding]:
    key = project.constant(call.arg(1, "key") or call)
    text = key.text if key is not None else None
    hmac = not named or named[0].startswith(_HMAC)
    if key is not None and text is not None and hmac and len(text) < _MINIMUM:
        yield Finding(
            place=call.place,
            message=f"The HMAC key has {len(text)} characters: fewer than the 32 bytes that HS256 needs.",
            confidence="medium",
            shown="strict",
            secrets=(key.place,),
        )
