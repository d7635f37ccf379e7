"""Debug mode that is switched on in files, and calls that a developer's environment alone reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.debugging import Debugging, debugging
from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.deployment.flask_settings import flask_settings, pyfile_settings
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_ASSIGNED = re.compile(
    r"(?:^|[\s\"'-])(?P<name>[A-Z_]+)[\"']?(?:[ \t]*[:=][ \t]*|[ \t]+)"
    r"[\"']?(?P<value>[\w-]+)[\"']?[ \t]*(?:\\|[ \t]#.*)?$"
)
_ASKED = meaning("stages", "debug-switch")
_ON = meaning("stages", "switched-on")


class DebugMode(msgspec.Struct, frozen=True):
    """What may turn debug mode on: where, of what (the settings, the server …), how surely, by which value."""

    place: Place
    what: str
    how: Debugging
    value: Node | None = None


def debug_modes(project: Project) -> Iterator[DebugMode]:
    """What may turn debug mode on, as code and settings say it."""
    for value, place, what in (*_in_settings(project), *_in_configuration(project), *_in_calls(project)):
        yield DebugMode(place, what, debugging(project, value), value)
    for written in project.once(pyfile_settings):
        if written.name == "DEBUG" and written.text == "True" and _is_deployed(project, written.place.path):
            yield DebugMode(written.place, "config", "always")


def _is_deployed(project: Project, path: str) -> bool:
    return stage_of(project, path) == "production"


def _in_settings(project: Project) -> Iterator[tuple[Node, Place, str]]:
    """Django's, each place once."""
    reported: set[Place] = set()
    for module in project.once(settings_modules):
        value = module.names.get("DEBUG") if module.production else None
        if value is not None and value.place not in reported and _is_deployed(project, module.file.path):
            reported.add(value.place)
            yield value, value.place, "settings"


def _in_configuration(project: Project) -> Iterator[tuple[Node, Place, str]]:
    for setting in project.once(flask_settings):
        if setting.name == "DEBUG" and setting.production and _is_deployed(project, setting.place.path):
            yield setting.value, setting.place, "config"


def _in_calls(project: Project) -> Iterator[tuple[Node, Place, str]]:
    """``app.run(debug=True)``, ``FastAPI(debug=True)``."""
    for call in project.calls(*sorted(project.models.kinds.get("debuggable", ()))):
        given = call.arg(None, "debug")
        deployed = call.code.file.role in ("production", "script") and _is_deployed(project, call.code.path)
        if given is not None and deployed and not _is_asked_for(call):
            yield given, given.place, "server" if call.method.startswith("run") else "application"


def _is_asked_for(call: Node) -> bool:
    """Whether this runs only where the environment says that it is a developer's."""
    branches = [region for region in call.code.regions_of(call.value) if region.kind == "then" and region.test != NONE]
    return any(_ASKED.holds(text) for branch in branches for text in _texts(call.to(branch.test)))


def _texts(test: Node) -> Iterator[str]:
    """The names and literals of a condition."""
    op = test.origin.op
    if isinstance(op, ops.Compare):
        yield from (*_texts(test.to(op.left)), *_texts(test.to(op.right)))
    elif isinstance(op, ops.Logic):
        for value in op.values:
            yield from _texts(test.to(value))
    elif isinstance(op, ops.Unary):
        yield from _texts(test.to(op.value))
    else:
        yield test.text or test.spelled or ""
        for given in test.args():
            yield given.text or ""


def switched_on(project: Project) -> Iterator[tuple[Place, str]]:
    """(where, the variable) of what files that are deployed set to yes."""
    for path, file in project.facts.items():
        if not is_deployable(file) or file.kind == "workflow" or stage_of(project, path) != "production":
            continue
        variables = project.models.kinds["debug-variables"]
        if any(name in file.text for name in variables) and not has_production_twin(project, path):
            yield from _lines_switched_on(path, file.text, variables)


def _lines_switched_on(path: str, text: str, variables: frozenset[str]) -> Iterator[tuple[Place, str]]:
    for number, line in enumerate(lines(text), 1):
        found = _ASSIGNED.search(line)
        if found is None or found["name"] not in variables or line.lstrip().startswith("#"):
            continue
        if _ON.holds(found["value"].lower()):
            yield Place(path, Span(number, found.start("name"), number, found.end("value"))), found["name"]
