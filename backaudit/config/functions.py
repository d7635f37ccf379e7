"""What a configuration says of functions that the project does not have: a name that was changed, or mistyped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.config.folders import NAMES, Folders
from backaudit.project import Project
from backaudit.rulenames import suggestion


def strangers(project: Project, folders: Folders) -> list[str]:
    """A note for each name of the project's own modules that stands for nothing in there."""
    asked = [
        (f"{own.origins.get(key, '')}: {key.replace('_', '-')}", name)
        for own in folders.said()
        for key in NAMES
        for name in _names(getattr(own, key))
    ]
    if not asked:
        return []
    modules = {file.module for file in project.files.values()}
    tops = {module.partition(".")[0] for module in modules}
    unknown = [one for one in asked if one[1].partition(".")[0] in tops and not _is_there(project, one[1], modules)]
    return [_note(project, where, name) for where, name in dict.fromkeys(unknown)]


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for several in value.values():
            yield from several
    elif isinstance(value, tuple):
        yield from value


def _is_there(project: Project, name: str, modules: set[str]) -> bool:
    """Whether a name, or what it is a part of, is defined in the project: attributes of values are not looked up."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        owner, last = ".".join(parts[: end - 1]), parts[end - 1]
        whole = ".".join(parts[:end])
        if whole in modules:
            return end == len(parts)
        if project.function_named(whole) is not None or project.class_named(whole) is not None:
            return True
        if owner in modules and (project.binding(owner, last) is not None or project.member(owner, last)):
            return True
    return False


def _note(project: Project, where: str, name: str) -> str:
    known = [cls.name for cls in project.classes()]
    known += [f"{file.module}.{one.qualname}" for file in project.files.values() for one in file.facts.functions]
    return f'{where}: the project has no "{name}".{suggestion(name, known)}'
