"""Source to facts, one file at a time: no other file, no path's meaning, no configuration, no model.

Heavy libraries are imported by the extractor that needs them, in the worker that runs it.
"""

from __future__ import annotations

from backaudit.facts.files import FileFacts
from backaudit.facts.problem import Problem
from backaudit.source import Source


def extract(source: Source, *, tracked: bool = True) -> FileFacts:
    """The facts of one file. What cannot be parsed is a Problem among them; nothing of a file's content raises."""
    return _python(source, tracked) if source.kind == "python" else _text(source, tracked)


def _python(source: Source, tracked: bool) -> FileFacts:
    from backaudit.extract.bandit import extract_bandit
    from backaudit.extract.python import lower
    from backaudit.extract.secrets import extract_secrets
    from backaudit.facts.bandit import BanditSkipped

    lowered = lower(source)
    hits = extract_bandit(source.text, source.path)
    problems = [] if lowered.problem is None else [lowered.problem]
    if isinstance(hits, BanditSkipped) and lowered.facts is not None:
        message = f"bandit's checks did not run on this file: {hits.reason}."
        problems.append(Problem(source.path, "unparsable", message, hits.line))
    return FileFacts(
        path=source.path,
        kind=source.kind,
        digest=source.digest.hex(),
        tracked=tracked,
        python=lowered.facts,
        bandit=() if isinstance(hits, BanditSkipped) else hits,
        secrets=extract_secrets(source, lowered.facts),
        comments=lowered.comments,
        extents=lowered.extents,
        problems=tuple(problems),
    )


def _text(source: Source, tracked: bool) -> FileFacts:
    from backaudit.extract.comments import comments_of, extents_of
    from backaudit.extract.secrets import extract_secrets

    return FileFacts(
        path=source.path,
        kind=source.kind,
        digest=source.digest.hex(),
        tracked=tracked,
        text=source.text,
        secrets=extract_secrets(source, None),
        comments=comments_of(source.kind, source.text),
        extents=extents_of(source.kind, source.text),
    )

