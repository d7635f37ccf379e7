"""Procfiles: a process a line, ``name: command`` (Heroku, foreman, honcho; a ``#`` begins a comment line).

A line of another form is passed over, as they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.facts.place import Span
from backaudit.source import lines

_PROCESS = re.compile(r"(?P<name>[A-Za-z0-9_-]+):[ \t]*(?P<command>\S.*?)[ \t]*$")


class Process(msgspec.Struct, frozen=True):
    """What is started under a name; ``span``: the command's place."""

    name: str
    command: str
    span: Span


def parse_procfile(text: str) -> Iterator[Process]:
    """The processes in order."""
    for number, line in enumerate(lines(text), 1):
        found = _PROCESS.match(line)
        if found:
            yield Process(
                found["name"], found["command"], Span(number, found.start("command"), number, found.end("command"))
            )
