"""What does not change what a program does does not change what is found in it."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.testing import scan

FLOW = Path(__file__).resolve().parents[2] / "fixtures" / "flow"


def _readable(path: Path) -> bool:
    """Whether this interpreter knows the program's syntax."""
    try:
        ast.parse(path.read_text("utf-8"))
    except SyntaxError:
        return False
    return True


PROGRAMS = sorted(path for path in FLOW.glob("*/*.py") if _readable(path))
LOADED = plugins.load(reraise=True)
SQL = [rule for rule in LOADED.rules if rule.id == "validation/sql-injection"]

Files = dict[str, str]


def found(files: Files) -> list[tuple[str, str]]:
    """What is found, whatever its place."""
    return sorted((issue.rule.id, issue.finding.confidence) for issue in scan(files, LOADED, SQL).issues)


# -- changes that keep what a program does --------------------------------------------------------------------------


def spaced(files: Files, chance: random.Random) -> Files:
    """Blank lines and comments between statements."""
    text = files["app.py"]
    lines = text.split("\n")
    inside = {
        n for node in ast.walk(ast.parse(text)) for n in range(_first(node) + 1, _last(node) + 1) if _simple(node)
    }
    out = []
    for number, line in enumerate(lines, 1):
        if number not in inside and chance.random() < 0.3:
            out.append(chance.choice(["", "# a comment", "    # another"]))
        out.append(line)
    return {**files, "app.py": "\n".join(out)}


def _first(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _last(node: ast.AST) -> int:
    return getattr(node, "end_lineno", 0) or 0


def _simple(node: ast.AST) -> bool:
    return isinstance(node, (ast.expr, ast.arguments)) or (isinstance(node, ast.stmt) and not hasattr(node, "body"))


def renamed(files: Files, chance: random.Random) -> Files:
    """Other names for local variables and for the functions that nothing outside of the program calls."""
    tree = ast.parse(files["app.py"])
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    new = {name: f"{chance.choice('abcdef')}_{n}" for n, name in enumerate(sorted(_locals(tree) | _functions(tree)))}
    assert taken.isdisjoint(new.values())

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            node.id = new.get(node.id, node.id)
            return node

        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
            node.name = new.get(node.name, node.name)
            self.generic_visit(node)
            return node

    return {**files, "app.py": ast.unparse(Rename().visit(tree))}


def _locals(tree: ast.Module) -> set[str]:
    stored: set[str] = set()
    kept: set[str] = set()
    for function in (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))):
        stored |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            kept.update(node.names)
        elif isinstance(node, ast.alias):
            kept.add(node.asname or node.name)
        elif isinstance(node, ast.arg):
            kept.add(node.arg)
        else:
            kept.add(str(getattr(node, "name", "")))
    top = {n.id for s in tree.body if not hasattr(s, "body") for n in ast.walk(s) if isinstance(n, ast.Name)}
    return stored - kept - top


def _functions(tree: ast.Module) -> set[str]:
    """Top-level functions without decorators whose names say nothing of what they check."""
    plain = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list}
    shadowed = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)} | {
        k.arg for k in ast.walk(tree) if isinstance(k, ast.keyword) and k.arg
    }
    telling = ("valid", "allow", "safe", "check", "permitted", "trusted", "verify")
    return {name for name in plain - shadowed if not any(word in name for word in telling)}


def reordered(files: Files, chance: random.Random) -> Files:
    """The top-level functions without decorators stand in another order, at the first one's place."""
    tree = ast.parse(files["app.py"])
    movable = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list]
    movable = [n for n in movable if sum(isinstance(o, ast.FunctionDef) and o.name == n.name for o in tree.body) == 1]
    if len(movable) > 1:
        places = sorted(tree.body.index(node) for node in movable)
        rest = [node for node in tree.body if node not in movable]
        chance.shuffle(movable)
        tree.body = [*rest[: places[0]], *movable, *rest[places[0] :]]
    return {**files, "app.py": ast.unparse(tree)}


def wrapped(files: Files, chance: random.Random) -> Files:
    """The text goes through a function that returns what it is given."""
    name = _free("passed_on", files)
    return _at_the_sink(files, lambda text: (f"def {name}(given):\n    return given\n", _call(name, [text])))


