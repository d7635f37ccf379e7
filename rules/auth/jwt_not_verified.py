"""auth/jwt-not-verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.analyses.auth.mends import algorithm_named, setting_on, verified_again
from backaudit.analyses.auth.tokens import (
    algorithms,
    by_hand,
    option,
    readings,
    serves,
    signings,
    switched,
    token_settings,
    unchecked,
    unverified,
    verified,
)
from backaudit.analyses.auth.verification import is_peek, validated
from backaudit.backend.deployment.settings import is_literally
from backaudit.flow.client import answered_by_server
from backaudit.project import Node, Project
from backaudit.project.locate import strings
from backaudit.rule import KNOWN, Assumed, Finding, Fix, assume, rule

_FORGED = "The token's signature is not verified: anybody can write one."
_OLD = "The token's expiry is not verified."
_VALIDATE = "Call `claims.validate()` (joserfc: `JWTClaimsRegistry().validate(token.claims)`) before using them."
_SETTINGS = {
    "verify-signature": "tokens are believed whoever signed them.",
    "verify-expiry": "the expiry of tokens is not verified, an old one is good for ever.",
}

_ANY_ALGORITHM = assume("guard", "the library takes whatever algorithm the token names")
_NO_LATER = assume("caller", "nobody looks at `exp` later")
_FETCHED = assume("purpose", "somebody else than the identity provider has a say in what it answers")


@rule("auth/jwt-not-verified", severity="critical", cwe=347, owasp=("A07:2025", "A02:2021", "API2:2023"))
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
    for call in filter(serves, project.once(readings)):
        yield from _reading(project, call)
    for call in filter(serves, (*project.once(unverified), *project.once(by_hand))):
        if not is_peek(project, call):
            yield _unsigned(project, call)
    for call in filter(serves, project.once(switched)):
        yield from _switched(project, call)
    yield from _settings(project)


def _settings(project: Project) -> Iterator[Finding]:
    for what, wrong in _SETTINGS.items():
        for setting in token_settings(project, what):
            if is_literally(project, setting.value, False):
                told, fixes = f"`{setting.name} = False`: {wrong}", tuple(setting_on(setting))
                yield Finding(place=setting.place, message=told, remedy="Leave it on.", fixes=fixes)


def _reading(project: Project, call: Node) -> Iterator[Finding]:
    if _just_signed(project, call):
        return
    if not verified(project, call):
        if not is_peek(project, call):
            yield _unsigned(project, call)
    elif call in project.once(unchecked):
        if not validated(project, call):
            yield _finding(call, f"{_OLD} `decode` checks the signature alone.", _NO_LATER, _VALIDATE)
    elif option(project, call, "verify_exp") is False:
        fixes = verified_again(project, call, "verify_exp")
        yield _finding(call, f"{_OLD} It is good for ever.", _NO_LATER, "Leave `verify_exp` on.", fixes)
    elif algorithms(project, call) is None and not call.keywords().keys() & {"options", "key_set"}:
        told = "The token may choose its own algorithm: `algorithms` is not given."
        yield _finding(call, told, _ANY_ALGORITHM, _decode(project), algorithm_named(project, call))


def _just_signed(project: Project, call: Node) -> bool:
    """Whether it is a token that the same body has made, to try the keys: no client's."""
    token = call.arg(0, "token")
    return token is not None and any(signing.call == token.origin for signing in project.once(signings))


def _switched(project: Project, call: Node) -> Iterator[Finding]:
    if option(project, call, "verify") is False and not is_peek(project, call):
        yield _finding(call, _FORGED, KNOWN, "Leave `verify` on.")
    elif option(project, call, "allow_expired") is True:
        yield _finding(call, f"{_OLD} It is good for ever.", _NO_LATER, "Leave `allow_expired` off.")


def _unsigned(project: Project, call: Node) -> Finding:
    token = call.argument(("jwt", 0, "token"))
    # What an identity provider's own endpoint answered over TLS was not written by just anybody.
    fetched = token is not None and answered_by_server(project, token)
    switch = "verify" if "verify" in call.keywords() else "verify_signature"
    fixes = verified_again(project, call, switch)
    return _finding(call, _FORGED, _FETCHED if fetched else KNOWN, _decode(project), fixes)


def _decode(project: Project) -> str:
    """The verified read, with the key and the algorithm by which the project signs."""
    for signing in project.once(signings):
        key, named = signing.call.arg(1, "key"), strings(project, signing.call.arg(None, "algorithm"))
        if key is None or signing.headed:
            continue
        if key.spelled and key.const is None:
            return (
                f'`jwt.decode(token, {key.spelled}, algorithms=["{named[0] if named else "HS256"}"])`, as it is signed.'
            )
    return '`jwt.decode(token, KEY, algorithms=["HS256"])`, with the algorithm that signs.'


def _finding(call: Node, message: str, assumed: Assumed, remedy: str, fixes: Iterable[Fix] = ()) -> Finding:
    scope = call.code.function.qualname
    return Finding(place=call.place, message=message, assumed=assumed, remedy=remedy, scope=scope, fixes=tuple(fixes))
