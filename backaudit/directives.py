"""Suppression comments: ``# backaudit: ignore[name, …] reason`` and ``# backaudit: ignore-file[name, …] reason``.

A comment holds for every physical line of the statement that it stands on (of a compound statement: its header), or,
alone on its line, for the statement below. One that cannot be read, or names no rule, suppresses nothing by that and is
a finding itself; so is one that suppresses nothing although its rule ran.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from backaudit.facts.comments import Comment, Extent
from backaudit.facts.place import Place
from backaudit.rule import Finding, Rule, rule
from backaudit.rulenames import RuleNames

_OPENING = re.compile(r"backaudit\s*:", re.IGNORECASE)
_LOOKS_MEANT = re.compile(r"backaudit\s*:?\s*ignore", re.IGNORECASE)
_GRAMMAR = re.compile(r"backaudit:\s*(ignore|ignore-file)\s*\[([^\[\]]*)\]\s*(.*)", re.DOTALL)
_CLOSING = re.compile(r"\s*(#\}|-->|\*/)\s*$")
_NAME = re.compile(r"[\w-]+(/[\w-]+)?")


@rule("directives/malformed", severity="low", cwe=(), tags=("suppression",))
def malformed(project: object) -> Iterator[Finding]:
    """A suppression comment cannot be read.

    A comment that was meant to silence a finding but is misspelt either silences nothing, to the surprise of its
    author, or worse, would silence everything. It suppresses nothing, and is reported.

    Mend: write `# backaudit: ignore[rule-name] why this is right here`. The reason is required: the next reader has to
    know it.

    Bad:
        import hashlib


        def checksum(data: bytes) -> str:
            return hashlib.md5(data).hexdigest()  # backaudit: ignore weak-hash

    Good:
        import hashlib


        def checksum(data: bytes) -> str:
            return hashlib.md5(data).hexdigest()
    """
    yield from ()


@rule("directives/unknown-rule", severity="low", cwe=(), tags=("suppression",))
def unknown_rule(project: object) -> Iterator[Finding]:
    """A suppression comment names a rule that does not exist.

    The comment looks as though something were silenced with care, and silences nothing.

    Mend: write the rule's name as the report writes it, `family/name`, or the name alone for a built-in rule.

    Bad:
        def total(prices: list[int]) -> int:
            return sum(prices)  # backaudit: ignore[weak-hush] a checksum, not a password

    Good:
        def total(prices: list[int]) -> int:
            return sum(prices)
    """
    yield from ()


@rule("directives/unused", severity="low", cwe=(), tags=("suppression",))
def unused(project: object) -> Iterator[Finding]:
    """A suppression comment suppresses nothing.

    The code that it excused is gone or mended. Left in place, it will silence the next mistake that is made there.

    Mend: delete the comment.

    Bad:
        def total(prices: list[int]) -> int:
            return sum(prices)  # backaudit: ignore[weak-hash] a checksum, not a password

    Good:
        def total(prices: list[int]) -> int:
            return sum(prices)
    """
    yield from ()


RULES: tuple[Rule, ...] = (malformed, unknown_rule, unused)


class Directive(msgspec.Struct, frozen=True):
    """One readable suppression comment. ``lines`` are those it holds for; empty means the whole file."""

    place: Place
    names: tuple[str, ...]
    reason: str
    lines: frozenset[int] = frozenset()

    def covers(self, line: int) -> bool:
        return not self.lines or line in self.lines


class FileDirectives(msgspec.Struct, frozen=True):
    """The suppression comments of one file; ``malformed`` holds (place, what is wrong)."""

    path: str
    directives: tuple[Directive, ...] = ()
    malformed: tuple[tuple[Place, str], ...] = ()


class _Malformed(Exception):
    pass


def parse(path: str, comments: Sequence[Comment], extents: Sequence[Extent]) -> FileDirectives:
    """The suppression comments among the ``comments`` of a file."""
    found: list[Directive] = []
    wrong: list[tuple[Place, str]] = []
    alone = {comment.span.line for comment in comments if comment.alone}
    for comment in comments:
        place = Place(path, comment.span)
        for text in _candidates(comment.text):
            try:
                whole_file, names, reason = _read(text)
            except _Malformed as error:
                wrong.append((place, str(error)))
            else:
                lines = frozenset[int]() if whole_file else _lines(comment, extents, alone)
                found.append(Directive(place, names, reason, lines))
    return FileDirectives(path, tuple(found), tuple(wrong))


def _candidates(text: str) -> Iterator[str]:
    """The parts of a comment that speak to us: it may hold another tool's words, or several directives."""
    body = _CLOSING.sub("", text)
    parts = re.split(r"(?:^|\s)(?:#|--|;|<!--|\{#)+\s*(?=backaudit)", " " + body, flags=re.IGNORECASE)
    for part in parts[1:]:
        if _OPENING.match(part) or _LOOKS_MEANT.match(part):
            yield part.strip()
    if len(parts) == 1 and _LOOKS_MEANT.search(body):
        yield body.strip()


