"""What a file's syntax is made of, held against libcst's own word."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from backaudit.fix.files import Syntax, children

ROOT = Path(__file__).resolve().parents[2]
FORMS = """
# A comment.
import a as b
from c import (d as e, f)


@decorated(1)
class A(B, metaclass=C):
    x: int = 1

    async def f(self, /, y=2, *args: int, z, **kwargs) -> str:
        with open(x) as one, two():
            async for each in (n async for n in m if n):
                yield each
        try:
            del x[1:2, ...]
        except (E, F) as error:
            raise G from error
        else:
            global q
        finally:
            assert not x, f"{x!r:>{y}}" "b"
        while (n := -1) and x if y else z:
            lambda u, *v: u @ v
        match x:
            case {"a": [1, *rest], **others} | K(p, q=None) if x:
                return await z
        return {**a, "b": [c for d in e for f in g]}, {1, *h}
"""


def without_space(node: cst.CSTNode) -> set[int]:
    space = (cst.BaseParenthesizableWhitespace, cst.EmptyLine, cst.TrailingWhitespace, cst.Newline, cst.Comment)
    return {id(child) for child in node.children if not isinstance(child, space)}


@pytest.mark.parametrize("text", [FORMS, (ROOT / "backaudit" / "triage.py").read_text("utf-8")])
def test_children_are_those_of_libcst_without_white_space(text: str) -> None:
    waiting: list[cst.CSTNode] = [cst.parse_module(text)]
    seen = 0
    while waiting:
        node = waiting.pop()
        assert {id(child) for child in children(node)} == without_space(node), type(node).__name__
        waiting += children(node)
        seen += 1
    assert seen > 150


def test_names_that_a_file_binds() -> None:
    assert Syntax(FORMS).bound == {
        *("b", "e", "A", "x", "f", "self", "y", "args", "z", "kwargs"),
        *("one", "each", "n", "error", "u", "v", "d"),
    }
