"""Records without secrets: what the extractors take for a credential is masked in every text of them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from backaudit.masking import Masks

RecordT = TypeVar("RecordT", bound=msgspec.Struct)


def masked(found: RecordT, masks: Masks) -> RecordT:
    """The survey, or what else is told of a project, with every secret of the run masked; names of files stay."""
    return msgspec.convert(_masked(msgspec.to_builtins(found), masks), type(found))


def _masked(value: Any, masks: Masks) -> Any:
    if isinstance(value, str):
        return masks.text(value)
    if isinstance(value, dict):
        return {masks.text(key): item if key == "at" else _masked(item, masks) for key, item in value.items()}
    return [_masked(item, masks) for item in value] if isinstance(value, (list, tuple)) else value
