"""A survey without secrets: what the extractors take for a credential is masked in every text of it."""

from __future__ import annotations

from typing import Any

import msgspec

from backaudit.masking import Masks
from backaudit.survey.records import Survey


def masked(found: Survey, masks: Masks) -> Survey:
    """The survey with every secret of the run masked; names of files stay as they are."""
    data: Survey = msgspec.convert(_masked(msgspec.to_builtins(found), masks), Survey)
    return data


def _masked(value: Any, masks: Masks) -> Any:
    if isinstance(value, str):
        return masks.text(value)
    if isinstance(value, dict):
        return {masks.text(key): item if key == "at" else _masked(item, masks) for key, item in value.items()}
    return [_masked(item, masks) for item in value] if isinstance(value, (list, tuple)) else value
