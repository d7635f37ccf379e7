"""What earlier commits hold: versions of files that the project no longer has."""

from __future__ import annotations

import msgspec

from backaudit.facts.files import FileFacts
from backaudit.facts.secrets import SecretHit


class Commit(msgspec.Struct, frozen=True):
    """``id`` in hex; ``date`` of the author, ``YYYY-MM-DD``."""

    id: str
    author: str
    date: str


class PastSecret(msgspec.Struct, frozen=True):
    """A candidate whose value no present file holds.

    ``value`` is equal for equal values of one run, and says nothing of them; ``line`` is the text of its first line,
    with everything that was found on it masked.
    """

    hit: SecretHit
    value: int
    line: str


class PastFile(msgspec.Struct, frozen=True):
    """A version of a file, and the commit that brought it. ``secrets``: those that are new at its path."""

    commit: Commit
    file: FileFacts
    secrets: tuple[PastSecret, ...]


class History(msgspec.Struct, frozen=True):
    """The versions that hold something new, oldest first, and what is to be said of the search."""

    files: tuple[PastFile, ...]
    notes: tuple[str, ...]
