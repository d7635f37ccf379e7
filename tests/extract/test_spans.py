"""Spans equal libcst's own position provider on real code and on what real code rarely has."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from backaudit.extract.python import cst_spans
from backaudit.extract.python.cst_spans import Spans
from backaudit.source import Source, read

STDLIB = Path(sysconfig.get_path("stdlib"))
FILES = sorted(
    path.relative_to(STDLIB).as_posix() for path in STDLIB.rglob("*.py") if "site-packages" not in path.parts
)

ODD = {
    "tabs": "if x:\n\ty = [\n\t\t1,\t2]\n\tz(\t)\n",
    "form feed": "a = 1\n\x0c\ndef f():\n\x0c    return (a)\n",
    "crlf": "def f(\r\n    a,\r\n):\r\n    return a\r\n",
    "cr": "a = 1\rb = 2\r",
    "astral": "x = '\U0001f40d'; y = call('\U0001f40d', z)\n",
    "combining": "é = 'é'; print(é)\n",
    "line separator in a string": "a = 'x\u2028y'; b = a\n",
    "parentheses": "x = ((a)) + (  (b) )\n(yield_) = (\n  (1), )\n",
    "decorators": "@a\n@ b (c)\nclass D(E, metaclass=F):\n    @property\n    async def g(self): return await h\n",
    "strings": "x = ('a' \"b\"\n  f'{c!r:>{d}}' rb'x')\n",
    "match": "match x:\n    case {'a': [1, *r], **rest} if r: pass\n    case A(b=c) | None: pass\n",
    "no end": "x = 1",
    "continuation": "x = a + \\\n    b\nwith (open(a) as b, c): pass\n",
    "empty": "",
}


def differences(source: Source) -> list[str]:
    module = cst.parse_module(source.text)
    spans = Spans(module, source.text)
    wanted = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    found = []
    for node, place in wanted.items():
        if isinstance(node, (cst.Module, cst.Newline, cst.TrailingWhitespace)):
            continue  # no fact has the span of a whole module or of white space
        at = spans(node)
        if (at.line, at.column, at.end_line, at.end_column) != (
            place.start.line,
            place.start.column,
            place.end.line,
            place.end.column,
        ):
            found.append(f"{type(node).__name__}: {at} is not {place}")
    return found


@pytest.mark.parametrize("name", ODD)
def test_odd_text(name: str) -> None:
    source = Source("x.py", "python", ODD[name], b"", "utf-8")
    assert differences(source) == []


def _check(path: str) -> int:
    source = read(STDLIB, path)
    if not isinstance(source, Source):
        return 0
    try:
        assert differences(source) == [], path
    except cst.ParserSyntaxError:
        return 0
    return 1


def test_a_sample_of_the_standard_library() -> None:
    assert sum(_check(path) for path in FILES[::40]) > 20


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_a_quarter_of_the_standard_library(part: int) -> None:
    small = [path for path in FILES[part::4] if (STDLIB / path).stat().st_size < 40_000]
    assert sum(_check(path) for path in small[::3]) > 50


def test_what_ends_the_walk_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(BaseException):
        """As a signal ends it."""

    def end(*_: object) -> None:
        raise Ended

    monkeypatch.setattr(cst_spans._Offsets, "add_token", end)
    with pytest.raises(Ended):
        Spans(cst.parse_module("a = 1\n"), "a = 1\n")
