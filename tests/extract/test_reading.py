"""The interpreter's parser and libcst's are two roads to the same facts, and each reads what the other cannot."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backaudit.extract import python
from backaudit.extract.python import lower, newer
from backaudit.facts import ops
from backaudit.facts.place import WHOLE_FILE
from backaudit.facts.python import PythonFacts
from backaudit.source import Source, read
from tests.extract.test_spans import ODD

STDLIB = Path(sysconfig.get_path("stdlib"))
FILES = sorted(
    path.relative_to(STDLIB).as_posix() for path in STDLIB.rglob("*.py") if "site-packages" not in path.parts
)

TRICKY = {
    "tuples": "a = (1), (2)\nb = ((1), (2))\nc = (1,)\nd = ((x), *(y), )\ne = ()\nf = x[(1), 2]\ng = x[(1, 2)]\n",
    "generators": "f(x for x in (y))\nf( (x) for (x) in (y) if (x) if (z) )\ng = ((x for x in y))\n",
    "comprehensions": "[(a) for a in (b) for (c) in a if (d)]\n{(a): (b) for a, b in c}\n",
    "logic": "x = a and (b) and c or (d and e) or (f)\n",
    "strings": "x = f'{a!r:>{b}}' 'é' rf'\\{c}' f'{{}}{d = }'\ny = f'''\n{a,\n b} {c[\"k\"]:%H:%M} {d != e}'''\n",
    "wide": "é = 'ü'; y = f'é{é}ü{call(é, (é))}'\ndef ü(é, *, ö=1): return é\n",
    "definitions": "class A(B, *C, m=D, **E):\n  async  def \\\n  f(self, a: 'list[B]' = 1, /, b=2, *c, d=3, **e): 1\n",
    "arguments": "f(a, *b, c, d=1, *e, **g)\n",
    "else": "if a: b;\nelif c: d\nelse:\n  # e\n  if f: g\nfor x in y: pass\nelse: z\nwhile a: b; c;\nelse: d\n",
    "semicolons": "def f():\n  with a:\n    b ;\ntry:\n  c;\nexcept D: e;\n"
    "match g:\n case 1:\n  h;\nif i:\n  j\nelse:\n  k;\n",
    "try": "try: a\nexcept (B) as c: d\nelse: e\nfinally: f\n",
    "patterns": "match a:\n case (b, *c) | [d, _]: 1\n case {'k': (e), **f} if g: 2\n case H(i, j=(k)) as l: 3\n",
    "quoted": "def f(a: 'list[int]', b: ' int', c: '(A, B)', d: 'not python') -> 'A | \"B\"': pass\n",
}


def without_slices(facts: PythonFacts | None) -> Any:
    """The facts, without the places of slices and the parts of patterns, whose white space is nobody's."""
    if facts is None:
        return None
    bodies = [[_displayed(op) for op in function.decode().ops] for function in facts.functions]
    rest = [(function.decode().regions, function.decode().final) for function in facts.functions]
    heads = [msgspec.structs.replace(function, raw=msgspec.Raw(b"")) for function in facts.functions]
    return bodies, rest, heads, facts.classes, facts.imports, facts.calls, facts.reads


def _displayed(op: ops.AnyOp) -> ops.AnyOp:
    return msgspec.structs.replace(op, at=WHOLE_FILE) if isinstance(op, ops.Build) and op.kind == "slice" else op


def of(text: str) -> Source:
    return Source("x.py", "python", text, b"", "utf-8")


def differences(sources: list[Source], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ours = [without_slices(lower(source).facts) for source in sources]
    monkeypatch.setattr(python, "parse_module", lambda text: (newer.read_module(text), False))
    theirs = [without_slices(lower(source).facts) for source in sources]
    return [source.text for source, one, other in zip(sources, ours, theirs, strict=True) if one != other]


@pytest.mark.parametrize("name", [*TRICKY, *ODD])
def test_both_roads_give_the_same_facts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = of({**ODD, **TRICKY}[name])
    assert lower(source).facts is not None
    assert differences([source], monkeypatch) == []


def test_both_roads_give_the_same_facts_of_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [read(STDLIB, path) for path in FILES[7::60]]
    found = [source for source in sources if isinstance(source, Source)]
    assert len(found) > 20
    assert differences(found, monkeypatch) == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter reads it itself")
def test_syntax_newer_than_the_interpreter_is_read() -> None:
    told = lower(of('x = f"{d["k"]}"\ntype A = int\ndef f[T](a: T) -> T: return a\n'))
    assert told.facts is not None
    assert told.problems == ()
    assert [function.name for function in told.facts.functions] == ["<module>", "f"]
    assert "k" in told.facts.reads


@pytest.mark.parametrize("text", ["x = ", "def f(:\n", "x = '\\x'\n", "b'é'\n", "x = 1\x00\n"])
def test_what_nobody_reads_is_told(text: str) -> None:
    told = lower(of(text))
    assert told.facts is None
    assert [problem.kind for problem in told.problems] == ["unparsable"]


def test_a_statement_that_is_too_dear_is_not_given_to_libcst() -> None:
    hidden = "x = f('''\ndef '''" + ".strip()" * 40_000 + ")\n"
    with pytest.raises(SyntaxError):
        newer.concrete(hidden)


def test_places_in_the_text() -> None:
    text = "def é(a):\n    x = (a,  b)\n    return f'{x}é{ call(a) }'\n"
    facts = lower(of(text)).facts
    assert facts is not None
    lines = text.splitlines()
    body = facts.functions[1].decode().ops
    calls = [op.at for op in body if isinstance(op, (ops.Call, ops.Build))]
    assert [lines[at.line - 1][at.column : at.end_column] for at in calls] == ["a,  b", "call(a)", "f'{x}é{ call(a) }'"]
    assert facts.functions[1].name_at.column == 4
