"""The shape of the house: layers point down, one library has one door, stages have no side effects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backaudit.extract.pool import ASKED
from tests.house import sources

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "backaudit"

# From the bottom up. A module may import its own layer and those below; what stands beside each other in one layer
# must not form a circle. The package itself, which holds the rule author's API, is a layer too.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("facts",),
    (
        "source",
        "sql",
        "sqlparams",
        "toml",
        "crash",
        "distinct",
        "steps",
        "gitindex",
        "git",
        "gitremote",
        "ignores",
        "isolation",
        "regular",
        "temporary",
        "usage",
        "linehash",
        "stamp",
        "times",
    ),
    ("vocabulary",),
    ("cache", "discover", "masking", "sqlparams"),
    ("extract", "project"),
    ("evidence",),
    ("rule", "models", "ruledoc", "rulenames", "issue"),
    ("backend",),
    ("flow", "survey"),
    ("analyses",),
    ("portfolio",),
    ("",),
    ("declared",),
    ("directives", "plugins", "config", "baseline", "check", "grouping", "triage", "fix", "report", "results"),
    ("asking", "audit", "stages", "quoting", "gittree", "history", "staged", "output", "progress", "prove", "workcopy"),
    ("repro", "since", "starters", "fixing"),
    ("testing", "lsp", "fleet"),
    ("cli", "commands", "console", "catalogue", "entry", "__main__"),
)

# Stages that run side by side: each is composed by audit and knows none of the others.
STAGES = ("extract", "project", "check", "triage", "fix", "report")

# One library, one door: the modules, with all below them, that may import it.
DOORS: dict[str, tuple[str, ...]] = {
    "libcst": ("extract.python", "fix"),
    "sqlglot": ("sql",),
    "bandit": ("extract.bandit",),
    "detect_secrets": ("extract.secrets",),
    "click": ("cli",),
    "jinja2": ("report",),
    "tomli": ("toml",),
    "pathspec": ("ignores",),
    "pygls": ("lsp",),
    "lsprotocol": ("lsp",),
    "dask": ("fleet.cluster",),
    "distributed": ("fleet.cluster",),
    "fsspec": ("fleet.cache",),
    "psutil": ("fleet.keeper", "prove.server"),
    "pyarrow": ("fleet.parquet",),
}
RUAMEL_DOORS = 1

# The pool has its workers read files, and a watchdog over them needs a clock: it may only turn a hang into a crash.
POOL = "extract.pool"
PURE = ("extract", "project", "backend", "flow", "analyses", "portfolio", "survey", "check", "triage", "fix", "report")
IMPURE_MODULES = {
    "socket",
    "subprocess",
    "urllib.request",
    "requests",
    "http.client",
    "random",
    "time",
    "tempfile",
    "shutil",
}
IMPURE_CALLS = {
    "print",
    "input",
    "exit",
    "quit",
    "open",
    "sys.exit",
    "os.getenv",
    "os.environ.get",
    "os.open",
    "os.listdir",
    "os.walk",
    "os.scandir",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.datetime.now",
}
IMPURE_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "rglob", "unlink", "mkdir"}


class Imported:
    """One import: the module it stands in, what it names, its line, and whether it is for the type checker alone."""

    def __init__(self, inside: str, name: str, line: int, typing_only: bool) -> None:
        self.inside, self.name, self.line, self.typing_only = inside, name, line, typing_only

    def __repr__(self) -> str:
        return f"backaudit.{self.inside}:{self.line} imports {self.name}"


def modules() -> dict[str, ast.Module]:
    """The package's modules by dotted name below ``backaudit``; a package goes by its own name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = ast.parse(path.read_text("utf-8"))
    return found


MODULES = modules()


def imports(inside: str, tree: ast.Module) -> Iterator[Imported]:
    yield from _imports(inside, tree, typing_only=False)


def _imports(inside: str, node: ast.AST, *, typing_only: bool) -> Iterator[Imported]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Imported(inside, alias.name, node.lineno, typing_only)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"backaudit.{inside}:{node.lineno}: imports are absolute"
        for alias in node.names:
            yield Imported(inside, _target(node.module or "", alias.name), node.lineno, typing_only)
    guarded = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from _imports(inside, child, typing_only=typing_only or guarded)


