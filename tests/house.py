"""What tests of the code itself ask of it: its files, its functions, how much they decide, which words they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
    """The constants of a module that hold three words or more, or a pattern of two."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None or _is_sentence(node.value):
            continue
        name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        texts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
        words = [word for text in texts if isinstance(text, str) for word in text.split()]
        if "re.compile" in ast.unparse(node.value):
            pattern = "".join(text for text in texts if isinstance(text, str))
            if "|" in pattern and len(re.findall(r"[A-Za-z]{3,}", pattern)) >= 2:
                yield name
        elif name != "__all__" and sum(bool(_WORD.fullmatch(word)) for word in words) >= 3 and not _is_type(node.value):
            yield name


def _is_sentence(value: ast.expr) -> bool:
    """Whether it is what a finding says of a step that was not read."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "assume"


def _is_type(value: ast.expr) -> bool:
    return isinstance(value, ast.Subscript) and ast.unparse(value.value) == "Literal"
