"""What bandit's checks say of one Python file."""

from __future__ import annotations

import msgspec

from backaudit.facts.place import Span


class BanditHit(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """One thing that one of bandit's checks reports, unless a ``# nosec`` comment takes it away.

    ``span`` begins on the line that bandit names; of a function or an ``except`` clause it is the rest of that line.
    ``test_id`` (``B608``), ``test_name``, ``severity`` and ``confidence`` (``LOW``, ``MEDIUM``, ``HIGH``) are bandit's.
    ``cwe`` is 0 where bandit names none. ``text`` is bandit's message, with the value of a password masked;
    ``secrets`` is where such values stand.
    """

    span: Span
    test_id: str
    test_name: str
    severity: str
    confidence: str
    text: str
    cwe: int
    secrets: tuple[Span, ...] = ()


class BanditSkipped(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why bandit's checks could not run on a file; ``line`` is 1-based, 0 if unknown."""

    reason: str
    line: int = 0
