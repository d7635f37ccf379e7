"""One project's query sites against what its ORM compiles: ``python -m tests.truth.asked FOLDER SETTINGS PACKAGE…``.

FOLDER holds the packages and all they need; SETTINGS is a Django settings module or "-". It is a process of its own: it
imports and evaluates the project's code. :mod:`tests.truth.compiled` starts one for each project.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.sql import Use, statement
from tests.projects import project
from tests.truth.evaluating import Module, Names, Stand, Unknown, without_rows

SAMPLE = 100
_SEED = 14
_MAX_BYTES = 600_000
# Links that run a query: what they are given narrows it, what stands before them is it.
_RUNS = frozenset(
    {"first", "last", "all", "count", "exists", "delete", "one", "one_or_none", "scalar", "scalars", "aggregate",
     "update", "iterator", "in_bulk", "scalar_one", "scalar_one_or_none", "get_or_create", "update_or_create",
     "paginate", "first_or_404", "one_or_404"}
)  # fmt: skip
# Links that fetch one row, and those that ask the same and fetch nothing.
_SAME = {"get": "filter", "aget": "filter", "latest": "order_by", "earliest": "order_by"}
_LEFT_OUT = frozenset({"test", "tests", "migrations"})
_LOOKUPS = frozenset({"get_object_or_404", "get_list_or_404"})

Asked = frozenset[tuple[str, str, str]]


# -- one expression ----------------------------------------------------------------------------------------------------


def expression_at(module: Module, line: int, column: int) -> tuple[ast.expr, ast.AST]:
    """The longest chain of calls that goes through what is called at a place, without what runs it; and where it is."""
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call) and _stands_at(node, line, column)]
    if not calls:
        raise Unknown("no call")
    best: ast.Call = calls[0]
    while isinstance(attribute := module.parents.get(best), ast.Attribute):
        call = module.parents.get(attribute)
        if not isinstance(call, ast.Call) or call.func is not attribute or attribute.attr in _RUNS:
            break
        best = call
    return ast.fix_missing_locations(ast.copy_location(_as_filter(best), best)), best


def _stands_at(call: ast.Call, line: int, column: int) -> bool:
    func = call.func
    if isinstance(func, ast.Name):
        return func.id in _LOOKUPS and (func.lineno, func.col_offset) == (line, column)
    named = isinstance(func, ast.Attribute) and func.end_lineno == line
    return named and (func.end_col_offset or 0) - len(func.attr) == column  # type: ignore[attr-defined]


def _as_filter(node: ast.Call) -> ast.expr:
    """A look-up of one row as ``filter(…)``: what is asked is the same, and nothing is run."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
        func = ast.Attribute(node.func.value, _SAME[node.func.attr], ast.Load())
        return ast.Call(func, node.args, node.keywords)
    if isinstance(node.func, ast.Name):
        rows = ast.Call(ast.Name("_get_queryset", ast.Load()), node.args[:1], [])
        return ast.Call(ast.Attribute(rows, "filter", ast.Load()), node.args[1:], node.keywords)
    return node


# -- what is compiled --------------------------------------------------------------------------------------------------


