"""deploy/debug-on."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from backaudit.analyses.deploy.images import asked_to_debug, commands
from backaudit.analyses.deploy.mends import debug_off
from backaudit.analyses.deploy.switched import DebugMode, debug_modes, switched_on
from backaudit.backend.deployment.besides import loaded_besides
from backaudit.backend.deployment.developing import takes_developers_files
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule

_WHAT_IS_ON = {
    "settings": ("`DEBUG` is on in the settings that are deployed.", "`DEBUG`"),
    "config": ("The application's `DEBUG` is on.", "`DEBUG`"),
    "server": ("The server is started with debug mode on.", "Debug mode"),
    "application": ("The application is made with debug mode on.", "Debug mode"),
}
_DEPLOYED_SO = assume("settings", "the environment of what is deployed does not switch it off")
_DEPLOYED_FILE = assume("settings", "this file is the one that is deployed")
_FOR_OTHERS = assume("stage", "this file is deployed, and not only developers' own")


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
    for mode in debug_modes(project):
        besides = loaded_besides(project, mode.place.path) if mode.what == "settings" else ""
        last = assume("settings", f"`{besides}` does not switch it off") if besides else KNOWN
        yield from (_supposing(finding, last) for finding in _judged(project, mode, *_WHAT_IS_ON[mode.what]))
    yield from _variables(project)
    yield from _started(project)


# -- applications ------------------------------------------------------------------------------------------------------


def _supposing(finding: Finding, more: Assumed) -> Finding:
    return replace(finding, assumed=(*more, *finding.assumed))


def _judged(project: Project, mode: DebugMode, on: str, name: str) -> Iterator[Finding]:
    fixes = tuple(debug_off(project, mode))
    if mode.how == "always":
        yield Finding(place=mode.place, message=on, fixes=fixes)
    elif mode.how == "by-default":
        message = f"{name} is on wherever the environment does not turn it off."
        yield Finding(place=mode.place, message=message, assumed=_DEPLOYED_SO, fixes=fixes)
    elif mode.how == "any-text":
        message = f"{name} is on for every text in the environment: `False` and `0` are texts, and true."
        remedy = 'Compare the text: `os.environ.get("DEBUG") == "1"`.'
        yield Finding(place=mode.place, message=message, remedy=remedy, assumed=_DEPLOYED_SO, fixes=fixes)


# -- deployment files --------------------------------------------------------------------------------------------------


def _variables(project: Project) -> Iterator[Finding]:
    for place, name in switched_on(project):
        yield Finding(
            place=place,
            message=f"`{name}` turns debug mode on in what is deployed.",
            assumed=_of_file(project, place.path),
        )


def _of_file(project: Project, path: str) -> Assumed:
    """What is supposed of a file that switches debug mode on: of one for developers, that it is deployed at all."""
    if project.facts[path].kind == "dockerfile":
        return KNOWN
    return _FOR_OTHERS if takes_developers_files(project, path) else _DEPLOYED_FILE


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
                assumed=_of_file(project, path),
            )
