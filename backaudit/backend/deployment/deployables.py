"""The files by which a platform runs the project: images, compose, manifests, workflows, start commands."""

from __future__ import annotations

import re
from typing import Literal

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


Platform = Literal[
    "compose", "dockerfile", "github", "gitlab", "pipeline", "helm", "kubernetes", "kubernetes-secret", "terraform",
    "supervisor", "systemd", "nginx", "render", "other",
]  # fmt: skip

_SECRET_MANIFEST = re.compile(r"^kind:[ \t]*[\"']?Secret\b", re.MULTILINE)
# By the name of a file, the first that fits.
_BY_NAME: tuple[tuple[re.Pattern[str], Platform], ...] = (
    (re.compile(r"(^|/)\.github/"), "github"),
    (re.compile(r"(^|/)\.gitlab-ci\.ya?ml$"), "gitlab"),
    (re.compile(r"pipelines\.ya?ml$|\.travis\.yml$|jenkinsfile$|(^|/)\.circleci/|cloudbuild\.ya?ml$"), "pipeline"),
    (re.compile(r"(^|/)values[\w.-]*\.ya?ml$"), "helm"),
    (re.compile(r"supervisor"), "supervisor"),
    (re.compile(r"\.service$"), "systemd"),
    (re.compile(r"nginx"), "nginx"),
    (re.compile(r"(^|/)render\.ya?ml$"), "render"),
)
_BY_KIND: dict[str, Platform] = {
    "compose": "compose", "dockerfile": "dockerfile", "workflow": "github", "terraform": "terraform",
}  # fmt: skip


def platform_of(file: FileFacts) -> Platform:
    """What reads a file: each has its own way to be given a secret."""
    path = file.path.lower()
    named = next((platform for pattern, platform in _BY_NAME if pattern.search(path)), None)
    if named is not None:
        return named
    if file.kind == "yaml" and _MANIFEST.search(file.text):
        return "kubernetes-secret" if _SECRET_MANIFEST.search(file.text) else "kubernetes"
    return _BY_KIND.get(file.kind, "other")
