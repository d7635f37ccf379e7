"""Literal credentials in one file (the only home of detect-secrets)."""

from __future__ import annotations

from backaudit.facts.python import PythonFacts
from backaudit.facts.secrets import SecretHit
from backaudit.source import Source


def extract_secrets(source: Source, python: PythonFacts | None) -> tuple[SecretHit, ...]:
    """The candidates of one file, in order of place."""
    return ()
