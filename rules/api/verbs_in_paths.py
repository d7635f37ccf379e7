"""api/verbs-in-paths."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.paths import Verb, routes_of_the_api, verbs
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule

_SHOWN = 3


@rule("api/verbs-in-paths", severity="low", shown="strict", tags=("api",))
def verbs_in_paths(project: Project) -> Iterator[Finding]:
    """Paths of an API are called after what is done, which the method says already.

    A path names a thing: `GET /tasks`, `POST /tasks`, `DELETE /tasks/1`. With a verb in each path there are four
    addresses for one thing, methods mean nothing, and every client has to learn the names by heart.

    Mend: name the thing in the plural, and let the method say what is done to it.

    Given:
        from fastapi import FastAPI

        app = FastAPI()

    Bad:
        @app.post("/create-task")
        def create(title: str):
            return {"title": title}

    Good:
        @app.post("/tasks", status_code=201)
        def create(title: str):
            return {"title": title}

    Links:
        https://www.rfc-editor.org/rfc/rfc9110#name-methods
        https://restfulapi.net/resource-naming/
    """
    found = verbs(project)
    if found:
        first, *others = found
        yield Finding(
            place=first.route.place.first_line(),
            message=_message(found, routes_of_the_api(project)),
            related=tuple(Step(verb.route.place.first_line(), f"{_name(verb)} too") for verb in others),
        )


def _message(found: tuple[Verb, ...], routes: int) -> str:
    if len(found) == 1:
        return f"{_name(found[0])} has the verb `{found[0].segment}` in its path."
    names = ", ".join(map(_name, found[:_SHOWN])) + (" …" if len(found) > _SHOWN else "")
    return f"{len(found)} of {routes} routes have a verb in their path, which the method says already: {names}."


def _name(verb: Verb) -> str:
    return f"{'/'.join(verb.route.methods) or 'any method'} {verb.route.path}"
