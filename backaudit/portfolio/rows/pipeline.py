"""Whether a pipeline runs the tests at every change."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.deployment.deployables import platform_of
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import lack
from backaudit.project import Project
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_RUNS_TESTS = meaning("code", "test-command")
_PIPELINES = ("github", "gitlab", "pipeline")
_OF_GITHUB = meaning("files", "workflow-file")


def row(project: Project) -> Row:
    """The pipelines of the repository, and the step that tests."""
    found = pipelines(project)
    testing = next(((file, line) for file in found if (line := _test_line(file))), None)
    return Row(
        key="pipeline",
        title="CI that runs the tests",
        facts=tuple(_facts(found, testing)),
        lacks=tuple(_lacks(project, found, testing is not None)),
        basis=bool(found),
    )


def pipelines(project: Project) -> tuple[FileFacts, ...]:
    """The files by which a service runs something at each change."""
    found = (file for file in project.facts.values() if file.text and platform_of(file) in _PIPELINES)
    return tuple(file for file in found if platform_of(file) != "github" or _OF_GITHUB.holds(file.path))


def _test_line(file: FileFacts) -> int:
    numbered = enumerate(lines(file.text), 1)
    return next((number for number, text in numbered if _RUNS_TESTS.holds(text.partition("#")[0])), 0)


def _facts(found: tuple[FileFacts, ...], testing: tuple[FileFacts, int] | None) -> Iterator[Fact]:
    if testing is not None:
        file, line = testing
        yield Fact(f"{file.path} runs the tests", Place.at_line(file.path, line))
    elif found:
        yield Fact(f"{found[0].path} runs at each change", Place.at_line(found[0].path, 1))


def _lacks(project: Project, found: tuple[FileFacts, ...], tests: bool) -> Iterator[Lack]:
    if not found:
        yield lack(project, "pipeline/none", "no pipeline runs at a change")
    elif not tests:
        yield lack(project, "pipeline/tests", "no pipeline runs the tests", Place.at_line(found[0].path, 1))
