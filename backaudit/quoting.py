"""The text of the files that findings quote, as it was analysed, and what must not be shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from backaudit import source
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.facts.problem import Problem
from backaudit.masking import Masks
from backaudit.source import Source

NO_LIMIT = 1 << 40


def masks_of(places: Iterable[Place], sources: Mapping[str, Source]) -> Masks:
    """What hides the texts that stand in some places, in any text."""
    return Masks(places, lambda path: source.lines(sources[path].text) if path in sources else ())


def credentials(facts: Iterable[FileFacts]) -> Iterator[Place]:
    """All that the extractors take for a credential."""
    for file in facts:
        for hit in file.secrets:
            yield from (Place(file.path, part) for part in (hit.parts if hit.strength != "placeholder" else ()))


def veiled_in(sources: Mapping[str, Source]) -> list[Place]:
    """What may be a password in the files that are quoted, though it is too doubtful to be told."""
    from backaudit.extract.secrets.veiled import veiled

    return [Place(path, span) for path, found in sources.items() for span in veiled(found)]


def sources_of(root: Path, digests: Mapping[str, str]) -> tuple[dict[str, Source], list[Problem]]:
    """The text of the files that findings quote; one that is not as it was analysed is a Problem, and not quoted."""
    sources: dict[str, Source] = {}
    problems = []
    for path in sorted(digests):
        found = source.read(root, path, source.Limits({}, default=NO_LIMIT))
        if isinstance(found, Problem):
            problems.append(found)
        elif found.digest.hex() != digests[path]:
            problems.append(Problem(path, "unreadable", "The file changed while it was analysed: it is not quoted."))
        else:
            sources[path] = found
    return sources, problems
