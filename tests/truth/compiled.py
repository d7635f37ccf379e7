"""Query sites of real projects against what their ORM compiles: ``python -m tests.truth.compiled FOLDER PACKAGE…``.

FOLDER holds a package and all it needs (``pip install --target FOLDER PACKAGE``). Of its query sites a sample is drawn;
the expression at each is evaluated in its own module, names that only a request would bind being stand-ins, and the SQL
that Django or SQLAlchemy compiles is read by the same parser. A site agrees if both ask the same columns in the same
roles. Joins by which rows are only loaded along (``select_related``) are left out. Expressions that cannot be evaluated
(they begin at a parameter, or at a name that is bound more than once) are counted apart.
"""

from __future__ import annotations

import ast
import importlib
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.sql import Use, statement
from tests.projects import project

SAMPLE = 100
WANTED = 0.90
_SEED = 14
_MAX_BYTES = 600_000
# Links that run a query: what they are given narrows it, what stands before them is it.
_RUNS = frozenset(
    {"first", "last", "all", "count", "exists", "delete", "one", "one_or_none", "scalar", "scalars", "aggregate",
     "update", "iterator", "in_bulk", "scalar_one", "scalar_one_or_none", "get_or_create", "update_or_create", "values",
     "values_list", "earliest", "latest", "only", "defer", "paginate", "first_or_404", "one_or_404", "using"}
)  # fmt: skip
_DEPTH = 5

Asked = frozenset[tuple[str, str, str]]


class Unknown(Exception):
    """An expression whose beginning only a caller knows."""


class Stand(int):
    """A stand-in for a value of a request: a number, a text, and whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("resolve_expression", "as_sql", "_meta", "_prepare", "__clause_element__"):
            raise AttributeError(name)
        return Stand(7)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return Stand(7)

    def __getitem__(self, key: Any) -> Any:
        return Stand(7)

    def __iter__(self) -> Iterator[Any]:
        return iter((7,))


# -- one expression ----------------------------------------------------------------------------------------------------


class Names(Mapping[str, Any]):
    """What names mean at a line of a function: the module's, those assigned before, stand-ins for the rest."""

    def __init__(self, module: Any, function: ast.AST | None, line: int, depth: int = 0) -> None:
        self._module, self._function, self._line, self._depth = module, function, line, depth

    def __getitem__(self, name: str) -> Any:
        bound = self._assigned(name)
        if bound is not None and self._depth < _DEPTH:
            inner = Names(self._module, self._function, bound.lineno, self._depth + 1)
            return eval(compile(ast.Expression(bound.value), "<site>", "eval"), vars(self._module), inner)
        if name in vars(self._module):
            return vars(self._module)[name]
        builtins: Any = vars(self._module)["__builtins__"]
        known = builtins if isinstance(builtins, dict) else vars(builtins)
        return known.get(name, Stand(7))

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _assigned(self, name: str) -> Any:
        every = ast.walk(self._function) if self._function is not None else ()
        bound = [
            node
            for node in every
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
        ]
        if len(bound) > 1:
            raise Unknown("which of several")
        return bound[0] if bound and bound[0].lineno < self._line else None


def expression_at(tree: ast.Module, line: int, column: int) -> tuple[ast.expr, ast.AST | None]:
    """The longest chain of calls that goes through the method named at a place, without what runs it."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.end_lineno == line
        and (node.func.end_col_offset or 0) - len(node.func.attr) == column
    ]
    if not calls:
        raise Unknown("no call")
    best: ast.expr = calls[0]
    while isinstance(attribute := parents.get(best), ast.Attribute):
        call = parents.get(attribute)
        if not isinstance(call, ast.Call) or call.func is not attribute or attribute.attr in _RUNS:
            break
        best = call
    function: ast.AST | None = best
    while function is not None and not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        function = parents.get(function)
    return _as_filter(best), function


def _as_filter(node: ast.expr) -> ast.expr:
    """``get(…)`` at the end as ``filter(…)``: what is asked is the same, and nothing is run."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "aget"):
        func = ast.Attribute(node.func.value, "filter", ast.Load())
        return ast.fix_missing_locations(ast.copy_location(ast.Call(func, node.args, node.keywords), node))
    return node


