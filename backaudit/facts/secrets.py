"""Literal credentials that the extractors saw in one file."""

from __future__ import annotations

import msgspec

from backaudit.facts.place import Span


class SecretHit(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A literal that may be a credential.

    ``span`` covers the value alone, without quotes. The value itself is not kept.
    """

    span: Span
    kind: str
    name: str
    strength: str
    detector: str
    position: str
