"""The README of a project, judged by its headings, prose, code blocks and links: never by its length."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_README = meaning("files", "readme")
_COMMAND = meaning("readme", "command")
_REQUEST = meaning("readme", "request")
_STARTING = meaning("readme", "starting")
_VARIABLES = meaning("readme", "variables")
_VARIABLE = meaning("readme", "variable")
_HOST = meaning("readme", "host")
_ELSEWHERE = meaning("readme", "elsewhere")
_RUNNING = meaning("readme", "running")

_HEADING = re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*$")
_UNDERLINE = re.compile(r"(=|-|~|\^|\"){3,}\s*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_INDENTED = re.compile(r"(\t| {4,})\S")
_LINK = re.compile(r"https?://(?P<host>[\w.-]+)(?P<rest>[^\s)\]>\"'`]*)")
_MARKUP = re.compile(r"!?\[[^\]]*\]\([^)]*\)|<[^>]+>|[*_`#>|~-]+|https?://\S+")
_LIST_ITEM = re.compile(r"\s*([-*+]|\d+\.)\s")
# A sentence that says something; a title, or a row of badges, says less.
_SENTENCE = 6


class Line(msgspec.Struct, frozen=True):
    """A line of the page. ``code``: it stands in a block of code; ``heading``: it is one, with its text."""

    number: int
    text: str
    code: bool = False
    heading: str = ""


class Page(msgspec.Struct, frozen=True):
    """``parts``: what the page has, each with the number of the line where it begins."""

    path: str
    parts: dict[str, int]

    def has(self, part: str) -> int:
        return self.parts.get(part, 0)

    def place(self, line: int) -> Place:
        return Place.at_line(self.path, line)


def readme(project: Project) -> Page | None:
    """The README nearest to the root, with what it has. Ask with ``project.once``."""
    found = [path for path in project.facts if _README.holds(path)]
    if not found:
        return None
    path = min(found, key=lambda one: (one.count("/"), len(one), one))
    return Page(path, read(project.facts[path].text))


def read(text: str) -> dict[str, int]:
    """What a page has, by the part's name, with the first line of it."""
    found: dict[str, int] = {}
    heading = ""
    for line in cut(text):
        heading = line.heading or heading
        for part in _parts(line, heading):
            found.setdefault(part, line.number)
    return found


def cut(text: str) -> Iterator[Line]:
    """The lines of Markdown or reStructuredText, told apart as headings, code and prose."""
    rows = lines(text)
    fenced = False
    before = ""
    for number, row in enumerate(rows, 1):
        if _FENCE.match(row):
            fenced = not fenced
            continue
        following = rows[number] if number < len(rows) else ""
        indented = bool(_INDENTED.match(row)) and not _LIST_ITEM.match(row) and not before.strip()
        if fenced or indented:
            yield Line(number, row.strip(), code=True)
        else:
            yield Line(number, row, heading=_heading(row, following))
        before = "" if indented and not fenced else row


def _heading(row: str, following: str) -> str:
    found = _HEADING.match(row)
    if found is not None:
        return found["text"]
    underlined = row.strip() and _UNDERLINE.match(following) and not _UNDERLINE.match(row)
    return row.strip() if underlined else ""


def _parts(line: Line, heading: str) -> Iterator[str]:
    """What one line shows the reader."""
    if line.code or "`" in line.text:
        yield from _of_code(line.text)
    is_prose = not line.code and not line.heading
    if is_prose and _says(line.text) and not _COMMAND.holds(line.text):
        yield "purpose"
    if line.heading and _STARTING.holds(line.heading):
        yield "start"
    if _VARIABLES.holds(line.heading or line.text) or (_VARIABLE.holds(line.text) and not line.heading):
        yield "variables"
    if any(_is_deployment(link, f"{heading} {line.text}") for link in _LINK.finditer(line.text)):
        yield "deployed"


def _of_code(text: str) -> Iterator[str]:
    if _COMMAND.holds(text):
        yield "start"
    if _REQUEST.holds(text):
        yield "request"


def _says(text: str) -> bool:
    """Whether a line of prose says something, links and badges aside."""
    plain = _MARKUP.sub(" ", text)
    return sum(part.isalpha() for part in plain.replace(",", " ").replace(".", " ").split()) >= _SENTENCE


def _is_deployment(link: re.Match[str], around: str) -> bool:
    """An address of a platform, or one of which the text says that the project runs there."""
    host = link["host"].lower()
    if _ELSEWHERE.holds(host):
        return False
    return _HOST.holds(host) or _RUNNING.holds(around)
