"""Programs whose own names say nothing: what the project calls by itself is called by meaningless words.

What has a meaning by protocol keeps its name: what a library gives or asks for, attributes, keys and columns, what is
passed by keyword, the parameters of registered handlers (they are fields of a request), and whatever a text or another
file spells.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Mapping

_SPELLED = re.compile(r"[A-Za-z_]\w*")
_SETTINGS = re.compile(r"settings|config")
# Found by their names by servers and frameworks.
_ENTRIES = frozenset("app application urlpatterns create_app make_app main router api self cls request".split())


def renamed(files: Mapping[str, str]) -> dict[str, str]:
    """The same files with the project's own names replaced, line by line in the same places."""
    trees = {path: ast.parse(text) for path, text in files.items() if path.endswith(".py")}
    kept = _kept(files, trees)
    own = sorted({name for tree in trees.values() for name in _defined(tree)} - kept)
    words = {name: f"zu{number}qe" for number, name in enumerate(own)}
    return {path: _replaced(text, words) if path in trees else text for path, text in files.items()}


def _kept(files: Mapping[str, str], trees: Mapping[str, ast.Module]) -> set[str]:
    kept = {*dir(builtins), *keyword.kwlist, *_ENTRIES}
    for path, text in files.items():
        if path not in trees:
            kept.update(_SPELLED.findall(text))
    for tree in trees.values():
        for node in ast.walk(tree):
            kept.update(_meant(node, trees))
    settings = [tree for path, tree in trees.items() if _SETTINGS.search(path)]
    kept.update(name for tree in settings for name in _defined(tree) if name.isupper())
    return kept


def _meant(node: ast.AST, trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """The names at a node that mean something to others."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _SPELLED.findall(node.value)
    elif isinstance(node, ast.ClassDef):
        yield from _fields(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.decorator_list:
        yield from (arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg))
    elif isinstance(node, ast.Import):
        yield from (part for alias in node.names for part in (alias.asname or alias.name).split("."))
    elif isinstance(node, ast.ImportFrom):
        ours = _module(node.module or "", trees)
        yield from (node.module or "").split(".")
        yield from (name for alias in node.names for name in (alias.name, alias.asname) if name and not ours)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names


def _module(name: str, trees: Mapping[str, ast.Module]) -> bool:
    tail = name.rpartition(".")[2]
    return any(path.endswith((f"{tail}.py", f"{tail}/__init__.py")) for path in trees) if tail else False


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Fields and methods: columns, keys of bodies, and what a base class asks for."""
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield item.name
            yield from (arg.arg for arg in ast.walk(item) if isinstance(arg, ast.arg))
        for target in [item.target] if isinstance(item, ast.AnnAssign) else getattr(item, "targets", []):
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _replaced(text: str, words: Mapping[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    found = [
        (token.start, token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME and token.string in words
    ]
    for (row, column), name in reversed(found):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + words[name] + line[column + len(name) :]
    return "".join(lines)
