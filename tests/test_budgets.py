"""Budgets of the code: how dense it may be, and what may stand where. Each list of exceptions only gets shorter."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.house import ROOT, decisions, functions, sources, word_constants

# More than ten decisions in a function are too many to hold in mind; the goal is 5 %.
MOST_DENSE = 0.056
TOO_DENSE = 10
# Functions of more than twenty decisions, which wait to be taken apart.
KNOTS = {
    "backaudit/analyses/auth/ownership.py:_of_route",
    "backaudit/backend/web/handlers.py:_behind",
}
# The median rule, documentation and all; the goal is 60, and 150 at most for each.
RULE_MEDIAN = 84
RULE_MOST = 150
LONG_RULES = {"rules/auth/missing_auth.py"}
# Constants outside of the books that hold words or patterns of words, by the package they stand in: most are names of
# methods that a library has, which belong in its table.
WORDS_OUTSIDE = {
    "backaudit.analyses": 21,
    "backaudit.backend": 37,
    "backaudit.project": 1,
    "backaudit.survey": 2,
    "rules.auth": 3,
    "rules.deploy": 5,
    "rules.passwords": 1,
    "rules.validation": 1,
}
# Rules that name what a library calls things.
LIBRARY_NAMES_IN_RULES = {
    "rules/auth/csrf_disabled.py",
    "rules/auth/no_rate_limit_login.py",
    "rules/deploy/insecure_settings.py",
    "rules/validation/trust_boundary.py",
}


# Where names of the scanned code are judged.
ROOMS = ("analyses", "backend", "flow", "project", "survey", *(name.partition(".")[2] for name in WORDS_OUTSIDE))

LIBRARY = re.compile(
    r"^\*?\.?(django|flask|fastapi|starlette|sqlalchemy|rest_framework|werkzeug|requests|httpx|jwt|jose|aiohttp|sanic"
    r"|tornado|litestar|falcon|bottle|pyramid|passlib|bcrypt|Crypto|cryptography)(\.|_)[\w.]+$"
)


def rules() -> Iterator[Path]:
    return (path for path in sources("rules") if "bandit" not in path.parts and path.name != "__init__.py")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_few_functions_decide_much() -> None:
    counts = [decisions(node) for path in sources("backaudit", "rules") for node in functions(path)]
    assert sum(count > TOO_DENSE for count in counts) / len(counts) <= MOST_DENSE


def test_no_further_function_is_a_knot() -> None:
    found = {
        f"{named(path)}:{node.name}"
        for path in sources("backaudit", "rules")
        for node in functions(path)
        if decisions(node) > 2 * TOO_DENSE
    }
    assert found <= KNOTS


def test_rules_are_short() -> None:
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in rules()}
    assert median(lines.values()) <= RULE_MEDIAN
    assert {name for name, count in lines.items() if count > RULE_MOST} <= LONG_RULES


def test_words_stand_in_the_books() -> None:
    counts = Counter(
        ".".join(path.relative_to(ROOT).parts[:2]).removesuffix(".py")
        for path in sources("backaudit", "rules")
        if path.relative_to(ROOT).parts[1] in ROOMS
        for _ in word_constants(path)
    )
    assert {name: count for name, count in counts.items() if count > WORDS_OUTSIDE.get(name, 0)} == {}


def test_rules_know_no_library_by_name() -> None:
    found = set()
    for path in rules():
        tree = ast.parse(path.read_text("utf-8"))
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        if any(isinstance(text, str) and LIBRARY.match(text) for text in texts):
            found.add(named(path))
    assert found <= LIBRARY_NAMES_IN_RULES


def test_only_rules_about_files_walk_over_all_of_them() -> None:
    found = set()
    for path in rules():
        text = path.read_text("utf-8")
        loops = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.For, ast.comprehension)))
        walks = any(re.search(r"project\.(files|facts)\b(?!\[)", ast.unparse(loop.iter)) for loop in loops)
        if walks and "about_files=True" not in text:
            found.add(named(path))
    assert found == set()


def test_the_count_of_decisions_sees_all_of_them() -> None:
    tree = ast.parse(
        "def f(a, b):\n"
        "    if a and b or a:\n"
        "        return [x for x in a if x]\n"
        "    for x in b:\n"
        "        def inner():\n"
        "            while a: pass\n"
        "    return 1 if a else 2\n"
    )
    (outer,) = tree.body
    assert isinstance(outer, ast.FunctionDef)
    assert decisions(outer) == 7
