"""Credentials of earlier commits, judged as those of today are: each by what it is, where it stood, and its file."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.secrets.credentials import Credential, committed_confidence, credentials
from backaudit.facts.history import Commit, PastFile, PastSecret
from backaudit.facts.place import Span
from backaudit.project import Project, link
from backaudit.rule import CONFIDENCES, Confidence


class PastCredential(msgspec.Struct, frozen=True):
    """A value that was committed once and stands in no file of today; ``commit`` is the first that brought it there."""

    path: str
    secret: PastSecret
    commit: Commit
    confidence: Confidence


def past_credentials(project: Project) -> tuple[PastCredential, ...]:
    """One for each value: where it mattered most, and there the first time."""
    return project.once(_past_credentials)


def _past_credentials(project: Project) -> tuple[PastCredential, ...]:
    best: dict[int, PastCredential] = {}
    for past in project.past:
        for found in _judged(project, past):
            known = best.get(found.secret.value)
            if known is None or CONFIDENCES.index(found.confidence) < CONFIDENCES.index(known.confidence):
                best[found.secret.value] = found
    return tuple(best.values())


def _judged(project: Project, past: PastFile) -> Iterator[PastCredential]:
    alone = link([past.file], project.knowledge, project.models)
    known = _confidences(credentials(alone))
    whole = committed_confidence(alone, past.file) if past.file.kind in ("env", "key") else None
    for secret in past.secrets:
        confidence = whole or known.get(secret.hit.span)
        if confidence is not None:
            yield PastCredential(past.file.path, secret, past.commit, _weighed(secret, confidence))


def _confidences(found: tuple[Credential, ...]) -> dict[Span, Confidence]:
    return {hit.span: credential.confidence for credential in found for hit in (credential.hit, *credential.again)}


def _weighed(secret: PastSecret, confidence: Confidence) -> Confidence:
    """What could be guessed anyway, and is no longer used, is worth no more than a look."""
    return confidence if secret.hit.strength == "strong" else "low"
