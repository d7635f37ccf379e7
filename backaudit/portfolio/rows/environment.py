"""Whether settings come from the environment, and `.env.example` lists all of them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.deployment.stages import stage_of
from backaudit.extract.dotenv import parse_env
from backaudit.facts.files import FileFacts
from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed
from backaudit.portfolio.variables import Variable, variables
from backaudit.project import Project


def row(project: Project) -> Row:
    """Settings that are read, against the file that tells a newcomer what to set."""
    asked = project.once(variables)
    example = example_file(project)
    return Row(
        key="environment",
        title="Settings and .env.example",
        facts=tuple(_facts(asked, example)),
        lacks=tuple(_lacks(project, asked, example)),
        basis=bool(asked),
    )


def example_file(project: Project) -> FileFacts | None:
    """The file that shows a newcomer what to set."""
    found = [f for f in project.artefacts("env") if stage_of(project, f.path) == "example"]
    return min(found, key=lambda file: (file.path.count("/"), file.path), default=None)


def committed(project: Project) -> tuple[str, ...]:
    """Files of settings that are no examples, and that git tracks."""
    found = (f for f in project.artefacts("env") if f.tracked and stage_of(project, f.path) != "example")
    return tuple(file.path for file in found)


def _facts(asked: tuple[Variable, ...], example: FileFacts | None) -> Iterator[Fact]:
    if asked:
        names = [one.name for one in asked]
        required = sum(one.required for one in asked)
        text = f"{counted(len(asked), 'variable')} are read, {required} of them without a default: {listed(names, 6)}"
        yield Fact(text, asked[0].place)
    if example is not None:
        text = f"{example.path} lists {counted(len(_listed(example)), 'variable')}"
        yield Fact(text, Place(example.path, WHOLE_FILE))


def _listed(example: FileFacts) -> set[str]:
    return {pair.name.upper() for pair in parse_env(example.text)}


def _lacks(project: Project, asked: tuple[Variable, ...], example: FileFacts | None) -> Iterator[Lack]:
    for path in committed(project)[:1]:
        text = f"{path} is under version control"
        yield lack(project, "environment/committed", text, Place(path, WHOLE_FILE), urgent=True)
    if not asked:
        yield lack(project, "environment/none", "no setting is read from the environment")
    elif example is None:
        yield lack(project, "environment/no-example", "no .env.example says what has to be set")
    else:
        missing = [one for one in asked if one.required and one.name.upper() not in _listed(example)]
        if missing:
            text = f"{example.path} lacks {listed([one.name for one in missing], 6)}"
            yield lack(project, "environment/incomplete", text, missing[0].place)
