"""What is read of a client's text or mapping as if it had a form: conversions, members, keys, parts."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import conversions, loading, members, missing_keys, pieces
from backaudit.project import Project
from backaudit.rule import Finding


def findings(project: Project) -> Iterator[Finding]:
    """Each that can raise on what a client sent, uncaught."""
    yield from conversions.findings(project)
    yield from loading.findings(project)
    yield from members.findings(project)
    yield from missing_keys.findings(project)
    yield from pieces.findings(project)
