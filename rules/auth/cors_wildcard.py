"""auth/cors-wildcard."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.opened import Opened, opened
from backaudit.backend.access.guards import acting, authenticated
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_REMEDY = "Name the origins that may: `{0}`, from the environment where they differ by stage."


@rule("auth/cors-wildcard", severity="medium", cwe=942, owasp=("A02:2025", "A05:2021", "API8:2023"))
def cors_wildcard(project: Project) -> Iterator[Finding]:
    """Every web site may call the API from its visitors' browsers.

    With credentials allowed as well, any page that a logged-in user opens can read and change the user's data with the
    user's cookie. Without credentials it still opens an API behind a login, or inside a network, to every page.

    Mend: list the origins of your own front ends.

    Bad:
        from fastapi import FastAPI
        from fastapi.middleware.cors import CORSMiddleware

        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)

    Good:
        from fastapi import FastAPI
        from fastapi.middleware.cors import CORSMiddleware

        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.org"], allow_credentials=True)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/HTML5_Security_Cheat_Sheet.html#cross-origin-resource-sharing
    """
    for found in opened(project):
        if project.role(found.place.path) == "production":
            yield from _finding(project, found)


def _finding(project: Project, found: Opened) -> Iterator[Finding]:
    if found.credentials:
        yield Finding(
            place=found.place,
            message=f"{found.how} together with credentials: any site can act as the user who visits it.",
            remedy=_REMEDY.format(found.remedy),
        )
    elif any(authenticated(route) for route in project.once(acting)):
        yield Finding(
            place=found.place,
            message=f"{found.how} on an API that asks for a login.",
            remedy=_REMEDY.format(found.remedy),
            assumed=assume("network", "the API can be reached from where its users browse"),
            severity="low",
        )
