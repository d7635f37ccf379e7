"""Dockerfiles: instructions in order with their lines, stages, what a container runs and as whom.

A grammar of our own: instructions are one keyword a (continued) line, which needs no library, and the parsers on PyPI
are unmaintained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from backaudit.facts.place import Span
from backaudit.source import lines

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?$", re.DOTALL)
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")
_FROM = re.compile(r"(?:--\w+(?:=\S+)?\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)


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

    def last(self, *keywords: str) -> Instruction | None:
        return next((found for found in reversed(self.body) if found.keyword in keywords), None)


class Dockerfile(msgspec.Struct, frozen=True):
    """``arguments``: what ARG sets before the first FROM, by name."""

    stages: tuple[Stage, ...]
    arguments: dict[str, str]

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
    for found in _instructions(text):
        if found.keyword == "FROM":
            stages.append((found, []))
        elif stages:
            stages[-1][1].append(found)
        elif found.keyword == "ARG":
            name, _, value = found.text.partition("=")
            arguments[name.strip()] = value.strip().strip("\"'")
    return Dockerfile(tuple(_stage(start, body, arguments) for start, body in stages), arguments)


def _stage(start: Instruction, body: list[Instruction], arguments: dict[str, str]) -> Stage:
    match = _FROM.match(start.text)
    image = match["image"] if match else start.text
    for name, value in arguments.items():
        image = re.sub(rf"\$(?:{re.escape(name)}\b|\{{{re.escape(name)}(?::?-[^}}]*)?\}})", lambda _, v=value: v, image)
    return Stage(image, (match["name"] or "") if match else "", start, tuple(body))


def _instructions(text: str) -> Iterator[Instruction]:
    rows = lines(text)
    escape = _ESCAPE.match(rows[0].strip()) if rows else None
    mark = escape.group(1) if escape else "\\"
    at = 0
    while at < len(rows):
        first = at
        joined, at = _joined(rows, at, mark)
        match = _INSTRUCTION.match(joined)
        if match and joined.strip():
            for word in _HEREDOC.findall(joined):
                at = next((row + 1 for row in range(at, len(rows)) if rows[row].strip() == word), len(rows))
            row = rows[first]
            span = Span(first + 1, len(row) - len(row.lstrip()), first + 1, len(row.rstrip()))
            yield Instruction(match.group(1).upper(), (match.group(2) or "").strip(), span)


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