def extracted(files: Files, chance: random.Random) -> Files:
    """The text is put together in a function of its own."""
    known = set(dir(builtins)) | _globals(ast.parse(files["app.py"]))
    own = _free("put_together", files)

    def move(text: ast.expr) -> tuple[str, ast.expr] | None:
        loaded = [n.id for n in ast.walk(text) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        inner = {n.id for n in ast.walk(text) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names = [name for name in dict.fromkeys(loaded) if name not in known | inner]
        if any(isinstance(n, (ast.Await, ast.NamedExpr)) for n in ast.walk(text)) or "super" in loaded:
            return None
        made = f"def {own}({', '.join(names)}):\n    return {ast.unparse(text)}\n"
        return made, _call(own, [ast.Name(name, ast.Load()) for name in names])

    return _at_the_sink(files, move)


def _free(name: str, files: Files) -> str:
    """The name, or one like it that the program does not have yet."""
    while name in files["app.py"]:
        name += "_"
    return name


def _call(name: str, args: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), args, [])


def _globals(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names


def _at_the_sink(files: Files, change: Callable[[ast.expr], tuple[str, ast.expr] | None]) -> Files:
    """The first call of ``execute`` gets something else for its text; what that needs stands before everything else."""
    tree = ast.parse(files["app.py"])
    calls = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "execute" and n.args
    ]
    changed = change(calls[0].args[0]) if calls and not isinstance(calls[0].args[0], ast.Starred) else None
    if changed is None:
        return files
    helper, calls[0].args[0] = changed
    first = next(i for i, n in enumerate(tree.body) if not isinstance(n, (ast.Import, ast.ImportFrom)))
    tree.body[first:first] = ast.parse(helper).body
    return {**files, "app.py": ast.unparse(ast.fix_missing_locations(tree))}


def split(files: Files, chance: random.Random) -> Files:
    """The functions that need nothing but the language stand in another module."""
    tree = ast.parse(files["app.py"])
    named = _globals(tree)
    moved = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {node.name}
            scoped = any(isinstance(n, (ast.Global, ast.Nonlocal)) for n in ast.walk(node))
            if not used & named and not scoped:
                moved.append(node)
    names = [node.name for node in moved]
    if not moved or len(set(names)) < len(names):
        return files
    tree.body = [node for node in tree.body if node not in moved]
    tree.body[0:0] = ast.parse(f"from parts import {', '.join(names)}").body
    return {**files, "app.py": ast.unparse(tree), "parts.py": "\n\n".join(ast.unparse(node) for node in moved)}


CHANGES = (spaced, renamed, reordered, wrapped, extracted, split)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(PROGRAMS), st.permutations(CHANGES), st.integers(1, 3), st.randoms(use_true_random=False))
def test_what_keeps_the_program_keeps_the_findings(
    path: Path, changes: list[Callable[[Files, random.Random], Files]], count: int, chance: random.Random
) -> None:
    files = {"app.py": path.read_text("utf-8")}
    changed = files
    for change in changes[:count]:
        changed = change(changed, chance)
    assert found(changed) == found(files)


STEPS = st.sampled_from(
    [
        "{}.strip()",
        "f'<{{{}}}>'",
        "'%s' % {}",
        "[{}][0]",
        "{{'a': {}}}['a']",
        "passed({})",
        "keep({}).value",
        "({} or '')",
    ]
)
ENDS = st.sampled_from(["int({})", "len({})", "('a' if {} == 'a' else 'b')", "COLUMNS.get({}, 'id')"])
CHAIN = """
import sqlite3
from flask import Flask, request
app = Flask(__name__)
db = sqlite3.connect("app.db")
COLUMNS = {{"id": "id", "name": "name"}}
class Keep:
    def __init__(self, value):
        self.value = value
def keep(value):
    return Keep(value)
def passed(value):
    return value
@app.get("/")
def index():
    v0 = request.args["q"]
{body}
    db.execute("SELECT id FROM items WHERE name = '" + str(v{last}) + "'")
"""


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=6), st.one_of(st.none(), st.tuples(ENDS, st.integers(0, 6))))
def test_a_chain_flows_unless_a_step_ends_it(steps: list[str], stop: tuple[str, int] | None) -> None:
    chain = list(steps)
    if stop is not None:
        chain.insert(min(stop[1], len(chain)), stop[0])
    body = "\n".join(f"    v{n + 1} = {step.format(f'v{n}')}" for n, step in enumerate(chain))
    files = {"app.py": CHAIN.format(body=body, last=len(chain))}
    assert len([1 for _, sure in found(files) if sure == "high"]) == (0 if stop else 1)
