"""What a finding takes for granted, for programs: the weakest step first."""

from __future__ import annotations

from backaudit.evidence import CONFIDENCES, Assumed


def told(assumed: Assumed) -> list[dict[str, str]]:
    """The assumptions as records under stable names."""
    ordered = sorted(assumed, key=lambda one: -CONFIDENCES.index(one.leaves))
    return [{"kind": one.kind, "text": one.text} for one in ordered]
