"""What lowering makes of Python: values, joins, regions, and what it must not lose."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backaudit.extract.python import lower
from backaudit.facts import ops
from backaudit.facts.ops import Body
from backaudit.facts.python import PythonFacts
from backaudit.source import Source


def facts(text: str) -> PythonFacts:
    lowered = lower(Source("app.py", "python", dedent(text), b"", "utf-8"))
    assert lowered.facts is not None, lowered.problems
    return lowered.facts


def body(text: str, name: str = "f") -> Body:
    return next(f for f in facts(text).functions if f.name == name).decode()


def reaching(made: Body, value: int, seen: frozenset[int] = frozenset()) -> set[object]:
    """The constants that may be the value, through names and joins (a loop's join may name itself through another)."""
    op = made.ops[value]
    if value in seen:
        return set()
    if isinstance(op, ops.Const):
        return {op.value}
    if isinstance(op, ops.Bind):
        return reaching(made, op.value, seen | {value})
    if isinstance(op, ops.Phi):
        return {found for choice in op.values for found in reaching(made, choice, seen | {value})}
    return {type(op).__name__}


def returned(text: str) -> set[object]:
    made = body(text)
    return set().union(*(reaching(made, op.value) for op in made.ops if isinstance(op, ops.Return)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f():\n x = 1\n x = 2\n return x", {2}),
        ("def f(c):\n x = 1\n if c:\n  x = 2\n return x", {1, 2}),
        ("def f(c):\n if c:\n  x = 1\n else:\n  x = 2\n return x", {1, 2}),
        ("def f(c):\n x = 1\n if c:\n  x = 2\n  return 3\n return x", {1, 3}),
        ("def f(c):\n x = 1\n if c:\n  x = 2\n  raise E\n return x", {1}),
        ("def f(c):\n x = 1\n if False:\n  x = 2\n return x", {1}),
        ("def f(c):\n x = 1\n for i in c:\n  x = 2\n return x", {1, 2}),
        ("def f(c):\n x = 1\n while True:\n  x = 2\n  if c:\n   break\n return x", {2}),
        ("def f(c):\n x = 1\n for i in c:\n  if i:\n   x = 2\n   continue\n return x", {1, 2}),
        ("def f(c):\n try:\n  x = 1\n  g()\n  x = 2\n except E:\n  x = 3\n return x", {2, 3}),
        ("def f(c):\n x = 0\n try:\n  x = 1\n  x = 2\n except E:\n  return x\n return 9", {0, 1, 2, 9}),
        ("def f(c):\n try:\n  x = 1\n finally:\n  x = 2\n return x", {2}),
        ("def f(c):\n with c as d:\n  x = 1\n return x", {1}),
        ("def f(c):\n match c:\n  case 1:\n   x = 1\n  case _:\n   x = 2\n return x", {1, 2}),
        ("def f():\n a, (b, c) = 1, (2, 3)\n return c", {3}),
        ("def f():\n a = b = 1\n return b", {1}),
        ("def f():\n if (n := 5) > 3:\n  pass\n return n", {5}),
        ("def f():\n x = 1\n [x for x in ()]\n return x", {1}),
        ("def f():\n x = 'a' 'b'\n return x", {"ab"}),
        ("def f():\n x = 1\n del x\n return x", {"Name"}),
    ],
)
def test_which_values_reach_a_return(text: str, wanted: set[object]) -> None:
    assert returned(text) == wanted


def test_early_exits_are_marked() -> None:
    made = body("def f(c):\n if c:\n  return 1\n elif d:\n  raise E\n else:\n  pass\n")
    assert [(r.kind, r.exits) for r in made.regions] == [
        ("then", "return"), ("else", ""), ("then", "raise"), ("else", ""),
    ]  # fmt: skip


def test_regions_nest_and_cover_their_operations() -> None:
    made = body("def f(c):\n for i in c:\n  try:\n   g(i)\n  except E as e:\n   h(e)\n")
    for region in made.regions:
        assert 0 <= region.first <= region.last <= len(made.ops)
        if region.parent >= 0:
            outer = made.regions[region.parent]
            assert outer.first <= region.first
            assert region.last <= outer.last


def test_a_quoted_annotation_is_read() -> None:
    made = facts("def f(a: 'list[User]'): ...")
    value = made.functions[1].params[0].annotation
    assert isinstance(made.functions[0].decode().ops[value], ops.Item)


def test_qualified_names_and_owners() -> None:
    made = facts("class A:\n  def m(self):\n    def inner(): ...\n")
    assert [f.qualname for f in made.functions] == ["", "A", "A.m", "A.m.<locals>.inner"]
    assert [f.cls for f in made.functions] == [-1, 0, 0, -1]


def test_text_that_is_no_python_is_a_problem_that_quotes_nothing() -> None:
    lowered = lower(Source("a.py", "python", "password = 'hunter2' ===\n", b"", "utf-8"))
    assert lowered.facts is None
    [problem] = lowered.problems
    assert problem.kind == "unparsable"
    assert problem.line == 1
    assert "hunter2" not in problem.message


def test_python_2_is_a_problem() -> None:
    lowered = lower(Source("a.py", "python", "print 'x'\nexec 'y'\n", b"", "utf-8"))
    [problem] = lowered.problems
    assert problem.kind == "unparsable"


@given(st.text(alphabet="xyz=+()[]{}:,.'\"\\\n\t fi_if def return #@%\r\x0c\u2028é", max_size=60))
def test_any_text_gives_facts_or_a_problem(text: str) -> None:
    lowered = lower(Source("a.py", "python", text, b"", "utf-8"))
    assert (lowered.facts is None) == bool(lowered.problems)
