"""secrets/secret-in-history."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.past import PastCredential, past_credentials
from backaudit.analyses.secrets.told import described
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, capitalized, rule

_SHORT = 10


@rule(
    "secrets/secret-in-history",
    severity="high",
    cwe=540,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
    about_files=True,
    local=True,
    needs=("history",),
)
def secret_in_history(project: Project) -> Iterator[Finding]:
    """An earlier commit holds a credential.

    Deleting a line deletes it from the next commit alone: every clone and fork has the ones before, and `git log -p`
    shows them. Asked for with `--history`, which reads every version of every file once; the place is that of the
    commit named, and what is still there today is left to the other rules.

    Mend: rotate it first, since it must count as known; after that the history may stay as it is. If it has to be
    purged all the same, `git filter-repo --replace-text` rewrites the history: everybody has to clone anew, and the
    host has to be asked to drop what it has cached.

    Bad: a commit, and one after it that only takes the line away
        # file: settings.py
        SECRET_KEY = "vN3kX9vTq2LmWzR7pYc4"

    Good: it never was in the repository
        # file: settings.py
        import os

        SECRET_KEY = os.environ["SECRET_KEY"]

    Links:
        https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository
        https://github.com/newren/git-filter-repo
    """
    for past in past_credentials(project):
        yield _finding(past)


def _finding(past: PastCredential) -> Finding:
    commit, hit = past.commit, past.secret.hit
    what = described(hit)
    return Finding(
        # No columns: they would be those of a line that nobody has before them.
        place=Place.at_line(past.path, hit.span.line),
        message=(
            f"{capitalized(what)} is in the history: commit {commit.id[:_SHORT]} by {commit.author} of "
            f"{commit.date} brought it in this line of `{past.path}`, and no tracked file has it today."
        ),
        remedy=_remedy(past),
        assumed=past.assumed,
        evidence=past.secret.line,
        scope=hit.name,
        commit=commit.id,
    )


def _remedy(past: PastCredential) -> str:
    first = "Make a new key and revoke this one" if past.secret.hit.kind == "private-key" else "Rotate it first"
    file = past.path.rpartition("/")[2]
    whole = file.startswith(".env") or past.secret.hit.kind == "private-key"
    purge = (
        f"`git filter-repo --invert-paths --path {past.path}`"
        if whole
        else "`git filter-repo --replace-text FILE` with the value in FILE"
    )
    return (
        f"{first}: every clone has it, and no later commit takes it away. Only then, if it must go from the history "
        f"too: {purge}, force-push, have every clone made anew, and ask the host to drop its caches."
    )
