"""Patterns in ``.gitignore``'s language, of several files at several depths (the only home of pathspec)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Ignores:
    """An immutable stack of pattern files: the deepest one that says something of a path decides.

    Each layer holds where its file stands: how a path asked about reads from there.
    """

    def __init__(self, layers: tuple[tuple[str, str, GitIgnoreSpec], ...] = ()) -> None:
        self._layers = layers

    def within(self, folder: str, patterns: Sequence[str]) -> Ignores:
        """With the patterns of a file in ``folder`` (relative, ending in a slash; empty for the root) on top."""
        meant = [line for line in map(_plain, patterns) if line.strip() and not line.startswith("#") and _ends(line)]
        if not meant:
            return self
        return Ignores((*self._layers, (folder, "", _spec(meant))))

    def seen_from(self, prefix: str) -> Ignores:
        """The same patterns for paths relative to the subfolder ``prefix`` of what the paths were relative to."""
        return Ignores(
            tuple(
                ("", prefix[len(folder) :] + lead, spec) if prefix.startswith(folder) else (folder, lead, spec)
                for folder, lead, spec in self._layers
            )
        )

    def moved_to(self, folder: str) -> Ignores:
        """The same patterns, as though all their files stood in ``folder``."""
        return Ignores(tuple((folder + own, lead, spec) for own, lead, spec in self._layers))

    def names(self, path: str) -> bool:
        """Whether ``path`` (a folder's ends in a slash) is ignored; its parents are taken not to be."""
        for folder, lead, spec in reversed(self._layers):
            if path.startswith(folder):
                verdict = spec.check_file(lead + path[len(folder) :]).include
                if verdict is not None:
                    return verdict
        return False


# How many stars a pattern may have: matching it backtracks over each of them.
_MOST_STARS = 8


def _plain(pattern: str) -> str:
    """The pattern with each run of stars that means no more than one star written as one."""
    if "**" not in pattern:
        return pattern
    parts = pattern.split("/")
    shorter = [part if part == "**" else _STARS.sub("*", part) for part in parts]
    return "/".join(part for place, part in enumerate(shorter) if part != "**" or shorter[place - 1 : place] != ["**"])


_STARS = re.compile(r"\*{2,}")


def _ends(pattern: str) -> bool:
    """Whether a pattern is matched in reasonable time; what no one would write ignores nothing here."""
    return pattern.count("*") <= _MOST_STARS * (1 + pattern.count("/"))


def _spec(patterns: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError:
        # One pattern that git would pass over must not cost the others.
        return GitIgnoreSpec.from_lines([pattern for pattern in patterns if _is_pattern(pattern)])


def _is_pattern(pattern: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True
