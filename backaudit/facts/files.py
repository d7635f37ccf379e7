"""What one file says, whatever its kind: the unit that is extracted, cached and linked."""

from __future__ import annotations

import msgspec

from backaudit.facts.bandit import BanditHit
from backaudit.facts.comments import Comment, Extent
from backaudit.facts.problem import Problem
from backaudit.facts.python import PythonFacts
from backaudit.facts.secrets import SecretHit


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one file: a function of its bytes and kind alone, so ``path`` is only its name for the linker.

    ``text`` is kept for kinds whose meaning is read at link (SQL, configuration, templates), empty for Python.
    """

    path: str
    kind: str
    digest: str
    tracked: bool = True
    python: PythonFacts | None = None
    text: str = ""
    bandit: tuple[BanditHit, ...] = ()
    secrets: tuple[SecretHit, ...] = ()
    comments: tuple[Comment, ...] = ()
    extents: tuple[Extent, ...] = ()
    problems: tuple[Problem, ...] = ()


class Unread(msgspec.Struct, frozen=True, array_like=True):
    """A file that is there and whose text is not read: its path and its size in bytes, 0 where that was not asked."""

    path: str
    size: int = 0
