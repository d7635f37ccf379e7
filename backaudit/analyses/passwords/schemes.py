"""Schemes that a library of password hashes is told to use, by its settings and calls, and that are weak."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.deployment.settings import settings_of
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.code import SERVING

_NONE = ("plaintext", "ldap_plaintext")


class Choice(msgspec.Struct, frozen=True):
    """A weak scheme where it is chosen."""

    place: Place
    message: str


def weak_choices(project: Project) -> Iterator[Choice]:
    """Each weak scheme that serving code chooses."""
    for choice in (*_contexts(project), *_settings(project), *_methods(project), *_hashers(project)):
        if project.role(choice.place.path) in SERVING:
            yield choice


def _contexts(project: Project) -> Iterator[Choice]:
    """The first scheme of passlib's context is the one that hashes."""
    weak = project.models.kinds["weak-schemes"]
    for call in project.calls(*sorted(project.models.kinds["hash-contexts"])):
        schemes = call.arg(0, "schemes")
        names = [schemes.origin.to(item).text for item in getattr(schemes.origin.op, "items", ())] if schemes else []
        if names and names[0] in weak:
            yield Choice(call.place, f"The scheme `{names[0]}`, the first of the context, is a weak hash.")


def _settings(project: Project) -> Iterator[Choice]:
    weak = project.models.kinds["weak-schemes"]
    for setting in settings_of(project, "hash-scheme-settings"):
        text = _text(project, setting.value)
        if text in weak:
            does = "stores passwords as they are" if text in _NONE else "is a weak hash"
            yield Choice(setting.place, f"`{setting.name}` chooses the scheme `{text}`, which {does}.")


def _methods(project: Project) -> Iterator[Choice]:
    fast = project.models.kinds["fast-werkzeug-methods"]
    for call in project.calls(*sorted(project.models.kinds["hashes-by-method"])):
        text = _text(project, call.arg(1, "method"))
        if text is not None and text.partition("$")[0] in fast:
            yield Choice(call.place, f"The method `{text}` is a fast hash, which is no password hash.")


def _hashers(project: Project) -> Iterator[Choice]:
    fast = project.models.kinds["fast-django-hashers"]
    for call in project.calls(*sorted(project.models.kinds["hashes-by-name"])):
        text = _text(project, call.arg(2, "hasher"))
        if text in fast:
            yield Choice(call.place, f"The hasher `{text}` is a fast hash, which is no password hash.")


def _text(project: Project, node: Node | None) -> str | None:
    known = project.constant(node) if node is not None else None
    return known.text if known is not None else None
