"""Budgets of the code: how dense it may be, and what may stand where. Each list of exceptions only gets shorter."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.house import ROOT, decisions, functions, sources, word_constants

# More than ten decisions in a function are too many to hold in mind; one in twenty may.
MOST_DENSE = 0.042
TOO_DENSE = 10
# Comprehensions of two loops and a condition, and chains of four conditions or more: each waits for names of its steps.
NESTED = 22
CHAINED = 32
# The median rule, documentation and all, and the longest.
RULE_MEDIAN = 60
RULE_MOST = 150
# Constants that hold words which are no names of anybody's: what a standard, or this tool itself, calls things.
NO_NAMES = {
    "backaudit/analyses/api/safe.py:_DOES": "our own kinds of changes",
    "backaudit/analyses/auth/mends.py:FLAGS": "attributes of cookies, as the standard calls them",
    "backaudit/analyses/deploy/mends.py:_OFF": "the word for no of each that means yes, to be written in its place",
    "backaudit/analyses/auth/tokens.py:_UNITS": "arguments of timedelta",
    "backaudit/analyses/deploy/headers.py:_CODE": "Content-Security-Policy",
    "backaudit/analyses/deploy/images.py:_START_COMMAND": "keys of deployment files",
    "backaudit/analyses/errors/conflicts/enforced.py:_SWITCH": "a statement's own words, or its types",
    "backaudit/analyses/errors/conflicts/statements.py:_TOLERANT": "a statement's own words, or its types",
    "backaudit/analyses/indexes/claims.py:_TYPES": "a statement's own words, or its types",
    "backaudit/analyses/indexes/indexing.py:_CONTAINED": "a statement's own words, or its types",
    "backaudit/analyses/indexes/operands.py:_FAMILIES": "a statement's own words, or its types",
    "backaudit/analyses/indexes/selectivity.py:_LITERAL": "a statement's own words, or its types",
    "backaudit/analyses/passwords/cheap.py:_METHOD": "a notation of costs, which is parsed",
    "backaudit/analyses/passwords/cheap.py:_OPTION": "a notation of costs, which is parsed",
    "backaudit/analyses/passwords/fast.py:_IN_SQL": "functions of SQL",
    "backaudit/analyses/passwords/shown.py:_RETURNED": "a statement's own words, or its types",
    "backaudit/analyses/passwords/undeclared.py:_INSERTED": "a statement's own words, or its types",
    "backaudit/analyses/passwords/undeclared.py:_UPDATED": "a statement's own words, or its types",
    "backaudit/analyses/validation/backtracking.py:_CATEGORIES": "the names that Python's own parser of patterns has",
    "backaudit/analyses/validation/client_input.py:_ANY_TEXT": "our own kinds of sinks",
    "backaudit/analyses/validation/client_input.py:_NAMES": "our own kinds of sinks",
    "backaudit/analyses/validation/lists.py:_AGGREGATES": "a statement's own words, or its types",
    "backaudit/analyses/validation/lists.py:_BY_KEY": "a statement's own words, or its types",
    "backaudit/analyses/validation/raw.py:_WRITES": "a statement's own words, or its types",
    "backaudit/backend/access/statements.py:SQL_WRITE": "a statement's own words, or its types",
    "backaudit/backend/access/statements.py:SQL_COUNTS": "a statement's own words",
    "backaudit/backend/data/schema/__init__.py:_ADDRESS": "a statement's own words, or its types",
    "backaudit/backend/deployment/deployables.py:_BY_NAME": "our own platforms",
    "backaudit/backend/deployment/deployables.py:_KINDS": "our own kinds of files",
    "backaudit/backend/deployment/django_settings.py:_TOLD": "the variable that names Django's settings",
    "backaudit/backend/web/frameworks/described.py:_FORMATS": "OpenAPI",
    "backaudit/backend/web/frameworks/described.py:_TYPES": "OpenAPI",
    "backaudit/backend/web/paths.py:_CONVERTERS": "the notation of paths, which is parsed",
    "backaudit/backend/web/templates.py:_DATA": "media types",
    "backaudit/survey/security.py:_UNKNOWN": "a record of the survey",
    "rules/auth/insecure_cookie.py:_OFF": "our own kinds, with what a finding says",
    "backaudit/analyses/deploy/users.py:_STEPS_DOWN": "programs and flags of a shell",
    "rules/deploy/debug_on.py:_WHAT_IS_ON": "our own kinds, with what a finding says",
    "rules/validation/sql_injection.py:_STATEMENT": "a statement's own words, or its types",
}
# Where a module names something of a library all the same, how often, and why.
LIBRARY_NAMES = {
    "backaudit/backend/data/schema/alembic.py": (1, "the module that the migrations of one library import"),
    "backaudit/backend/data/schema/django/__init__.py": (1, "the model that a setting's name stands for"),
}


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Where names of the scanned code are judged.
ROOMS = (
    "analyses",
    "backend",
    "flow",
    "project",
    "survey",
    "auth",
    "deploy",
    "errors",
    "indexes",
    "passwords",
    "secrets",
    "validation",
)

# Tables of libraries, but for the standard library's.
LIBRARIES = {path.stem for path in (ROOT / "backaudit/models").glob("*.toml")} - {"python"}


def rules() -> Iterator[Path]:
    return (path for path in sources("rules") if "bandit" not in path.parts and path.name != "__init__.py")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_few_functions_decide_much() -> None:
    counts = [decisions(node) for path in sources("backaudit", "rules") for node in functions(path)]
    assert sum(count > TOO_DENSE for count in counts) / len(counts) <= MOST_DENSE


def test_no_function_is_a_knot() -> None:
    found = {
        f"{named(path)}:{node.name}"
        for path in sources("backaudit", "rules")
        for node in functions(path)
        if decisions(node) > 2 * TOO_DENSE
    }
    assert found == set()


def test_no_further_comprehension_or_condition_is_dense() -> None:
    nodes = [node for path in sources("backaudit", "rules") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    loops = [node.generators for node in nodes if isinstance(node, COMPREHENSIONS)]
    assert sum(len(each) > 1 and any(loop.ifs for loop in each) for each in loops) <= NESTED
    assert sum(isinstance(node, ast.BoolOp) and len(node.values) >= 4 for node in nodes) <= CHAINED


def test_rules_are_short() -> None:
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in rules()}
    assert median(lines.values()) <= RULE_MEDIAN
    assert {name: count for name, count in lines.items() if count > RULE_MOST} == {}


def test_words_stand_in_the_books() -> None:
    found = {
        f"{named(path)}:{name}"
        for path in sources("backaudit", "rules")
        if path.relative_to(ROOT).parts[1] in ROOMS
        for name in word_constants(path)
    }
    assert found - NO_NAMES.keys() == set()


def test_what_a_library_calls_things_stands_in_its_table() -> None:
    counts: Counter[str] = Counter()
    for path in sources("backaudit", "rules"):
        if "models" in path.parts or "extract" in path.parts or "bandit" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                dotted = re.fullmatch(r"([A-Za-z_]\w*)(\.\w+)+\.?", node.value)
                counts[named(path)] += dotted is not None and dotted[1] in LIBRARIES
    found = {name: count for name, count in counts.items() if count}
    assert found == {name: count for name, (count, _) in LIBRARY_NAMES.items()}


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
