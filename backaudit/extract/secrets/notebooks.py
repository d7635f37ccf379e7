"""Credentials in notebooks: what each cell says is read as what it is, and found again in the raw file.

The Python of all cells is one module, as it is for the kernel. Lines for IPython and the shell are no part of it, they
are read as shell; a cell for another program (``%%bash``, ``%%writefile app.yaml``) as that. What was printed is
searched for providers' tokens and private keys alone.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from backaudit.extract.notebook import Cell, NotebookError, Part, Passage, RawPlaces, cells, load, located
from backaudit.extract.secrets import texts
from backaudit.extract.secrets.hits import extract_secrets
from backaudit.extract.secrets.lines import Lines
from backaudit.extract.secrets.prospect import is_prospect, prospects
from backaudit.facts.place import Span
from backaudit.facts.problem import Problem
from backaudit.facts.python import PythonFacts
from backaudit.facts.secrets import SecretHit
from backaudit.source import Kind, Source, kind_of

# "module": Python that can be parsed. "printed": searched for forms alone.
Reading = Kind | Literal["module", "printed"]


class Fragment(msgspec.Struct, frozen=True):
    """A passage as it is read: ``text`` is as long as its strings are, with blanks where they are read otherwise."""

    reading: Reading
    cell: int
    part: Part
    strings: tuple[str, ...]
    text: str


def notebook_secrets(source: Source) -> tuple[tuple[SecretHit, ...], tuple[Problem, ...]]:
    """The credentials of a notebook at their places in the raw file, and the Problem that it is none."""
    if not source.text.strip():
        return (), ()
    try:
        return tuple(sorted(_secrets(source))), ()
    except NotebookError as error:
        problem = Problem(source.path, "unparsable", f"The notebook cannot be read cell by cell: {error}.", error.line)
        return extract_secrets(source, None), (problem,)


def _secrets(source: Source) -> Iterator[SecretHit]:
    read = {reading: _hits(source, reading, group) for reading, group in _by_reading(load(source.text)).items()}
    if any(read.values()):
        raw = Lines(source.text)
        for reading, group in _by_reading(located(source.text)).items():
            yield from _placed(raw, group, read[reading])


def _hits(source: Source, reading: Reading, group: Sequence[Fragment]) -> tuple[SecretHit, ...]:
    text = _together(group)
    if reading == "printed":
        hits = extract_secrets(msgspec.structs.replace(source, kind="other", text=text), None)
        return tuple(hit for hit in hits if hit.kind in ("provider", "private-key"))
    if reading != "module":
        return extract_secrets(msgspec.structs.replace(source, kind=reading, text=text), None)
    code = prospects(text)
    if code is None:
        return ()
    whole = msgspec.structs.replace(source, kind="python", text=text)
    return extract_secrets(whole, _lowered(msgspec.structs.replace(whole, text=code)))


def _lowered(code: Source) -> PythonFacts | None:
    from backaudit.extract.python import lower

    return lower(code).facts


def _together(group: Sequence[Fragment]) -> str:
    return "".join(fragment.text + "\n" for fragment in group)


# -- what is read as what ----------------------------------------------------------------------------------------------


def _by_reading(document: object) -> dict[Reading, list[Fragment]]:
    """The fragments of a notebook, those together that are read in the same way."""
    groups: dict[Reading, list[Fragment]] = {}
    for cell in cells(document):
        for passage in cell.passages:
            for fragment in _fragments(cell, passage):
                groups.setdefault(fragment.reading, []).append(fragment)
    return groups


def _fragments(cell: Cell, passage: Passage) -> Iterator[Fragment]:
    text = _PICTURE.sub(lambda found: " " * len(found.group()), _LONE.sub("\ufffd", passage.text))
    if passage.part != "source":
        yield Fragment("printed", cell.number, passage.part, passage.strings, text)
        return
    readings: list[tuple[Reading, str]] = _code(cell, text) if cell.kind == "code" else [("text", text)]
    for reading, content in readings:
        yield Fragment(reading, cell.number, "source", passage.strings, content)


# Half a character, which JSON can say and no encoding can write.
_LONE = re.compile("[\ud800-\udfff]")
# In base64, any short token turns up sooner or later.
_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z\d+/=]+")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>[\w!]+)[ \t]*(?P<rest>[^\r\n]*)")
_SHELLS = ("bash", "sh", "script", "system", "!", "cmd", "zsh")
# What runs the rest of the cell as Python, in one way or another.
_PYTHON_MAGICS = (
    "time", "timeit", "capture", "prun", "python", "python3", "pypy", "debug", "memit", "mprun", "lprun", "snakeviz",
    "px", "heat", "wandb", "skip", "notify", "cython", "cache", "local", "spark", "pyspark", "ipytest", "manim",
)  # fmt: skip


def _code(cell: Cell, text: str) -> list[tuple[Reading, str]]:
    """How a code cell is read. Of what can hold no credential nothing is, so that it need not be parsed."""
    lowered = text.lower()
    if not is_prospect(text) and not any(stem in lowered for stem in texts.STEMS):
        return []
    if cell.language not in _PYTHONS:
        return [("python", text)]
    magic = _CELL_MAGIC.match(text)
    if magic is None or magic["name"] in _PYTHON_MAGICS:
        return _python(text)
    return _by_magic(magic["name"], magic["rest"], text)


def _by_magic(name: str, rest: str, text: str) -> list[tuple[Reading, str]]:
    """A cell that its first line hands to something else than Python."""
    if name in _SHELLS:
        return [("shell", text)]
    if name in ("sql", "bigquery"):
        return [("sql", text)]
    if name in ("writefile", "file") and rest.strip():
        kind = kind_of(rest.split()[-1])
        return _python(text) if kind == "python" else [(kind, text)]
    return [("python", text)]


_PYTHONS = ("python", "python2", "python3", "ipython", "pyspark", "xpython")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# ``%magic``, ``!command``, ``?name``, ``name?``, ``names = !ls``.
_MAGIC = re.compile(
    r"[ \t]*(?:%{1,2}[A-Za-z_]|!|\?)|[^#\"'\r\n]*[\w)\]]\?{1,2}[ \t]*\r?\n?$|[ \t]*[\w., ]+=[ \t]*(?:%[A-Za-z_]|!)"
)


def _python(text: str) -> list[tuple[Reading, str]]:
    """A cell as Python, and its lines for IPython as shell; what cannot be parsed is read line by line."""
    if _parses(text):
        return [("module", text)]
    lines = _LINE.findall(text)
    magics = _magics(lines)
    code = "".join(_nothing(line) if number in magics else line for number, line in enumerate(lines))
    rest = "".join(line if number in magics else _blank(line) for number, line in enumerate(lines))
    readings: list[tuple[Reading, str]] = [("module" if _parses(code) else "python", code)]
    return [*readings, ("shell", rest)] if magics else readings


def _magics(lines: Sequence[str]) -> Collection[int]:
    """The numbers of the lines that are IPython's, with those that continue them."""
    found: set[int] = set()
    for number, line in enumerate(lines):
        continues = number - 1 in found and lines[number - 1].rstrip().endswith("\\")
        if continues or _MAGIC.match(line):
            found.add(number)
    return found


