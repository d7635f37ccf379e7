"""The files by which a platform runs the project: images, compose, manifests, workflows, start commands."""

from __future__ import annotations

import re
from typing import Literal

from backaudit.facts.files import FileFacts
from backaudit.vocabulary.meaning import Meaning, meaning

_KINDS: frozenset[str] = frozenset(("dockerfile", "compose", "workflow"))
_NAMES = meaning("stages", "deployable")
_MANIFEST = re.compile(r"^apiVersion:[ \t]*\S+", re.MULTILINE)
_MANIFEST_KIND = re.compile(r"^kind:[ \t]*\w+", re.MULTILINE)


def is_deployable(file: FileFacts) -> bool:
    """Whether a platform reads the file to run the project."""
    if file.kind in _KINDS or file.kind == "terraform" or _NAMES.holds(file.path):
        return True
    return file.kind == "yaml" and bool(_MANIFEST.search(file.text) and _MANIFEST_KIND.search(file.text))


Platform = Literal[
    "compose", "dockerfile", "github", "gitlab", "pipeline", "helm", "kubernetes", "kubernetes-secret", "terraform",
    "supervisor", "systemd", "nginx", "render", "other",
]  # fmt: skip

_SECRET_MANIFEST = re.compile(r"^kind:[ \t]*[\"']?Secret\b", re.MULTILINE)
# By the name of a file, the first that fits.
_BY_NAME: tuple[tuple[Meaning, Platform], ...] = (
    (meaning("files", "github-workflow"), "github"),
    (meaning("files", "gitlab-pipeline"), "gitlab"),
    (meaning("files", "other-pipeline"), "pipeline"),
    (meaning("files", "helm-values"), "helm"),
    (meaning("files", "supervisor-settings"), "supervisor"),
    (meaning("files", "systemd-unit"), "systemd"),
    (meaning("files", "nginx-settings"), "nginx"),
    (meaning("files", "render-blueprint"), "render"),
)
# Kinds of files that are read by what they are called after.
_OWN: tuple[Platform, ...] = ("compose", "dockerfile", "terraform")


def platform_of(file: FileFacts) -> Platform:
    """What reads a file: each has its own way to be given a secret."""
    path = file.path.lower()
    named = next((platform for names, platform in _BY_NAME if names.holds(path)), None)
    if named is not None:
        return named
    if file.kind == "yaml" and _MANIFEST.search(file.text):
        return "kubernetes-secret" if _SECRET_MANIFEST.search(file.text) else "kubernetes"
    if file.kind == "workflow":
        return "github"
    return next((kind for kind in _OWN if kind == file.kind), "other")