def _read(text: str) -> tuple[bool, tuple[str, ...], str]:
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise _Malformed("It is not of the form `backaudit: ignore[rule-name] reason`.")
    names = tuple(name.strip() for name in match.group(2).split(","))
    reason = match.group(3).strip().lstrip("-–—: ").strip()
    if not all(_NAME.fullmatch(name) for name in names):
        raise _Malformed("The brackets must hold names of rules, with commas between them.")
    if not re.search(r"\w", reason):
        raise _Malformed("A reason must follow the brackets.")
    return match.group(1) == "ignore-file", names, reason


def _lines(comment: Comment, extents: Sequence[Extent], alone: Collection[int]) -> frozenset[int]:
    """The lines a comment holds for: those of its statement's header, or of the statement's below it."""
    line = comment.span.line
    headers = _headers(line, extents)
    if headers or not comment.alone:
        return headers | {line}
    below = comment.span.end_line + 1
    while below in alone:
        below += 1
    return _headers(below, extents) | {below}


def _headers(line: int, extents: Sequence[Extent]) -> frozenset[int]:
    return frozenset(
        covered
        for extent in extents
        if extent.line <= line <= extent.header_end_line
        for covered in range(extent.line, extent.header_end_line + 1)
    )


class Suppressions:
    """The directives of a run, at work: asked for every finding, and at the end for what they did not do."""

    def __init__(self, files: Sequence[FileDirectives], names: RuleNames) -> None:
        self._files = files
        self._names = names
        self._used: set[tuple[Place, str]] = set()
        self._by_path: dict[str, list[tuple[Directive, str, frozenset[str]]]] = {}
        for file in files:
            self._by_path[file.path] = [
                (directive, name, frozenset(found.id for found in names.find(name)))
                for directive in file.directives
                for name in directive.names
            ]

    def reason_for(self, rule: Rule, place: Place) -> str | None:
        """The reason given for suppressing a finding, or None; every directive that covers it counts as used."""
        reasons = []
        for directive, name, ids in self._by_path.get(place.path, ()):
            if rule.id in ids and directive.covers(place.span.line):
                self._used.add((directive.place, name))
                reasons.append(directive.reason)
        return reasons[0] if reasons else None

    def findings(self, ran: Collection[str]) -> Iterator[tuple[Rule, Finding]]:
        """What is wrong with the directives themselves. ``ran``: ids of the rules whose findings are complete."""
        for file in self._files:
            for place, why in file.malformed:
                yield malformed, Finding(place=place, message=f"This suppression comment cannot be read. {why}")
            for directive, name, ids in self._by_path[file.path]:
                if not ids:
                    yield unknown_rule, _unknown(directive, name, self._names)
                elif (directive.place, name) not in self._used and ids <= set(ran) and not _is_own(ids):
                    message = f'The suppression of "{name}" has no effect: there is nothing to suppress.'
                    yield unused, Finding(place=directive.place, message=message)


def _unknown(directive: Directive, name: str, names: RuleNames) -> Finding:
    message = f'This comment suppresses "{name}", and there is no such rule.{names.suggestion(name)}'
    return Finding(place=directive.place, message=message)


def _is_own(ids: frozenset[str]) -> bool:
    return all(id.startswith("directives/") for id in ids)
