"""What tests of the code itself ask of it: its files, its functions, how much they decide, which words they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case,
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]{2,}")


def sources(*folders: str) -> Iterator[Path]:
    """The modules below folders of the project."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, inner ones too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def decisions(function: ast.AST) -> int:
    """How often a function decides: branches, loops, handlers, ``and`` and ``or``, each part of a comprehension."""
    count, waiting = 0, list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _SCOPES):
            continue
        if isinstance(node, _BRANCHES):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        waiting.extend(ast.iter_child_nodes(node))
    return count


def word_constants(path: Path) -> Iterator[str]:
    """The constants of a module that hold three words or more, or a pattern of two.

    Sentences are no words here, nor are the values of our own types, which mypy holds against them.
    """
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        if "re.compile" in ast.unparse(node.value):
            pattern = "".join(_texts(node.value))
            if "|" in pattern and len(re.findall(r"[A-Za-z]{3,}", pattern)) >= 2:
                yield name
        elif name != "__all__" and len(_words(node.value)) >= 3 and not _is_of_our_own_type(node):
            yield name


def _texts(value: ast.expr) -> list[str]:
    return [part.value for part in ast.walk(value) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _words(value: ast.expr) -> list[str]:
    """The single words among the texts, and those of texts that are split into words."""
    lists = [
        call.func.value.value
        for call in ast.walk(value)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "split"
        if isinstance(call.func.value, ast.Constant) and isinstance(call.func.value.value, str)
    ]
    texts = [text for text in _texts(value) if text not in lists]
    return [word for word in [*texts, *" ".join(lists).split()] if _WORD.fullmatch(word)]


def _is_of_our_own_type(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether the constant is a type of literals, or its elements (its keys) are declared to be of one."""
    if isinstance(node.value, ast.Subscript) and ast.unparse(node.value.value) == "Literal":
        return True
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.annotation, ast.Subscript):
        return False
    inner = node.annotation.slice
    elements = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
    return ast.unparse(elements) in _own_types()


@cache
def _own_types() -> frozenset[str]:
    """The names of the types of literals that the code declares."""
    declared = re.compile(r"^(\w+)(?:: TypeAlias)? = Literal\[", re.MULTILINE)
    return frozenset(
        name for path in sources("backaudit", "rules") for name in declared.findall(path.read_text("utf-8"))
    )
