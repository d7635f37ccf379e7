"""Words that say where a program runs: on its author's machine, or before strangers."""

from __future__ import annotations

_DEVELOPMENT = frozenset("dev develop development devel local localhost debug test tests testing".split())


def means_development(text: str) -> bool:
    """Whether a text such as ``"dev"`` names an environment that no stranger reaches."""
    return text.lower() in _DEVELOPMENT
