"""secrets/env-file-committed."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import committed_assumed
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place, Span
from backaudit.facts.secrets import SecretHit
from backaudit.project import Project
from backaudit.rule import Assumed, Finding, Step, assume, rule

_DATA = assume("effect", "what is in it is in use")
_STAGE = assume("stage", "what is in it is not a demonstration's")


@rule(
    "secrets/env-file-committed",
    severity="critical",
    cwe=538,
    owasp=("A02:2025", "A05:2021"),
    about_files=True,
    local=True,
    needs=(),
)
def env_file_committed(project: Project) -> Iterator[Finding]:
    """A file of secrets is tracked by git.

    `.env` and key files are made to stay on one machine. In the repository every clone and every fork has them, and
    deleting them later leaves them in the history.

    Mend: rotate what is in it, take it out with `git rm --cached .env`, list it in `.gitignore`, and commit a
    `.env.example` with the names alone.

    Bad:
        # file: .env
        DATABASE_URL=postgresql://shop:kX9vTq2LmWzR7@db.internal/shop
        SECRET_KEY=vN3kX9vTq2LmWzR7pYc4

    Good: names alone
        # file: .env.example
        DATABASE_URL=
        SECRET_KEY=change-me

    Good: nothing that is secret
        # file: .env
        FLASK_APP=shop
        LOG_LEVEL=info

    Links:
        https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository
    """
    for file in project.artefacts("env", "key"):
        hits = [hit for hit in file.secrets if hit.position != "comment"]
        assumed = committed_assumed(project, file) if file.tracked else None
        if assumed is not None:
            yield _finding(file, hits, assumed)
    for file in project.artefacts("store"):
        stage = stage_of(project, file.path)
        if file.tracked and stage not in ("test", "example"):
            yield _store(file, _DATA if stage == "production" else _STAGE)


def _store(file: FileFacts, assumed: Assumed) -> Finding:
    name = file.path.rpartition("/")[2]
    out = f"Then `git rm --cached {file.path}`, and add `{name}` to `.gitignore`"
    if file.path.endswith((".sqlite3", ".sqlite")):
        # Often it is a demonstration's, and nobody's data are in it.
        message = f"`{name}` is tracked by git: a database has its users' password hashes and sessions in it."
        remedy = f"Have the users choose new passwords and end all sessions, if there are any. {out}."
        assumed = _STAGE
    else:
        message = f"`{name}` is tracked by git: it is a key store, and no better kept than the password on it."
        remedy = f"Make new keys and revoke these. {out}; mount it where it is needed."
    return Finding(place=Place.at_line(file.path, 1), message=message, remedy=remedy, assumed=assumed)


def _finding(file: FileFacts, hits: list[SecretHit], assumed: Assumed) -> Finding:
    name = file.path.rpartition("/")[2]
    told = sorted(hits, key=lambda hit: (hit.strength != "strong", hit.span))
    first = file.text.split("\n", 1)[0].rstrip("\r")
    spans = [_line_of(hit) for hit in told] if file.kind == "env" else []
    return Finding(
        place=Place(file.path, spans[0] if spans else Span(1, 0, 1, len(first))),
        message=f"`{name}` is tracked by git, and holds {_what(file, hits)}.",
        remedy=_remedy(file, name),
        assumed=assumed,
        related=tuple(Step(Place(file.path, span), "Another value stands here.") for span in spans[1:]),
        secrets=tuple(Place(file.path, part) for hit in hits for part in hit.parts),
    )


def _line_of(hit: SecretHit) -> Span:
    """Where a value begins, as far as its first line goes."""
    span = hit.span
    return span if span.line == span.end_line else Span(span.line, span.column, span.line, span.column)


def _remedy(file: FileFacts, name: str) -> str:
    out = f"Then `git rm --cached {file.path}` and add `{name}` to `.gitignore`"
    if file.kind == "key":
        return f"Make a new key and revoke this one. {out}."
    return f"Rotate what is in it first. {out}; commit a `.env.example` with the names and no values."


def _what(file: FileFacts, hits: list[SecretHit]) -> str:
    if file.kind == "key":
        return "a private key"
    names = list(dict.fromkeys(hit.name for hit in hits if hit.name))
    if not names:
        return "a password" if len(hits) == 1 else f"{len(hits)} credentials"
    listed = ", ".join(f"`{name}`" for name in names[:3])
    return f"values for {listed}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
