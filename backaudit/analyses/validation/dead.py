"""Validators that never run: methods that check a field which their form does not have."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.project import ClassView, Code, Project
from backaudit.project.declarations import texts

# By the table that knows the library: what the method that checks a field is called after, and how many parameters it
# takes.
_PREFIXES = {"fields-checked-by-validate": ("validate_", 2), "fields-checked-by-clean": ("clean_", 1)}


class DeadValidator(msgspec.Struct, frozen=True):
    """``method`` of ``cls`` would check ``field``, which the class does not have."""

    method: Code
    cls: ClassView
    field: str


def dead_validators(project: Project) -> Iterator[DeadValidator]:
    """Checks of fields that do not exist, in forms whose fields are all known."""
    kinds = project.models.kinds
    bases = sorted(kinds.get("forms", frozenset()) | kinds.get("serializers", frozenset()))
    for cls in project.subclasses(*bases):
        known = _fields(project, cls)
        tops = {name.partition(".")[0] for name in project.lineage(cls.name)}
        kind = next((kind for kind in _PREFIXES if not tops.isdisjoint(kinds[kind])), "")
        if known is None or not kind or project.role(cls.file.path) != "production":
            continue
        prefix, count = _PREFIXES[kind]
        for name, code in cls.methods.items():
            field = name.removeprefix(prefix)
            called = any(True for _ in project.calls_of(name))
            if field != name and field not in known and len(code.function.params) == count and not called:
                yield DeadValidator(code, cls, field)


def _fields(project: Project, cls: ClassView) -> set[str] | None:
    """The names of a form's fields, inherited ones included; None where they cannot all be known."""
    found: set[str] = set()
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        if view is None:
            continue
        found.update(view.fields)
        meta = view.inner.get("Meta")
        if meta is not None and "model" in meta.fields:
            listed = meta.fields.get("fields")
            if listed is None or listed.const == "__all__" or not texts(project, listed):
                return None
            found.update(texts(project, listed))
    others = [owner for owner in project.lineage(cls.name) if project.class_named(owner) is None]
    mixed = not all(_is_library(project, owner) for owner in others)
    return None if mixed or not found else found


def _is_library(project: Project, name: str) -> bool:
    top = name.partition(".")[0]
    return top == "builtins" or any(top in project.models.kinds[kind] for kind in _PREFIXES)
