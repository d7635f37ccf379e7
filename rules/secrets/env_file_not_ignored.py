"""secrets/env-file-not-ignored."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.env_files import EnvFileReading, env_file_readings
from backaudit.analyses.secrets.mends import listed
from backaudit.facts.files import FileFacts
from backaudit.ignores import Ignores
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule
from backaudit.source import lines


@rule(
    "secrets/env-file-not-ignored",
    severity="medium",
    cwe=538,
    owasp=("A02:2025", "A05:2021"),
    about_files=True,
    local=True,
    needs=(),
)
def env_file_not_ignored(project: Project) -> Iterator[Finding]:
    """The project reads a `.env` file that `.gitignore` does not list.

    The file is there on every developer's machine, full of real values, and one `git add .` away from the repository.

    Mend: add `.env` to `.gitignore` before the file exists.

    Bad:
        # file: .gitignore
        __pycache__/
        # file: app.py
        from dotenv import load_dotenv

        load_dotenv()

    Bad: nothing is ignored at all
        # file: app.py
        import environ

        env = environ.Env()
        env.read_env(".env")

    Good:
        # file: .gitignore
        __pycache__/
        .env
        # file: app.py
        from dotenv import load_dotenv

        load_dotenv()

    Links:
        https://git-scm.com/docs/gitignore
    """
    ignores = _ignores(project)
    if ignores is None:
        return
    reported: set[str] = set()
    for reading in env_file_readings(project):
        if reading.file in reported or any(
            _is_tracked(project, path) or _is_ignored(ignores, path) for path in _candidates(reading)
        ):
            continue
        reported.add(reading.file)
        yield Finding(
            place=reading.place,
            message=f"`{reading.file}` is read here, and {_nowhere(project)}.",
            remedy=f"Add a line `{_name(reading)}` to `.gitignore`.",
            assumed=assume("effect", "the file is written in this folder"),
            fixes=(listed(project, _name(reading)),),
        )


def _name(reading: EnvFileReading) -> str:
    return reading.file.rpartition("/")[2]


def _candidates(reading: EnvFileReading) -> Iterator[str]:
    """Where the file may be: readers look from the root, or from a folder above them."""
    folders = reading.place.path.split("/")[:-1]
    for count in range(len(folders) + 1):
        yield "/".join([*folders[:count], reading.file])


def _is_tracked(project: Project, path: str) -> bool:
    """Whether a file is in git: another rule's finding."""
    file = project.facts.get(path)
    return file is not None and file.tracked


def _nowhere(project: Project) -> str:
    any_file = any(path.rpartition("/")[2] == ".gitignore" for path in project.facts)
    return "no `.gitignore` lists it" if any_file else "the project has no `.gitignore`"


def _ignores(project: Project) -> Ignores | None:
    """The patterns of the project's `.gitignore` files; None if there may be others in the folders above it."""
    found: list[FileFacts] = [file for path, file in project.facts.items() if path.rpartition("/")[2] == ".gitignore"]
    ignores = Ignores()
    for file in sorted(found, key=lambda file: file.path.count("/")):
        ignores = ignores.within(file.path.removesuffix(".gitignore"), lines(file.text))
    return ignores if found or project.is_whole else None


def _is_ignored(ignores: Ignores, path: str) -> bool:
    parts = path.split("/")
    return any(ignores.names("/".join(parts[:count]) + "/") for count in range(1, len(parts))) or ignores.names(path)
