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
        for code, field in _validators(cls, *_PREFIXES[kind]):
            called = any(True for _ in project.calls_of(code.function.name))
            if field not in known and not called:
                yield DeadValidator(code, cls, field)


def _validators(cls: ClassView, prefix: str, count: int) -> Iterator[tuple[Code, str]]:
    """The methods that by their names and ``count`` of parameters check a field each, with its name."""
    for name, code in cls.methods.items():
        field = name.removeprefix(prefix)
        if field != name and len(code.function.params) == count:
            yield code, field


def _fields(project: Project, cls: ClassView) -> set[str] | None:
    """The names of a form's fields, inherited ones included; None where they cannot all be known."""
    found: set[str] = set()
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        if view is None:
            if not _is_library(project, owner):
                return None
            continue
        listed = _listed_fields(project, view)
        if listed is None:
            return None
        found.update(view.fields, listed)
    return found or None


def _listed_fields(project: Project, view: ClassView) -> tuple[str, ...] | None:
    """The fields of a model that a class takes over by name; None where it does not name them."""
    meta = view.inner.get("Meta")
    if meta is None or "model" not in meta.fields:
        return ()
    listed = meta.fields.get("fields")
    return None if listed is None or listed.const == "__all__" else texts(project, listed) or None


def _is_library(project: Project, name: str) -> bool:
    top = name.partition(".")[0]
    return top == "builtins" or any(top in project.models.kinds[kind] for kind in _PREFIXES)
