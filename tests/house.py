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

    Sentences are no words here, nor the values of our own types, which mypy holds against them; classes of the books;
    and tables of functions, which say what each operation of a library does.
    """
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        if "re.compile" in ast.unparse(node.value):
            pattern = re.sub(r"\?P<\w+>", "", "".join(_texts(node.value)))
            if "|" in pattern and len(re.findall(r"[A-Za-z]{3,}", pattern)) >= 2:
                yield name
        elif name != "__all__" and len(_words(node)) >= 3 and not _is_our_own(node):
            yield name


def _texts(value: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(value) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _words(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The single words among the texts of a constant, and those of texts that are split into words."""
    value = node.value
    assert value is not None
    calls = [call for call in ast.walk(value) if isinstance(call, ast.Call)]
    split = [text for call in calls if ast.unparse(call.func).endswith(".split") for text in _texts(call.func)]
    not_told = [text for call in calls if ast.unparse(call.func) == "meaning" for text in _texts(call)]
    if isinstance(value, ast.Dict) and _types_of(node)[1:] and _types_of(node)[1] in _own_types():
        not_told += [text for each in value.values for text in _texts(each)]
    texts = [text for text in _texts(value) if text not in split and text not in not_told]
    return [word for word in [*texts, *" ".join(split).split()] if _WORD.fullmatch(word)]


def _is_our_own(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether the constant is a type of literals, a table of functions, or holds values of a type of ours."""
    if isinstance(node.value, ast.Subscript) and ast.unparse(node.value.value) == "Literal":
        return True
    types = _types_of(node)
    functions = any(kind.startswith("Callable") or kind == "Reader" for kind in types[1:])
    return bool(types) and (types[0] in _own_types() or types[0].startswith("type[") or functions)


def _types_of(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The types of elements, or of keys and values, that the annotation of a constant names."""
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.annotation, ast.Subscript):
        return []
    inner = node.annotation.slice
    return [ast.unparse(part) for part in (inner.elts if isinstance(inner, ast.Tuple) else [inner])]


@cache
def _own_types() -> frozenset[str]:
    """The names of the types of literals that the code declares."""
    declared = re.compile(r"^(\w+)(?:: TypeAlias)? = Literal\[", re.MULTILINE)
    return frozenset(
        name for path in sources("backaudit", "rules") for name in declared.findall(path.read_text("utf-8"))
    )
