"""deploy/debug-on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.settings import flask_settings, is_literally, settings_modules
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.rule import Confidence, Finding, rule
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_VARIABLE = re.compile(
    r"(?:^|[\s\"'-])(?P<name>FLASK_DEBUG|FLASK_ENV|DJANGO_DEBUG|DEBUG|APP_DEBUG)[\"']?(?:[ \t]*[:=][ \t]*|[ \t]+)"
    r"[\"']?(?P<value>[\w-]+)[\"']?[ \t]*\\?$"
)
_ASKED = meaning("stages", "debug-switch")
_ON = meaning("stages", "switched-on")


@rule("deploy/debug-on", severity="high", cwe=489, owasp=("A02:2025", "A05:2021", "API8:2023"))
def debug_on(project: Project) -> Iterator[Finding]:
    """Debug mode is on in what is deployed.

    An error page in debug mode shows code, local variables and settings to whoever causes an error; Werkzeug's also
    has a console that runs Python on the server.

    Mend: leave it off, and let your own machine turn it on: `DEBUG = os.environ.get("DEBUG") == "1"`, or
    `flask run --debug`.

    Bad:
        from flask import Flask

        app = Flask(__name__)

        if __name__ == "__main__":
            app.run(debug=True)

    Bad: Django's settings
        # file: shop/settings.py
        DEBUG = True
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

    Bad: on, unless somebody turns it off
        # file: shop/settings.py
        import os

        DEBUG = os.environ.get("DEBUG", "True") == "True"
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

    Bad: in the image
        # file: Dockerfile
        FROM python:3.12-slim
        ENV FLASK_DEBUG=1
        USER 1000
        CMD ["gunicorn", "app:app"]

    Good:
        # file: shop/settings.py
        import os

        DEBUG = os.environ.get("DEBUG") == "1"
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

    Links:
        https://flask.palletsprojects.com/en/stable/debugging/
        https://docs.djangoproject.com/en/stable/ref/settings/#debug
    """
    yield from _django(project)
    yield from _flask(project)
    yield from _calls(project)
    yield from _variables(project)


# -- Django ------------------------------------------------------------------------------------------------------------


def _django(project: Project) -> Iterator[Finding]:
    reported: set[Place] = set()
    for module in project.once(settings_modules):
        value = module.names.get("DEBUG") if module.production else None
        if value is None or value.place in reported or stage_of(project, module.file.path) != "production":
            continue
        reported.add(value.place)
        if is_literally(project, value, True):
            yield _finding(value, "`DEBUG` is on in the settings that are deployed.", "high")
        elif _default_is_on(project, value):
            yield _finding(value, "`DEBUG` is on wherever the environment does not turn it off.", "medium")


def _default_is_on(project: Project, value: Node) -> bool:
    """Whether a look-up's default means yes: ``config("DEBUG", default=True)``, ``getenv("DEBUG", "1") == "1"``."""
    node = value.origin
    op = node.op
    if isinstance(op, ops.Compare):
        left, right = node.to(op.left), node.to(op.right)
        default = _default(left)
        if op.operator == "==":
            return default is not None and default.text is not None and default.text == right.text
        accepted = right.origin.op
        items = accepted.items if isinstance(accepted, ops.Build) else ()
        return default is not None and any(right.to(item).const == default.const for item in items)
    if isinstance(op, ops.Call) and node.method in ("bool", "int", "strtobool", "str2bool", "to_bool"):
        inner = node.arg(0)
        if inner is not None and inner.call is not None:
            return _default_is_on(project, inner)
    default = _default(node)
    return default is not None and (
        default.const is True or _ON.holds((default.text or "").lower()) or default.const == 1
    )


def _default(node: Node) -> Node | None:
    call = node.origin
    if call.call is None:
        return None
    if call.method in ("lower", "strip", "upper") and call.receiver is not None:
        return _default(call.receiver)
    name = call.arg(0)
    return call.arg(1, "default") if name is not None and "debug" in (name.text or "").lower() else None


# -- applications ------------------------------------------------------------------------------------------------------


def _flask(project: Project) -> Iterator[Finding]:
    for setting in project.once(flask_settings):
        deployed = setting.production and stage_of(project, setting.place.path) == "production"
        if setting.name == "DEBUG" and deployed and is_literally(project, setting.value, True):
            yield Finding(place=setting.place, message="The application's `DEBUG` is on.")


def _calls(project: Project) -> Iterator[Finding]:
    """``app.run(debug=True)``, ``FastAPI(debug=True)``."""
    for call in project.calls(*sorted(project.models.kinds.get("debuggable", ()))):
        given = call.arg(None, "debug")
        path = call.code.path
        if (
            given is None
            or call.code.file.role not in ("production", "script")
            or stage_of(project, path) != "production"
        ):
            continue
        if is_literally(project, given, True):
            if not _is_asked_for(call):
                what = "The server is started" if call.method.startswith("run") else "The application is made"
                yield _finding(given, f"{what} with debug mode on.", "high")
        elif _default_is_on(project, given):
            yield _finding(given, "Debug mode is on wherever the environment does not turn it off.", "medium")


def _is_asked_for(call: Node) -> bool:
    """Whether this runs only where the environment says that it is a developer's."""
    tests = [region.test for region in call.code.regions_of(call.value) if region.kind == "then"]
    return any(_ASKED.holds(text) for test in tests if test != NONE for text in _texts(call.to(test)))


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


def _finding(value: Node, message: str, confidence: Confidence) -> Finding:
    return Finding(place=value.place, message=message, confidence=confidence)


# -- deployment files --------------------------------------------------------------------------------------------------


def _variables(project: Project) -> Iterator[Finding]:
    for path, file in project.facts.items():
        if not is_deployable(file) or file.kind == "workflow" or stage_of(project, path) != "production":
            continue
        if ("DEBUG" not in file.text and "FLASK_ENV" not in file.text) or has_production_twin(project, path):
            continue
        for number, line in enumerate(lines(file.text), 1):
            found = _VARIABLE.search(line) if "DEBUG" in line or "FLASK_ENV" in line else None
            if found and _ON.holds(found["value"].lower()) and not line.lstrip().startswith("#"):
                yield Finding(
                    place=Place(path, Span(number, found.start("name"), number, found.end("value"))),
                    message=f"`{found['name']}` turns debug mode on in what is deployed.",
                    confidence="high" if file.kind == "dockerfile" else "medium",
                )
