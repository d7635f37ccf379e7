"""Whether the README says what the project does, how to run it, how to call it, what to set, and where it runs."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.pages import Page, readme
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import lack
from backaudit.project import Project

# What is expected of it, the gravest first, with what is said where it is there and where it is not.
_PARTS = (
    ("purpose", "says what the project does", "does not say what the project does"),
    ("start", "shows how to run it", "does not show how to run it"),
    ("request", "shows a request", "shows no request that one could try"),
    ("variables", "says what has to be set", "does not say which variables have to be set"),
    ("deployed", "links to the deployment", "has no link to where the project runs"),
)


def row(project: Project) -> Row:
    """The page by which a reviewer begins."""
    page = project.once(readme)
    return Row(
        key="readme",
        title="README",
        facts=tuple(_facts(page)) if page is not None else (),
        lacks=tuple(_lacks(project, page)),
        basis=page is not None and bool(page.has("purpose") or page.has("start")),
    )


def _facts(page: Page) -> Iterator[Fact]:
    for part, said, _ in _PARTS:
        line = page.has(part)
        if line:
            yield Fact(f"it {said}", page.place(line))


def _lacks(project: Project, page: Page | None) -> Iterator[Lack]:
    if page is None:
        yield lack(project, "readme/none", "there is no README")
        return
    for part, _, missing in _PARTS:
        if not page.has(part):
            yield lack(project, f"readme/{part}", f"it {missing}", Place(page.path, WHOLE_FILE))
