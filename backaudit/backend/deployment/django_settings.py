"""Django's settings: the modules that hold them, and which of those is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

import msgspec

from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.setting import Setting
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts import ops
from backaudit.project import Node, Project, PythonFile
from backaudit.project.locate import text_of
from backaudit.vocabulary.meaning import meaning

_DEVELOPMENT = meaning("stages", "development-module")


_PRODUCTION = meaning("stages", "production-module")


_TOLD = re.compile(
    r"\bDJANGO_SETTINGS_MODULE[\"']?(?:\s*[:=]\s*|\s+value:\s*|\s+|[\"',\s]+value[\"']?\s*[:=]\s*)[\"']?(?P<module>[A-Za-z_]\w*(?:\.\w+)+)"
)


_DEPTH = 6


class SettingsModule(msgspec.Struct, frozen=True):
    """A Django settings module: its own names and those of the modules that it star-imports.

    ``sources``: the paths of all of them, its own first.
    """

    file: PythonFile
    production: bool
    names: dict[str, Node]
    sources: tuple[str, ...]


def settings_modules(project: Project) -> tuple[SettingsModule, ...]:
    """The project's Django settings modules; which one is for production is told by what wsgi names, or by its name."""
    files = [f for f in project.files.values() if f.role not in ("test", "example") and _is_settings(project, f)]
    production = _deployed(project, files)
    return tuple(
        SettingsModule(f, f.path in production, names_bound(project, f, 0), _sources(project, f)) for f in files
    )


def _deployed(project: Project, files: list[PythonFile]) -> set[str]:
    """Paths of the settings that are deployed: what deployment files name, else what names itself so or wsgi names."""
    meant = [file for file in files if not _DEVELOPMENT.holds(file.module.rpartition(".")[2])]
    told = project.once(modules_told)
    named = {file.path for file in meant if any(_is_module(file, name) for name in told)}
    if named:
        return named
    own = [file for file in files if _PRODUCTION.holds(file.module)]
    by_entry = {file.path for file in files if file.module in project.once(_named_modules)}
    replaced = {path for file in own for path in _replaced(project, file, by_entry)}
    return {file.path for file in own} | by_entry - replaced or {file.path for file in meant}


def _is_module(file: PythonFile, name: str) -> bool:
    """``config.settings.prod`` as a deployment file writes it, whose folder on the path may lie below the root."""
    return file.module == name or file.module.endswith(f".{name}")


def _replaced(project: Project, own: PythonFile, others: set[str]) -> set[str]:
    """Of other settings, those that a production module extends or stands beside: the machine chooses it by name."""
    folder = own.path.rpartition("/")[0]
    extended = {file.path for file in starred(project, own)}
    return {path for path in others if path != own.path and (path in extended or path.rpartition("/")[0] == folder)}


def modules_told(project: Project) -> frozenset[str]:
    """What files by which a platform runs the project set DJANGO_SETTINGS_MODULE to."""
    found: set[str] = set()
    for path, file in project.facts.items():
        starts = is_deployable(file) or file.kind == "shell"
        if starts and "DJANGO_SETTINGS_MODULE" in file.text and stage_of(project, path) == "production":
            found |= {match["module"] for match in _TOLD.finditer(file.text)}
    return frozenset(found)


def _is_settings(project: Project, file: PythonFile) -> bool:
    own = [f for f in file.facts.imports if f.name == "*"]
    if not own and "settings" not in file.path and "conf" not in file.path:
        return False
    return not project.models.kinds["settings-marks"].isdisjoint(file.top.body.final) or any(
        not project.models.kinds["settings-marks"].isdisjoint(other.top.body.final) for other in starred(project, file)
    )


def starred(project: Project, file: PythonFile) -> Iterator[PythonFile]:
    """The project's files that a file imports all names of, an import each."""
    for item in file.facts.imports:
        if item.name == "*":
            for name in project.imported(file, item.module, "", item.level):
                path = next((f for f in project.files.values() if f"module[{f.module}]" == name), None)
                if path is not None and path != file:
                    yield path


def _sources(project: Project, file: PythonFile) -> tuple[str, ...]:
    found = {file.path: file}
    left = [file]
    while left:
        for other in starred(project, left.pop()):
            if other.path not in found:
                found[other.path] = other
                left.append(other)
    return tuple(found)


def inherited_names(project: Project, file: PythonFile, depth: int = 0) -> dict[str, Node]:
    """What a module's star imports bind, the later ones over the earlier ones."""
    found: dict[str, Node] = {}
    for other in () if project.gives_up(depth, _DEPTH, file.top.place) else starred(project, file):
        found |= names_bound(project, other, depth + 1)
    return found


def names_bound(project: Project, file: PythonFile, depth: int) -> dict[str, Node]:
    found = inherited_names(project, file, depth)
    final = file.top.body.final
    found |= {name: file.top.node(value) for name, value in final.items() if name.isupper()}
    return found


def _named_modules(project: Project) -> frozenset[str]:
    """Modules that the entry points of a server name in DJANGO_SETTINGS_MODULE."""
    found: set[str] = set()
    for call in project.calls_of("setdefault"):
        key = call.arg(0)
        if key is not None and key.text == "DJANGO_SETTINGS_MODULE" and call.code.file.role == "production":
            text = text_of(project, call.arg(1))
            for name in project.imported(call.code.file, text or "", "", 0) if text else ():
                found.add(name.removeprefix("module[").removesuffix("]"))
    return frozenset(found)


def django_setting(project: Project, name: str) -> Setting | None:
    """A setting of the production settings module (the last one, if several are)."""
    for module in reversed(project.once(settings_modules)):
        if module.production and name in module.names:
            value = module.names[name]
            return Setting(name, value, value.place, "django")
    return None


def uses_django(project: Project) -> bool:
    """Whether the project has Django settings for production."""
    return any(module.production for module in project.once(settings_modules))


def entry(project: Project, name: str, key: str) -> Node | None:
    """One key of a Django setting that is a dictionary (``REST_FRAMEWORK``), also of one that a library's star import
    brings and the project's modules fill."""
    for module in reversed(project.once(settings_modules)):
        files = (project.files[path] for path in module.sources if module.production)
        for file in takewhile(lambda file: name not in file.top.body.final, files):
            found = _filled(project, file, name, key)
            if found is not None:
                return found
    setting = django_setting(project, name)
    return dict_entry(project, setting.value, key) if setting is not None else None


def _filled(project: Project, file: PythonFile, name: str, key: str) -> Node | None:
    """What a module stores last under a key of a dictionary that it has by a star import."""
    found: Node | None = None
    for store in file.top.nodes(ops.SetItem):
        op = store.op
        if not isinstance(op, ops.SetItem) or text_of(project, store.to(op.key)) != key:
            continue
        base = store.to(op.base).op
        if isinstance(base, ops.Name) and base.name == name:
            found = store.to(op.value)
    return found


def dict_entry(project: Project, node: Node, key: str) -> Node | None:
    """The value under a key of a literal dictionary, also one stored later."""
    here = project.resolved(node)
    op = here.op
    for value in here.code.effects.get(here.value, ()):
        store = here.code.ops[value]
        if isinstance(store, ops.SetItem) and here.to(store.key).text == key:
            return here.to(store.value)
    if isinstance(op, ops.Call):
        return here.keywords().get(key)
    return next((value for name, value in here.entries() if name.text == key), None)
