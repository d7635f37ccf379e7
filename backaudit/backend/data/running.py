"""Calls that run SQL text: where the text stands."""

from __future__ import annotations

from backaudit.project import Node


def statement_given(call: Node) -> Node | None:
    """What a call of a driver, or of a session, is given to run: its first argument, or the one called like it."""
    keywords: frozenset[str] = call.code.project.models.kinds["statement-keywords"]
    return call.argument((0, *sorted(keywords)))