def _target(module: str, name: str) -> str:
    """``from backaudit import gitindex`` names a module, ``from backaudit import rule`` (the decorator) the package."""
    inner = f"{module}.{name}".removeprefix("backaudit.")
    if module == "backaudit" and inner in MODULES and inner != "rule":
        return f"backaudit.{inner}"
    return f"{module}.{name}" if module.startswith("backaudit.") and inner in MODULES else module


ALL = [found for name, tree in MODULES.items() for found in imports(name, tree)]


def top(module: str) -> str:
    return module.partition(".")[0]


def layer(module: str) -> int:
    return next(rank for rank, names in enumerate(LAYERS) if top(module) in names)


def own(found: Imported) -> str | None:
    """The module of ours that is imported, without the package's name; None for another library's."""
    if top(found.name) != "backaudit":
        return None
    inner = found.name.partition(".")[2]
    while inner and inner not in MODULES:
        inner = inner.rpartition(".")[0]
    return inner


def test_every_module_has_a_layer() -> None:
    placed = {name for names in LAYERS for name in names}
    assert {top(name) for name in MODULES} - placed == set()


def test_layers_point_down() -> None:
    upwards = [found for found in ALL if (target := own(found)) is not None and layer(target) > layer(found.inside)]
    assert upwards == []


def test_there_is_no_circle_between_the_modules_of_the_package() -> None:
    graph: dict[str, set[str]] = {}
    for found in ALL:
        target = own(found)
        if target is not None and not found.typing_only and top(target) != top(found.inside):
            graph.setdefault(top(found.inside), set()).add(top(target))
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"imports in a circle: {' > '.join((*path, name))}"
        if name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_stages_know_nothing_of_each_other() -> None:
    sideways = [
        found
        for found in ALL
        if (target := own(found)) is not None
        and top(found.inside) in STAGES
        and top(target) in STAGES
        and top(target) != top(found.inside)
        and layer(target) == layer(found.inside)
    ]
    assert sideways == []


def test_what_the_extractors_ask_is_part_of_the_key_of_facts() -> None:
    """Facts are kept: whatever code decides them has to be in their key, or yesterday's are read."""
    needed: set[str] = set()
    waiting = [name for name in MODULES if top(name) == "extract"]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [target for found in ALL if found.inside == name and (target := own(found)) is not None]
    # What finds, keeps and stamps files decides nothing of what is in them.
    bystanders = {"cache", "crash", "discover", "gitindex", "ignores", "regular", "stamp"}
    assert {top(name) for name in needed} - bystanders - {"extract"} <= {name.removesuffix(".py") for name in ASKED}


def test_facts_import_nothing_of_ours_but_facts() -> None:
    assert [
        found
        for found in ALL
        if top(found.inside) == "facts" and own(found) is not None and top(own(found) or "") != "facts"
    ] == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_one_library_has_one_door(library: str) -> None:
    strangers = [
        found
        for found in ALL
        if top(found.name) == library
        and not any(
            found.inside == door or found.inside.startswith((f"{door}.", f"{door}_")) for door in DOORS[library]
        )
    ]
    assert strangers == []


def test_yaml_is_read_in_one_place() -> None:
    assert len({found.inside for found in ALL if top(found.name) in ("ruamel", "yaml")}) <= RUAMEL_DOORS


def test_nothing_imports_the_rules() -> None:
    assert [found for found in ALL if top(found.name) in ("backaudit_rules", "rules")] == []


def test_the_analyses_of_a_family_serve_its_own_rules() -> None:
    """``analyses/auth`` is imported by itself and by ``rules/auth``: what two families need stands further down.

    The scorecard sums up what all families know, and asks each of them.
    """
    strangers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in (PACKAGE, ROOT / "rules")
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("backaudit.analyses.")
        and (node.module or "").split(".")[2] not in path.relative_to(folder).parts[:-1]
        and path.relative_to(folder).parts[0] != "portfolio"
    ]
    assert strangers == []