def _nothing(line: str) -> str:
    """A statement that does nothing, as long as the line and as far to the right."""
    bare = line.rstrip("\r\n")
    indent = bare[: len(bare) - len(bare.lstrip())]
    return (indent + "0" if bare.strip() else bare).ljust(len(bare)) + line[len(bare) :]


def _blank(line: str) -> str:
    bare = line.rstrip("\r\n")
    return " " * len(bare) + line[len(bare) :]


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


# -- places ------------------------------------------------------------------------------------------------------------


def _placed(raw: Lines, group: Sequence[Fragment], hits: Iterable[SecretHit]) -> Iterator[SecretHit]:
    text = Lines(_together(group))
    places = RawPlaces(raw.text, [string for fragment in group for string in (*fragment.strings, "\n")])
    begins = [0]
    for fragment in group:
        begins.append(begins[-1] + len(fragment.text) + 1)
    for hit in hits:
        start = text.offset(hit.span.line, hit.span.column)
        spans = _raw(raw, text, places, hit.span)
        if spans:
            number = bisect_right(begins, start) - 1
            line = text.at(start)[0] - text.at(begins[number])[0] + 1
            yield msgspec.structs.replace(
                hit,
                span=Span(spans[0].line, spans[0].column, spans[-1].end_line, spans[-1].end_column),
                parts=tuple(span for part in hit.parts for span in _raw(raw, text, places, part)),
                within=_within(group[number], line),
            )


def _raw(raw: Lines, text: Lines, places: RawPlaces, span: Span) -> list[Span]:
    start, end = text.offset(span.line, span.column), text.offset(span.end_line, span.end_column)
    return [raw.span(*stretch) for stretch in places.of(start, end)]


def _within(fragment: Fragment, line: int) -> str:
    if fragment.part == "source":
        return f"cell {fragment.cell}, line {line}"
    return f"cell {fragment.cell}, {fragment.part}" if fragment.cell else "the notebook's metadata"
