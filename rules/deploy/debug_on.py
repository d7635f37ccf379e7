"""deploy/debug-on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from backaudit.analyses.deploy.debugging import debugging
from backaudit.analyses.deploy.images import asked_to_debug, commands
from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.settings import flask_settings, pyfile_settings, settings_modules
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Finding, assume, rule
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_VARIABLE = re.compile(
    r"(?:^|[\s\"'-])(?P<name>FLASK_DEBUG|FLASK_ENV|DJANGO_DEBUG|DEBUG|APP_DEBUG)[\"']?(?:[ \t]*[:=][ \t]*|[ \t]+)"
    r"[\"']?(?P<value>[\w-]+)[\"']?[ \t]*\\?$"
)
_ASKED = meaning("stages", "debug-switch")
_ON = meaning("stages", "switched-on")

_DEPLOYED_SO = assume("settings", "the environment of what is deployed does not switch it off")
_DEPLOYED_FILE = assume("settings", "this file is the one that is deployed")


@rule("deploy/debug-on", severity="high", cwe=489, owasp=("A02:2025", "A05:2021", "API8:2023"), about_files=True)
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

    Bad: any text is true, `False` among them
        # file: shop/settings.py
        import os

        DEBUG = bool(os.getenv("DEBUG", "False"))
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

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
    yield from _started(project)


# -- applications ------------------------------------------------------------------------------------------------------


def _django(project: Project) -> Iterator[Finding]:
    reported: set[Place] = set()
    for module in project.once(settings_modules):
        value = module.names.get("DEBUG") if module.production else None
        if value is None or value.place in reported or stage_of(project, module.file.path) != "production":
            continue
        reported.add(value.place)
        yield from _judged(project, value, "`DEBUG` is on in the settings that are deployed.", "`DEBUG`")


def _flask(project: Project) -> Iterator[Finding]:
    for setting in project.once(flask_settings):
        if setting.name == "DEBUG" and setting.production and stage_of(project, setting.place.path) == "production":
            for finding in _judged(project, setting.value, "The application's `DEBUG` is on.", "`DEBUG`"):
                yield replace(finding, place=setting.place)
    for written in project.once(pyfile_settings):
        if written.name == "DEBUG" and written.text == "True" and stage_of(project, written.place.path) == "production":
            yield Finding(place=written.place, message="The application's `DEBUG` is on.")


def _calls(project: Project) -> Iterator[Finding]:
    """``app.run(debug=True)``, ``FastAPI(debug=True)``."""
    for call in project.calls(*sorted(project.models.kinds.get("debuggable", ()))):
        given = call.arg(None, "debug")
        deployed = call.code.file.role in ("production", "script") and stage_of(project, call.code.path) == "production"
        if given is not None and deployed and not _is_asked_for(call):
            what = "The server is started" if call.method.startswith("run") else "The application is made"
            yield from _judged(project, given, f"{what} with debug mode on.", "Debug mode")


def _judged(project: Project, value: Node, on: str, name: str) -> Iterator[Finding]:
    how = debugging(project, value)
    if how == "always":
        yield Finding(place=value.place, message=on)
    elif how == "by-default":
        message = f"{name} is on wherever the environment does not turn it off."
        yield Finding(place=value.place, message=message, assumed=_DEPLOYED_SO)
    elif how == "any-text":
        message = f"{name} is on for every text in the environment: `False` and `0` are texts, and true."
        remedy = 'Compare the text: `os.environ.get("DEBUG") == "1"`.'
        yield Finding(place=value.place, message=message, remedy=remedy, assumed=_DEPLOYED_SO)


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
                    assumed=KNOWN if file.kind == "dockerfile" else _DEPLOYED_FILE,
                )


def _started(project: Project) -> Iterator[Finding]:
    """``flask run --debug`` as what an image, a service or a platform starts."""
    for command in commands(project):
        path = command.place.path
        if stage_of(project, path) != "production" or has_production_twin(project, path):
            continue
        program = asked_to_debug(project, command.text)
        if program:
            yield Finding(
                place=command.place,
                message=f"`{program}` is started with its debugger in what is deployed.",
                assumed=KNOWN if project.facts[path].kind == "dockerfile" else _DEPLOYED_FILE,
            )
