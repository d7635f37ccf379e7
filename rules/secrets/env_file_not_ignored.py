"""secrets/env-file-not-ignored."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.env_files import has_ignore_file, unignored_env_files
from backaudit.analyses.secrets.mends import listed
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_HERE = assume("effect", "the file is written in this folder")
_ANYWHERE = assume("purpose", "the folder that the function is given is one of the repository")


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
    nowhere = "no `.gitignore` lists it" if has_ignore_file(project) else "the project has no `.gitignore`"
    for reading in unignored_env_files(project):
        yield Finding(
            place=reading.place,
            message=f"`{reading.file}` is read here, and {nowhere}.",
            remedy=f"Add a line `{reading.name}` to `.gitignore`.",
            assumed=_ANYWHERE if reading.told else _HERE,
            fixes=(listed(project, reading.name),),
        )
