"""The files by which a platform runs the project: images, compose, manifests, workflows, start commands."""

from __future__ import annotations

import re

from backaudit.facts.files import FileFacts

_KINDS = frozenset(("dockerfile", "compose", "workflow"))
_NAMES = re.compile(
    r"(^|/)(procfile|render\.ya?ml|railway\.(json|toml)|fly\.toml|vercel\.json|heroku\.yml|cloudbuild\.ya?ml|"
    r"serverless\.ya?ml|template\.ya?ml|docker-stack\.ya?ml|values\.ya?ml|supervisord?\.(conf|ini)|nginx\.conf|uwsgi\.ini|"
    r"bitbucket-pipelines\.yml|azure-pipelines\.yml|\.travis\.yml|appspec\.yml|skaffold\.ya?ml|jenkinsfile)$|(^|/)\.circleci/|^app\.(json|ya?ml)$",
    re.IGNORECASE,
)
_MANIFEST = re.compile(r"^apiVersion:[ \t]*\S+", re.MULTILINE)
_MANIFEST_KIND = re.compile(r"^kind:[ \t]*\w+", re.MULTILINE)


def is_deployable(file: FileFacts) -> bool:
    """Whether a platform reads the file to run the project."""
    if file.kind in _KINDS or file.kind == "terraform" or _NAMES.search(file.path):
        return True
    return file.kind == "yaml" and bool(_MANIFEST.search(file.text) and _MANIFEST_KIND.search(file.text))