def reads_own_data(call: ast.Call) -> bool:
    """Whether a file that comes with the package is read: part of the code, not of the world."""
    return ast.unparse(call.func).startswith("resources.files(__package__)")


@pytest.mark.parametrize("module", sorted(name for name in MODULES if top(name) in PURE))
def test_stages_do_not_print_exit_or_read_the_world(module: str) -> None:
    tree = MODULES[module]
    allowed = {"time", "read_bytes"} if module == POOL else set()
    assert [found for found in imports(module, tree) if found.name in IMPURE_MODULES - allowed] == []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if ast.unparse(call.func) in IMPURE_CALLS] == []
    methods = [call.func.attr for call in calls if isinstance(call.func, ast.Attribute) and not reads_own_data(call)]
    assert sorted((IMPURE_METHODS - allowed).intersection(methods)) == []
    assert "os.environ" not in {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    raised = [ast.unparse(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    assert [text for text in raised if text.startswith("SystemExit")] == []


FRAMEWORKS = re.compile(
    r"aiohttp|bottle|celery|connexion|django|falcon|fastapi|flask|litestar|marshmallow|motor|peewee|pydantic|pymongo"
    r"|pyramid|rest_?framework|sanic|sqlmodel|starlette|tornado|tortoise|werkzeug",
    re.IGNORECASE,
)


@pytest.mark.parametrize("module", sorted(name for name in MODULES if top(name) == "flow"))
def test_the_flow_layer_names_no_framework(module: str) -> None:
    tree = MODULES[module]
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]
    assert [text for text in texts if FRAMEWORKS.search(text)] == []


def test_only_the_command_prints_and_exits() -> None:
    loud = []
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit", "exit", "os._exit"):
                loud.append((name, ast.unparse(node)))
    assert [(name, text) for name, text in loud if top(name) not in ("cli", "__main__")] == []


def test_rules_never_import_each_other() -> None:
    rules = ROOT / "rules"
    for path in sorted(rules.rglob("*.py")):
        package = ("backaudit_rules", *path.parent.relative_to(rules).parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.level or top(node.module or "") == "backaudit_rules"):
                base = package[: len(package) - node.level + 1] if node.level else ()
                parts = [*base, *(node.module or "").split(".")][1:]
                for name in ("", *(alias.name for alias in node.names)):
                    imported = rules.joinpath(*filter(None, parts), name).with_suffix(".py")
                    assert not (imported.is_file() and defines_rules(imported)), f"{path} imports the rule {imported}"


def defines_rules(path: Path) -> bool:
    decorators = [
        ast.unparse(decorator)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    ]
    return any(text.startswith(("rule(", "backaudit.rule(")) for text in decorators)


# Decisions on what a walk is about, no bounds of it: relations that a query names, examples of nested values, wrappers
# behind which a sink is told of at its own place, a handler's and an upload's helpers, drawings.
BY_DEPTH = {
    "backaudit/project/__init__.py",
    "backaudit/backend/web/inputs/applied.py",
    "backaudit/report/map/drawing.py",
    "backaudit/analyses/validation/columns.py",
    "backaudit/analyses/validation/sinks.py",
    "backaudit/analyses/validation/uploads.py",
    "backaudit/backend/web/inputs/examples.py",
}


def test_no_walk_is_cut_off_silently() -> None:
    """Who follows definitions remembers where it has been, or says by ``gives_up`` that it went no further."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("backaudit", "rules")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _bounds_itself(node)
    ]
    assert [
        place for place in silent if place.partition(":")[0] not in BY_DEPTH | {"backaudit/project/__init__.py"}
    ] == []


def _bounds_itself(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    counted = {given.arg for given in function.args.args} & {"depth", "rounds", "steps", "hops"}
    compared = (node.left for node in ast.walk(function) if isinstance(node, ast.Compare))
    turns = (node.iter for node in ast.walk(function) if isinstance(node, ast.For))
    return any(isinstance(left, ast.Name) and left.id in counted for left in compared) or any(
        ast.unparse(turn).startswith("range(_") for turn in turns
    )
