"""Dockerfiles: instructions in order with their lines, stages, what a container runs and as whom.

A grammar of our own, held against BuildKit's in the tests. Of the parsers on PyPI ``dockerfile`` is BuildKit's own, but
has compiled wheels for few machines and refuses a whole file for one wrong line; ``dockerfile-parse`` knows no heredocs
and has had no release since 2023.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from backaudit.facts.place import Span
from backaudit.source import lines

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][\w.-]*)[ \t]*=[ \t]*(\S+)[ \t]*$")
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?$", re.DOTALL)
_HEREDOC = re.compile(r"\d*<<(?P<strip>-?)(?P<quote>[\"']?)(?P<name>[^<\"'\s]+)(?P=quote)")
_HEREDOC_KEYWORDS = frozenset(("RUN", "COPY", "ADD", "ONBUILD"))
# A word of the shell: quotes hold it together.
_WORD = re.compile(r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'\\])+")
_FROM = re.compile(r"(?:--\w+(?:=\S+)?\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)

_ASSIGNMENT = re.compile(r"(?:^|(?<=\s))(?P<name>\w+)=(?P<value>\"(?:\\.|[^\"\\])*\"|'[^']*'|(?:\\.|[^\s\\])*)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?(?P<operator>[-+])(?P<other>[^{}]*))?\}|(?P<bare>\w+))")


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: its keyword in upper case, the text after it with continuations joined, its first line."""

    keyword: str
    text: str
    span: Span

    @property
    def words(self) -> str:
        """What the shell would run: the exec form's list joined by spaces."""
        if self.text.startswith("["):
            try:
                parts = json.loads(self.text)
            except ValueError:
                return self.text
            return " ".join(str(part) for part in parts) if isinstance(parts, list) else self.text
        return self.text


class Stage(msgspec.Struct, frozen=True):
    """A build stage: the image (or earlier stage) that it starts from, its name, and its instructions after FROM."""

    image: str
    name: str
    start: Instruction
    body: tuple[Instruction, ...]

    def variables(self) -> dict[str, str]:
        """What ENV and ARG set, by name; an ARG without a default keeps that from before the first FROM."""
        found: dict[str, str] = {}
        for item in self.body:
            if item.keyword in ("ENV", "ARG"):
                found |= dict(_assignments(item.text))
        return found

    def last(self, *keywords: str) -> Instruction | None:
        return next((found for found in reversed(self.body) if found.keyword in keywords), None)


class Dockerfile(msgspec.Struct, frozen=True):
    """``arguments``: what ARG sets before the first FROM, by name."""

    stages: tuple[Stage, ...]
    arguments: dict[str, str]

    def user(self) -> str:
        """The user that the container starts as, with the defaults of arguments and variables; empty if none is set.

        What has no default stays as it is written (``$UID``).
        """
        for stage in self.chain():
            found = stage.last("USER")
            if found is not None:
                return _expanded(found.text, self.arguments | stage.variables())
        return ""

    def chain(self) -> Iterator[Stage]:
        """The last stage and those that it is built on, nearest first."""
        by_name = {stage.name.lower(): stage for stage in self.stages if stage.name}
        by_name |= {str(number): stage for number, stage in enumerate(self.stages)}
        seen: list[Stage] = []
        here = self.stages[-1] if self.stages else None
        while here is not None and here not in seen:
            seen.append(here)
            here = by_name.get(here.image.lower())
        yield from seen


def parse(text: str) -> Dockerfile:
    """The stages of a Dockerfile; lines that are no instruction are passed over."""
    arguments: dict[str, str] = {}
    stages: list[tuple[Instruction, list[Instruction]]] = []
    for found in instructions(text):
        if found.keyword == "FROM":
            stages.append((found, []))
        elif stages:
            stages[-1][1].append(found)
        elif found.keyword == "ARG":
            arguments |= dict(_assignments(found.text))
    return Dockerfile(tuple(_stage(start, body, arguments) for start, body in stages), arguments)


def _stage(start: Instruction, body: list[Instruction], arguments: dict[str, str]) -> Stage:
    match = _FROM.match(start.text)
    image = _expanded(match["image"] if match else start.text, arguments)
    return Stage(image, (match["name"] or "") if match else "", start, tuple(body))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """``A=1 B="two words"`` and the old form of one name, ``A two words``."""
    found = list(_ASSIGNMENT.finditer(text))
    if not found:
        name, _, value = text.strip().partition(" ")
        if value:
            yield name, value.strip()
    for item in found:
        value = item["value"]
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        yield item["name"], value[1:-1] if quoted else value.replace("\\ ", " ")


def _expanded(text: str, values: Mapping[str, str]) -> str:
    """``$NAME``, ``${NAME}``, ``${NAME:-default}`` and ``${NAME:+other}``; unknown names stay as they are."""

    def value(found: re.Match[str]) -> str:
        name, operator, other = found["braced"] or found["bare"], found["operator"], found["other"] or ""
        known = values.get(name)
        if operator == "+":
            return other if known else ""
        if known or (known == "" and not operator):
            return known or ""
        return other if operator == "-" else found[0]

    return _VARIABLE.sub(value, text)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile in order, those before the first FROM included."""
    rows = lines(text)
    mark = _escape(rows)
    at = 0
    while at < len(rows):
        first = at
        joined, at = _joined(rows, at, mark)
        match = _INSTRUCTION.match(joined)
        if match and joined.strip():
            keyword = match.group(1).upper()
            for word in _heredocs(joined) if keyword in _HEREDOC_KEYWORDS else ():
                at = _after_heredoc(rows, at, word)
            row = rows[first]
            span = Span(first + 1, len(row) - len(row.lstrip()), first + 1, len(row.rstrip()))
            yield Instruction(keyword, (match.group(2) or "").strip(), span)


def _escape(rows: list[str]) -> str:
    """The character that continues a line; a directive counts only before anything else."""
    for row in rows:
        directive = _DIRECTIVE.match(row)
        if directive is None:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _heredocs(joined: str) -> Iterator[re.Match[str]]:
    for word in _WORD.findall(joined):
        found = _HEREDOC.fullmatch(word)
        if found:
            yield found


def _after_heredoc(rows: list[str], at: int, word: re.Match[str]) -> int:
    for number in range(at, len(rows)):
        row = rows[number].lstrip("\t") if word["strip"] else rows[number]
        if row == word["name"]:
            return number + 1
    return len(rows)


def _joined(rows: list[str], at: int, mark: str) -> tuple[str, int]:
    """A logical line, comments and blank lines inside it left out, and the number of the row after it."""
    parts: list[str] = []
    while at < len(rows):
        row = rows[at].rstrip()
        at += 1
        if row.lstrip().startswith("#") or (parts and not row):
            if parts:
                continue
            return "", at
        if not row.endswith(mark):
            parts.append(row)
            break
        parts.append(row[: -len(mark)])
    return " ".join(parts), at
