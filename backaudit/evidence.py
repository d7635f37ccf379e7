"""What a finding takes for granted, and what that makes of its confidence and severity: the one place that says so.

A finding whose every step was read assumes nothing. A step that was not (a function that was not found, a check that
was not understood, what only a name says) is an :class:`Assumption`; the weakest of them decides how sure the finding
is, and no finding that assumes anything is critical or high.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["critical", "high", "medium", "low"]
Confidence = Literal["high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")

Unread = Literal[
    "callee", "receiver", "wrapper", "caller", "stored", "word", "settings", "network", "effect", "tool",
    "guard", "instance", "key", "purpose", "reach", "stage",
]  # fmt: skip

# What each kind of step that was not read leaves of a finding: "medium" is shown, "low" is worth a look under --strict.
_LEAVES: dict[Unread, Confidence] = {
    "callee": "medium",  # a function that was not found does what is supposed of it
    "receiver": "medium",  # an object of which the name alone is known
    "wrapper": "medium",  # a decorator, base class, hook or middleware of unknown effect
    "caller": "medium",  # nobody on the way to here has seen to it before
    "stored": "medium",  # what a row holds, which another request has written
    "word": "medium",  # what a name or a text says
    "settings": "medium",  # the value that the environment or a settings file gives where it is deployed
    "network": "medium",  # who can reach it, and over which connection
    "effect": "medium",  # what comes of it elsewhere
    "tool": "medium",  # another tool's own doubt
    "guard": "low",  # a check that is there and was not understood
    "instance": "low",  # it is this object of its class, of those that are made in several places
    "key": "low",  # it is this entry of a mapping, whose key is computed
    "purpose": "low",  # it may be meant so
    "reach": "low",  # nothing shows that it is asked for in a request
    "stage": "low",  # it may be for development, tests or a demonstration alone
}
_HIGHEST_ASSUMED: Severity = "medium"


class Assumption(msgspec.Struct, frozen=True):
    """A step that was not read. ``text`` says what is supposed of it: ``"`check_key` does not refuse"``."""

    kind: Unread
    text: str

    @property
    def leaves(self) -> Confidence:
        """The confidence that a finding can have with it."""
        return _LEAVES[self.kind]


Assumed = tuple[Assumption, ...]
KNOWN: Assumed = ()


def assume(kind: Unread, text: str) -> Assumed:
    """One step that was not read, and what is supposed of it."""
    return (Assumption(kind, text),)


def weakest(assumed: Assumed) -> Assumption | None:
    """The assumption that a finding stands on least firmly, the first of several."""
    return max(assumed, key=lambda one: CONFIDENCES.index(one.leaves), default=None)


def doubt(assumed: Assumed) -> int:
    """How unsure a finding is, from 0, to be compared."""
    return CONFIDENCES.index(confidence(assumed))


def confidence(assumed: Assumed) -> Confidence:
    """How sure a finding is: as its weakest step."""
    found = weakest(assumed)
    return found.leaves if found is not None else "high"


def severity(claimed: Severity, assumed: Assumed) -> Severity:
    """How grave a finding may be called: critical and high are for what is known at every step."""
    return max(claimed, _HIGHEST_ASSUMED, key=SEVERITIES.index) if assumed else claimed
