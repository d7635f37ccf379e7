"""Whether there are tests, and which routes they call."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.exercised import called_routes, coverage, test_functions
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed, route_name, served
from backaudit.project import Project
from backaudit.survey.records import RouteRow


def row(project: Project) -> Row:
    """Tests, the routes that they reach, and a report of coverage if there is one."""
    tests = project.once(test_functions)
    called = project.once(called_routes)
    return Row(
        key="tests",
        title="Tests",
        facts=tuple(_facts(project, tests, called)),
        lacks=tuple(_lacks(project, tests, called)),
        basis=bool(tests),
    )


def _facts(project: Project, tests: tuple[Place, ...], called: frozenset[RouteRow]) -> Iterator[Fact]:
    if tests:
        files = {place.path for place in tests}
        yield Fact(f"{counted(len(tests), 'test')} in {counted(len(files), 'file')}", tests[0])
        yield Fact(f"{len(called)} of {counted(len(served(project)), 'route')} are called by them")
    report = coverage(project)
    if report is not None:
        yield Fact(f"a report of coverage says {report[1]:.0%}", Place(report[0], WHOLE_FILE))


def _lacks(project: Project, tests: tuple[Place, ...], called: frozenset[RouteRow]) -> Iterator[Lack]:
    rows = served(project)
    if not tests:
        yield lack(project, "tests/none", "there is no test")
    elif 2 * len(called) < len(rows):
        missed = [one for one in rows if one not in called]
        text = f"{len(missed)} of {counted(len(rows), 'route')} are called by no test: "
        yield lack(project, "tests/few", text + listed(list(map(route_name, missed))))
