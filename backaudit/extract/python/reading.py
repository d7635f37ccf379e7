"""A text as Python's own ``ast``: by the interpreter's parser, or by libcst's where that refuses it.

The interpreter's is eight times as fast and knows the syntax of its own version alone; libcst's knows what came later.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from backaudit.extract.python.nodes import Malformed, TryStar, TypeAlias

__all__ = ["Malformed", "TryStar", "TypeAlias", "parse_expression", "parse_module"]


def parse_module(text: str) -> tuple[ast.Module, bool]:
    """The tree, and whether the interpreter made it; SyntaxError where no parser takes the text."""
    try:
        return _parsed(text, "exec"), True
    except SyntaxError:
        from backaudit.extract.python.newer import read_module

        return read_module(text), False


def parse_expression(text: str) -> ast.expr:
    """The tree of one expression; SyntaxError where it is none."""
    try:
        return _parsed(text, "eval").body  # type: ignore[no-any-return]
    except SyntaxError:
        from backaudit.extract.python.newer import read_expression

        return read_expression(text)


def _parsed(text: str, mode: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about the scanned code, and would be printed
            return ast.parse(text, mode=mode)
    except MemoryError as error:
        # Of the parser's stack, not of the machine.
        raise RecursionError from error
    except ValueError as error:
        raise SyntaxError(str(error)) from error
