"""Credentials of earlier commits, judged as those of today are: each by what it is, where it stood, and its file."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.secrets.credentials import committed_assumed, credentials
from backaudit.analyses.secrets.told import Credential
from backaudit.evidence import doubt
from backaudit.facts.history import Commit, PastFile, PastSecret
from backaudit.facts.place import Span
from backaudit.project import Project, link
from backaudit.rule import Assumed, assume


class PastCredential(msgspec.Struct, frozen=True):
    """A value that was committed once and stands in no file of today; ``commit`` is the first that brought it there."""

    path: str
    secret: PastSecret
    commit: Commit
    assumed: Assumed


def past_credentials(project: Project) -> tuple[PastCredential, ...]:
    """One for each value: where it mattered most, and there the first time."""
    return project.once(_past_credentials)


def _past_credentials(project: Project) -> tuple[PastCredential, ...]:
    best: dict[int, PastCredential] = {}
    for past in project.past:
        for found in _judged(project, past):
            known = best.get(found.secret.value)
            if known is None or doubt(found.assumed) < doubt(known.assumed):
                best[found.secret.value] = found
    return tuple(best.values())


def _judged(project: Project, past: PastFile) -> Iterator[PastCredential]:
    alone = link([past.file], project.knowledge, project.models)
    known = _assumed(credentials(alone))
    whole = committed_assumed(alone, past.file) if past.file.kind in ("env", "key") else None
    for secret in past.secrets:
        assumed = whole if whole is not None else known.get(secret.hit.span)
        if assumed is not None:
            yield PastCredential(past.file.path, secret, past.commit, _weighed(secret, assumed))


def _assumed(found: tuple[Credential, ...]) -> dict[Span, Assumed]:
    return {hit.span: credential.assumed for credential in found for hit in (credential.hit, *credential.again)}


def _weighed(secret: PastSecret, assumed: Assumed) -> Assumed:
    """What could be guessed anyway, and is no longer used, is worth no more than a look."""
    return assumed if secret.hit.strength == "strong" else assume("purpose", "a value that can be guessed was in use")
