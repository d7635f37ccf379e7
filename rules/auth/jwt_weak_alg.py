"""auth/jwt-weak-alg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.analyses.auth.mends import one_algorithm
from backaudit.analyses.auth.tokens import (
    HMAC,
    Signing,
    algorithms,
    key_by_algorithm,
    names_none,
    readings,
    serves,
    signed_with,
    signings,
    token_settings,
)
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.locate import strings
from backaudit.rule import Finding, Fix, assume, rule

_MINIMUM = 32


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
        if serves(call):
            named = algorithms(project, call) or ()
            if names_none(named) or not key_by_algorithm(project, call):
                yield from _admitted(call.place, named, one_algorithm(project, call, named))
    for signing in project.once(signings):
        if serves(signing.call):
            yield from _signing(project, signing)
    for setting in token_settings(project, "algorithms"):
        yield from _admitted(setting.place, strings(project, setting.value))
    for setting in token_settings(project, "algorithm"):
        if names_none(strings(project, setting.value)):
            yield _unsigned(setting.place, f"`{setting.name}`")
    for setting in token_settings(project, "key"):
        yield from _short(project, setting.value, setting.place)


def _unsigned(place: Place, what: str) -> Finding:
    return Finding(
        place=place,
        message=f"{what} is signed with algorithm `none`: it is not signed.",
        remedy='Sign with one real algorithm: `"HS256"` and a key of 32 random bytes, or `"EdDSA"`.',
    )


def _admitted(place: Place, named: tuple[str, ...], fixes: Iterable[Fix] = ()) -> Iterator[Finding]:
    """What a reader accepts."""
    if names_none(named):
        others = [name for name in named if name.lower() != "none"] or ["HS256"]
        yield Finding(
            place=place,
            message="The reader admits algorithm `none`: a token without a signature.",
            remedy=f'`algorithms=["{others[0]}"]`.',
            fixes=tuple(fixes),
        )
    elif len({name.startswith(HMAC) for name in named}) == 2:
        shown = ", ".join(named)
        yield Finding(
            place=place,
            message=f"The reader mixes HMAC and public-key algorithms ({shown}).",
            remedy=f'Name the one that signs: `algorithms=["{named[0]}"]`.',
            fixes=tuple(fixes),
        )


def _signing(project: Project, signing: Signing) -> Iterator[Finding]:
    named = signed_with(project, signing)
    if names_none(named):
        yield _unsigned(signing.call.place, "The token")
    elif signing.key is not None and (not named or named[0].startswith(HMAC)):
        yield from _short(project, signing.key, signing.call.place)


def _short(project: Project, given: Node, place: Place) -> Iterator[Finding]:
    key = project.constant(given)
    text = key.text if key is not None else None
    if key is not None and text and len(text) < _MINIMUM:
        yield Finding(
            place=place,
            message=f"The HMAC key has {len(text)} characters: fewer than the 32 bytes that HS256 needs.",
            remedy="Make one with `secrets.token_urlsafe(32)`, and read it from the environment.",
            assumed=assume("settings", "the key that is deployed is this one"),
            shown="strict",
            secrets=(key.place,),
        )
