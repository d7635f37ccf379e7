"""The hits of one file: what its detectors, its names and its positions say, joined to one hit for each stretch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

import msgspec

from backaudit.extract.secrets import detectors, texts
from backaudit.extract.secrets import python as code
from backaudit.extract.secrets.lines import Lines
from backaudit.extract.secrets.literals import by_line
from backaudit.facts.place import Span
from backaudit.facts.python import PythonFacts
from backaudit.facts.secrets import Position, SecretHit
from backaudit.source import Source

_ORDER = {
    "env-default": 0, "argument": 1, "seed": 2, "assignment": 3, "attribute": 4, "item": 5, "field": 6,
    "keyword": 7, "dict": 8, "file": 9, "comparison": 10, "parameter": 11, "fallback": 11, "text": 12, "comment": 13,
}  # fmt: skip
_LONE_RETURN = re.compile(r"\r(?!\n)")
_KINDS = {"private-key": 0, "provider": 1, "url": 2, "signing-key": 3, "password": 4, "token": 5}


def extract_secrets(source: Source, python: PythonFacts | None) -> tuple[SecretHit, ...]:
    """The candidates of one file, in order of place."""
    # A lone carriage return ends a line, too; expressions know no other end than a line feed, which is as long.
    text = Lines(_LONE_RETURN.sub("\n", source.text))
    matches = list(detectors.find(text.text))
    named: Iterable[SecretHit]
    if python is not None:
        named = [*code.find(text, python, tuple(text.at(match.start)[0] for match in matches)), *texts.comments(text)]
    elif source.kind == "python":
        # Python that cannot be parsed (of another version, with a slip in it) is read line by line.
        named = [*texts.find(text, source.kind), *texts.comments(text)]
    else:
        named = texts.find(text, source.kind)
    found = _one_each([*named, *_formed(text, matches, in_code=source.kind == "python")])
    return tuple(_digested(text, hit) for hit in found)


def _digested(text: Lines, hit: SecretHit) -> SecretHit:
    """With its digest: three bytes leave thousands of equally likely passwords for each that somebody tries."""
    if hit.strength == "hash" or not hit.parts:
        return hit
    pieces = [_covered(text, part) for part in hit.parts]
    if hit.strength != "strong":
        # Two services may well share a word: it is one credential only under one name, and in one URL.
        name = "" if hit.position == "argument" else hit.name
        pieces += ["\0", name, "\0", _covered(text, hit.span) if hit.kind == "url" else ""]
    told = "".join(pieces).encode("utf-8", "replace")
    return msgspec.structs.replace(hit, digest=hashlib.blake2b(told, digest_size=3, person=b"backaudit").hexdigest())


def _covered(text: Lines, span: Span) -> str:
    return text.text[text.offset(span.line, span.column) : text.offset(span.end_line, span.end_column)]


def _formed(text: Lines, matches: list[detectors.Match], in_code: bool) -> Iterator[SecretHit]:
    for match in matches:
        # A URL that code uses was already met as a literal: what is left stands in comments.
        apart = (in_code and match.kind == "url") or _commented(text, match.start)
        position: Position = "comment" if apart else "text"
        parts = tuple(by_line(text, match.start, match.end))
        span = text.span(match.start, match.end)
        yield SecretHit(span, match.kind, "", match.strength, position, parts, match.detector, local=match.local)


def _commented(text: Lines, start: int) -> bool:
    _, column = text.at(start)
    before = text.text[start - column : start].lstrip()
    return before.startswith(("#", "//", "--", ";")) and not before.startswith("//registry")


def _one_each(hits: list[SecretHit]) -> Iterator[SecretHit]:
    """Hits that overlap are one: its form says whose it is, its position how it is used."""
    group: list[SecretHit] = []
    for hit in sorted(hits):
        if group and (hit.span.line, hit.span.column) >= max((h.span.end_line, h.span.end_column) for h in group):
            yield _joined(group)
            group = []
        group.append(hit)
    if group:
        yield _joined(group)


def _joined(group: list[SecretHit]) -> SecretHit:
    formed = min(group, key=lambda hit: (_KINDS[hit.kind], _ORDER[hit.position], hit))
    used = min(group, key=lambda hit: (_ORDER[hit.position], not hit.name, hit))
    strongest = (
        "strong" if any(hit.strength == "strong" for hit in group if hit.kind == formed.kind) else formed.strength
    )
    parts = tuple(sorted({part for hit in group for part in hit.parts}))
    return msgspec.structs.replace(
        formed, name=used.name or formed.name, env=used.env, position=used.position, strength=strongest, parts=parts
    )
