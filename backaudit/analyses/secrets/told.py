"""What is said of a credential: what it is, where it stands, and what to do."""

from __future__ import annotations

import msgspec

from backaudit.analyses.secrets.mends import from_environment
from backaudit.analyses.secrets.remedies import remedy
from backaudit.backend.deployment.stages import Stage
from backaudit.facts.place import Place, Span
from backaudit.facts.secrets import SecretHit, SecretKind
from backaudit.project import Project
from backaudit.rule import Assumed, Finding, Step, capitalized

_CREDENTIAL_NAMES: dict[SecretKind, str] = {
    "password": "password",
    "signing-key": "signing key",
    "token": "credential",
    "url": "password",
    "provider": "credential",
    "private-key": "private key",
}


class Credential(msgspec.Struct, frozen=True):
    """A hit that matters here. ``rule`` is the one rule that reports it; ``uses`` is where it serves as a key.
    ``again``: where else in the same file the value stands; ``below``: the rest of a long table of passwords.
    """

    path: str
    hit: SecretHit
    rule: str
    stage: Stage
    assumed: Assumed
    uses: tuple[Place, ...] = ()
    again: tuple[SecretHit, ...] = ()
    below: tuple[SecretHit, ...] = ()


def finding_of(project: Project, credential: Credential) -> Finding:
    hit, path = credential.hit, credential.path
    place = Place(path, _one_line(hit))
    return Finding(
        place=place,
        message=_message(credential),
        remedy=remedy(project, credential.path, hit, credential.rule),
        assumed=credential.assumed,
        trace=_trace(place, credential),
        related=tuple(Step(Place(path, _one_line(again)), "The same value stands here.") for again in credential.again),
        scope=project.scope_at(path, hit.span.line),
        secrets=tuple(Place(path, part) for one in (hit, *credential.again, *credential.below) for part in one.parts),
        fixes=() if credential.below else tuple(from_environment(project, path, (hit, *credential.again))),
    )


def _one_line(hit: SecretHit) -> Span:
    """The literal as far as its first line goes."""
    span = hit.span
    if span.end_line == span.line:
        return span
    first = hit.parts[0] if hit.parts and hit.parts[0].line == span.line else span
    end = first.end_column if first.end_line == span.line else span.column
    return Span(span.line, span.column, span.line, max(end, span.column))


def _trace(place: Place, credential: Credential) -> tuple[Step, ...]:
    if not credential.uses:
        return ()
    used = [Step(use, "It is used here as the key.") for use in credential.uses[:3]]
    return (Step(place, "The key is written here."), *used)


def _message(credential: Credential) -> str:
    said = _said(credential)
    return f"{said[:-1]} ({credential.hit.within})." if credential.hit.within else said


def _said(credential: Credential) -> str:
    hit = credential.hit
    what = described(hit)
    if hit.position == "env-default":
        variable = f"`{hit.env}`" if hit.env else "the environment"
        return f"Where {variable} is not set, {what} is a literal in {_where(credential)}{_quality(hit)}."
    if credential.rule == "insecure-env-default":
        return f"Where the environment does not set it, {what} is a literal in the code{_quality(hit)}."
    if hit.position == "comparison":
        return f"What callers give as {_named(hit)} is compared with a literal in the code{_quality(hit)}."
    if hit.position == "seed":
        more = f", and so are {len(credential.below):,} more below" if credential.below else ""
        return f"An account is made with a literal password{_quality(hit)}{more}."
    if hit.position == "comment":
        return f"A comment holds {what}; commented out or not, everybody with the code can read it."
    more = f", and so are {len(credential.below):,} more of that name in it" if credential.below else ""
    return f"{capitalized(what)} is written in {_where(credential)}{_quality(hit)}{more}."


def described(hit: SecretHit) -> str:
    """What a hit is, with its article and its name, to stand in a sentence."""
    if hit.kind == "url":
        return f"the password in the {hit.detector}" + (f" `{hit.name}`" if hit.name else "")
    if hit.kind in ("provider", "private-key"):
        article = "an" if hit.detector[:1] in "AEIO" else "a"
        return f"{article} {hit.detector}" + (f" (`{hit.name}`)" if hit.name else "")
    noun = _CREDENTIAL_NAMES[hit.kind]
    return f"the {noun} {_named(hit)}" if hit.name and hit.position != "argument" else f"a {noun}"


def _named(hit: SecretHit) -> str:
    return f"`{hit.name}`"


def _quality(hit: SecretHit) -> str:
    if hit.strength == "placeholder":
        return ", and a placeholder at that"
    return ", and one that can be guessed" if hit.strength == "weak" else ""


def _where(credential: Credential) -> str:
    return "the code" if credential.path.endswith(".py") else "a file of the repository"
