"""Whether the API is described where its users look: a page that the framework makes, a file, a collection of calls."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.describing import collections_of_requests, describers, documents, switched_off
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, served
from backaudit.project import Project


def row(project: Project) -> Row:
    """OpenAPI made by the framework or a library, or written by hand."""
    made = describers(project)
    written = documents(project)
    tried = collections_of_requests(project)
    return Row(
        key="documentation",
        title="API documentation",
        facts=(
            *_facts(project, made, written),
            *(Fact("a collection of requests", Place(p, WHOLE_FILE)) for p in tried),
        ),
        lacks=() if made or written else tuple(_lacks(project, bool(tried))),
        basis=bool(made or written or tried),
    )


def _facts(project: Project, made: tuple[tuple[str, Place], ...], written: tuple[str, ...]) -> Iterator[Fact]:
    for name, place in made[:1]:
        yield Fact(f"{name} describes the API", place)
    for path in written[:2]:
        yield Fact("a document describes the API", Place(path, WHOLE_FILE))
    rows = served(project)
    if made:
        told = sum(bool(row.summary) for row in rows)
        shaped = sum(row.answer is not None for row in rows)
        yield Fact(f"{told} of {counted(len(rows), 'route')} say what they do, {shaped} what they answer")


def _lacks(project: Project, is_tried: bool) -> Iterator[Lack]:
    off = switched_off(project)
    if off is not None:
        yield lack(project, "documentation/off", "the pages of the documentation are switched off", off)
    elif is_tried:
        yield lack(project, "documentation/none", "requests can be tried, but no document says what they answer")
    else:
        yield lack(project, "documentation/none", "nothing describes the API to its users")
