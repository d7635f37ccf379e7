"""Fixes of what the rules on input report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Flow
from backaudit.project.changing import safer
from backaudit.rule import Fix


def loaded_safely(flow: Flow) -> Iterator[Fix]:
    """The same text read as data alone; not by a loader of the project's own, which makes more of it."""
    call = flow.harm
    loader = call.arg(1, "Loader")
    changes = safer(call.func if loader is None else loader)
    if changes:
        yield Fix(summary="Read it as data alone", changes=changes, safe=True)