# -- what is compiled --------------------------------------------------------------------------------------------------


def compiled(value: Any, ordered: bool) -> str:
    """The SQL of a queryset, a query or a statement."""
    query = getattr(value, "query", None)
    if query is not None and hasattr(value, "model"):
        found = value if ordered else value.order_by()
        found.query.select_related = False
        template, parameters = found.query.sql_with_params()
        return str(template % tuple("'x'" for _ in parameters))
    from sqlalchemy.dialects import postgresql

    built = getattr(value, "statement", value)
    if not hasattr(built, "compile"):
        raise Unknown("no query")
    text = str(built.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    return text.replace("%%", "%")


def asked_of_sql(text: str) -> Asked:
    """The columns that a statement asks, with their roles; the outermost select's and those inside."""
    parsed = statement(text)
    if parsed is None:
        raise Unknown("not read")
    only = parsed.scopes[0].tables[0] if len(set(parsed.scopes[0].tables)) == 1 else ""
    return frozenset(_named(use, only) for use in parsed.uses if use.role != "group")


def asked_of_site(site: QuerySite) -> Asked:
    """What our own reading of the chain says."""
    return frozenset(_named(use, "") for use in (*site.uses, *site.companions))


def _named(use: Use, only: str) -> tuple[str, str, str]:
    return (use.table or only).lower(), use.column.lower(), use.role


# -- the comparison ----------------------------------------------------------------------------------------------------


def compare(folder: Path, packages: list[str]) -> tuple[int, int, int]:
    """(agreeing, compared, not evaluated) of a sample of the packages' sites; what differs is printed."""
    sys.path.insert(0, str(folder))
    files = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8", errors="replace")
        for name in packages
        for path in sorted((folder / name).rglob("*.py"))
        if path.stat().st_size < _MAX_BYTES
        and "/tests/" not in path.as_posix()
        and "/migrations/" not in path.as_posix()
    }
    sites = [site for site in query_sites(project(files)) if not site.raw and not site.implied]
    random.Random(_SEED).shuffle(sites)
    agreed = asked = skipped = 0
    for site in sites:
        if asked >= SAMPLE:
            break
        try:
            theirs = _theirs(site, files[site.place.path])
        except Exception:  # noqa: BLE001 - whatever a stand-in makes a project's code raise
            skipped += 1
            continue
        ours = asked_of_site(site)
        asked += 1
        agreed += ours == theirs
        if ours != theirs:
            more, less = sorted(ours - theirs), sorted(theirs - ours)
            print(f"  {site.place.path}:{site.place.span.line} ours {more} theirs {less}")
    return agreed, asked, skipped


def _theirs(site: QuerySite, text: str) -> Asked:
    tree = ast.parse(text)
    node, function = expression_at(tree, site.place.span.line, site.place.span.column)
    module = importlib.import_module(site.place.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    names = Names(module, function, site.place.span.line)
    ordered = "order_by" in ast.unparse(node)
    value = eval(compile(ast.Expression(node), "<site>", "eval"), vars(module), names)
    return asked_of_sql(compiled(value, ordered))


def main(folder: str, settings: str, *packages: str) -> int:
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(folder).resolve()))
    if settings != "-":
        import os

        import django  # type: ignore[import-untyped]

        os.environ["DJANGO_SETTINGS_MODULE"] = settings
        django.setup()
    agreed, asked, skipped = compare(Path(folder).resolve(), list(packages))
    share = agreed / max(asked, 1)
    print(f"{packages[0]}: {agreed} of {asked} sites agree ({share:.0%}), {skipped} could not be evaluated")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
