"""Source to facts, one file at a time: no other file, no path's meaning, no configuration, no model.

Heavy libraries are imported by the extractor that needs them, in the worker that runs it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from backaudit.facts.bandit import BanditHit, BanditSkipped
from backaudit.facts.files import FileFacts
from backaudit.facts.problem import Problem
from backaudit.facts.secrets import SecretHit
from backaudit.source import Source

EVERYTHING = frozenset({"bandit", "code"})


def extract(source: Source, *, tracked: bool = True, wanted: Collection[str] = EVERYTHING) -> FileFacts:
    """The facts of one file. What cannot be parsed is a Problem among them; nothing of a file's content raises.

    ``wanted`` names what the rules need: "bandit" its hits; "code" what every Python file does, without which only
    those are parsed that may hold a credential.
    """
    return _python(source, tracked, wanted) if source.kind == "python" else _text(source, tracked)


def _python(source: Source, tracked: bool, wanted: Collection[str]) -> FileFacts:
    from backaudit.extract.secrets.hits import extract_secrets

    code = source if "code" in wanted else _prospects(source)
    if code is None:
        return FileFacts(path=source.path, kind=source.kind, digest=source.digest.hex(), tracked=tracked)

    from backaudit.extract.python import lower
    from backaudit.extract.python.bounds import affordable

    lowered = lower(code)
    problems = list(lowered.problems)
    hits: tuple[BanditHit, ...] = ()
    # What is too much for one parser is too much for the other.
    text = affordable(source.text)[0] if problems else source.text
    if "bandit" in wanted and text is not None:
        hits, skipped = _bandit(text, source.path, lowered.tree)
        problems += skipped if lowered.facts is not None else []
    return FileFacts(
        path=source.path,
        kind=source.kind,
        digest=source.digest.hex(),
        tracked=tracked,
        python=lowered.facts,
        bandit=hits,
        secrets=extract_secrets(source, lowered.facts),
        comments=lowered.comments,
        extents=lowered.extents,
        problems=tuple(problems),
    )


def _prospects(source: Source) -> Source | None:
    """The file without what can hold no credential, None if that is all of it."""
    from msgspec.structs import replace

    from backaudit.extract.secrets.prospect import prospects

    text = prospects(source.text)
    return None if text is None else replace(source, text=text)


def _bandit(text: str, path: str, tree: ast.Module | None) -> tuple[tuple[BanditHit, ...], list[Problem]]:
    from backaudit.extract.bandit import extract_bandit

    found = extract_bandit(text, path, tree)
    if isinstance(found, BanditSkipped):
        message = f"bandit's checks did not run on this file: {found.reason}."
        return (), [Problem(path, "unparsable", message, found.line)]
    return found, []


def _text(source: Source, tracked: bool) -> FileFacts:
    from backaudit.extract.comments import comments_of, extents_of

    secrets, problems = _credentials(source)
    return FileFacts(
        path=source.path,
        kind=source.kind,
        digest=source.digest.hex(),
        tracked=tracked,
        text=source.text,
        secrets=secrets,
        comments=comments_of(source.kind, source.text),
        extents=extents_of(source.kind, source.text),
        problems=problems,
    )


def _credentials(source: Source) -> tuple[tuple[SecretHit, ...], tuple[Problem, ...]]:
    if source.kind == "notebook":
        from backaudit.extract.secrets.notebooks import notebook_secrets

        return notebook_secrets(source)

    from backaudit.extract.secrets.hits import extract_secrets

    return extract_secrets(source, None), ()