def compiled(value: Any) -> str:
    """The SQL of a queryset, a query or a statement."""
    if isinstance(value, Stand):
        raise Unknown("the query begins at what only a caller knows")
    if hasattr(value, "query") and hasattr(value, "model"):
        return _of_django(value)
    if hasattr(value, "sql"):
        text = value.sql()
        return (text[0] if isinstance(text, tuple) else text).replace("?", "%s")  # type: ignore[no-any-return]
    from sqlalchemy.dialects import postgresql

    if hasattr(value, "enable_eagerloads"):
        value = value.enable_eagerloads(False)
    built = getattr(value, "statement", getattr(value, "element", value))  # ``.subquery()`` is what is inside of it
    if not hasattr(built, "compile"):
        raise Unknown("no query")
    text = str(built.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    return text.replace("%%", "%")


def _of_django(value: Any) -> str:
    """A queryset's SQL without the order of its ``Meta``, and without the rows that are only loaded along."""
    found = value.all() if value.query.order_by or value.query.extra_order_by else value.order_by()
    found.query.select_related = False
    template, parameters = found.query.sql_with_params()
    return str(template % tuple("'x'" for _ in parameters))


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


def asked_sometimes(site: QuerySite) -> Asked:
    """What our own reading says is added in one branch alone, which need not be the one that is evaluated."""
    return frozenset(_named(use, "") for use in (*site.uses, *site.companions) if use.when)


def _named(use: Use, only: str) -> tuple[str, str, str]:
    return (use.table or only).lower(), use.column.lower(), use.role


# -- the comparison ----------------------------------------------------------------------------------------------------


class Agreement(msgspec.Struct):
    """Of a sample of sites: how many agree, how many were compared, and why others could not be."""

    agreed: int = 0
    asked: int = 0
    skipped: dict[str, int] = {}

    @property
    def share(self) -> float:
        """The agreeing among the compared."""
        return self.agreed / max(self.asked, 1)


def compare(folder: Path, packages: list[str]) -> Agreement:
    """A sample of the packages' sites, compared; what differs is told on standard error."""
    files = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8", errors="replace")
        for name in packages
        for path in sorted((folder / name).rglob("*.py"))
        if path.stat().st_size < _MAX_BYTES and not _LEFT_OUT & {path.stem, *path.parts}
    }
    sites = [site for site in query_sites(project(files)) if not site.raw and not site.implied]
    by_place = {site.place: site for site in sites}
    random.Random(_SEED).shuffle(sites)
    found = Agreement()
    for site in sites:
        if found.asked >= SAMPLE:
            break
        try:
            theirs, inside = _theirs(site, files[site.place.path])
        except Exception as error:  # noqa: BLE001 - whatever a stand-in makes a project's code raise
            found.skipped[_reason(error)] = found.skipped.get(_reason(error), 0) + 1
            continue
        later = [by_place[place] for place in site.after if place in by_place]
        ours, sometimes = asked_of_site(site), asked_sometimes(site)
        more = ours - theirs - sometimes - frozenset(asked for other in later for asked in asked_of_site(other))
        less = theirs - ours - inside
        found.asked += 1
        found.agreed += not more and not less
        if more or less:
            where = f"{site.place.path}:{site.place.span.line}"
            print(f"  {where} ours {sorted(more)} theirs {sorted(less)}", file=sys.stderr)
    return found


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Unknown) else f"{type(error).__name__} when it is evaluated"


def _theirs(site: QuerySite, text: str) -> tuple[Asked, Asked]:
    """(all that the statement at a site asks, what of it queries ask that stand inside and are sites of their own)."""
    name = site.place.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = Module(importlib.import_module(name), ast.parse(text))
    node, at = expression_at(module, site.place.span.line, site.place.span.column)
    names = Names(module, at)
    inside: set[tuple[str, str, str]] = set()
    for part in _values_given(node):
        with contextlib.suppress(Exception):
            inside |= asked_of_sql(compiled(names.evaluated(part)))
    return asked_of_sql(compiled(names.evaluated(node))), frozenset(inside)


def _values_given(node: ast.expr) -> Iterator[ast.expr]:
    """All expressions that the links of a chain are given."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield from (part for part in ast.walk(argument) if isinstance(part, (ast.Name, ast.Call, ast.Attribute)))
        node = node.func.value


def main(folder: str, settings: str, *packages: str) -> int:
    warnings.simplefilter("ignore")
    home = Path(folder).resolve()
    sys.path.insert(0, str(home))
    os.chdir(tempfile.mkdtemp(prefix="backaudit-compiled-"))
    if settings != "-":
        import django  # type: ignore[import-untyped]

        os.environ["DJANGO_SETTINGS_MODULE"] = settings
        django.setup()
    without_rows()
    print(msgspec.json.encode(compare(home, list(packages))).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
