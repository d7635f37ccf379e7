"""The files by which a platform runs the project: images, compose, manifests, workflows, start commands."""

from __future__ import annotations

import re

from backaudit.facts.files import FileFacts
from backaudit.vocabulary.meaning import meaning

_KINDS = frozenset(("dockerfile", "compose", "workflow"))
_NAMES = meaning("stages", "deployable")
_MANIFEST = re.compile(r"^apiVersion:[ \t]*\S+", re.MULTILINE)
_MANIFEST_KIND = re.compile(r"^kind:[ \t]*\w+", re.MULTILINE)


def is_deployable(file: FileFacts) -> bool:
    """Whether a platform reads the file to run the project."""
    if file.kind in _KINDS or file.kind == "terraform" or _NAMES.holds(file.path):
        return True
    return file.kind == "yaml" and bool(_MANIFEST.search(file.text) and _MANIFEST_KIND.search(file.text))
