"""No question costs more than its answer, every run ends, and what was not asked is said."""

from __future__ import annotations

import cProfile
import os
import pstats
import random
import signal
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from backaudit import asking, plugins
from backaudit.analyses.passwords.hashing import hashes
from backaudit.backend.access.acts import acts
from backaudit.backend.access.denial import denials
from backaudit.backend.access.guards import guarded
from backaudit.backend.data.queries.chains import root_table
from backaudit.backend.web.catching import handlers, logs
from backaudit.backend.web.responses import answers
from backaudit.backend.web.routes import routes
from backaudit.check import check
from backaudit.extract.python import lower
from backaudit.extract.python.bounds import affordable
from backaudit.facts import ops
from backaudit.flow.approvals import derives
from backaudit.flow.folding import truth
from backaudit.flow.search import Goal
from backaudit.flow.trace import Trace
from backaudit.flow.verdicts import unread_verdicts
from backaudit.project import Code, Node, Project
from backaudit.project.locate import behind
from backaudit.project.operands import made_of, operands
from backaudit.project.solving import Solver
from backaudit.rule import Finding, Rule, rule
from backaudit.source import Source
from backaudit.sql import statement
from backaudit.sqlparams import parameters
from backaudit.testing import scan
from tests.bench import shapes
from tests.projects import code, project

LOADED = plugins.load(reraise=True)


# -- answers that depend on each other -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_circles_have_their_least_answer_whoever_asks_first(seed: int) -> None:
    chance = random.Random(seed)
    size = chance.randint(1, 60)
    reads = [[chance.randrange(size) for _ in range(chance.choice([0, 1, 1, 2, 3]))] for _ in range(size)]
    own = [{f"{number:02}"} if chance.random() < 0.3 else set() for number in range(size)]
    truth: list[set[str]] = [set() for _ in range(size)]
    while (better := [own[n].union(*(truth[r] for r in reads[n])) for n in range(size)]) != truth:
        truth = better

    def compute(key: int) -> tuple[str, ...]:
        return tuple(sorted(own[key].union(*(solver.ask(read) for read in reads[key]))))

    for _ in range(3):
        solver = Solver[int, str](compute, lambda key: key)
        asked = list(range(size))
        chance.shuffle(asked)
        found = {key: solver.ask(key) for key in asked}
        assert found == {key: tuple(sorted(truth[key])) for key in asked}


@pytest.mark.parametrize("circle", [False, True])
def test_chains_and_circles_of_any_length_cost_what_they_are_long(circle: bool) -> None:
    def steps(size: int) -> int:
        def compute(key: int) -> tuple[str, ...]:
            if key == 0 and not circle:
                return ("x",)
            return tuple(sorted({*solver.ask((key - 1) % size), *(("x",) if key == 0 else ())}))

        solver = Solver[int, str](compute, lambda key: key)
        assert solver.ask(size - 1) == ("x",)
        return solver.steps

    counts = [steps(size) for size in (500, 1_000, 2_000, 4_000)]
    assert all(after <= 2.4 * before for before, after in pairwise(counts))


def test_a_fault_in_the_middle_of_a_circle_leaves_no_guess_behind() -> None:
    faults = [True]

    def compute(key: int) -> tuple[str, ...]:
        found = solver.ask((key + 1) % 5)
        if key == 2 and faults:
            faults.pop()
            raise ValueError
        return tuple(sorted({*found, str(key)}))

    solver = Solver[int, str](compute, lambda key: key)
    with pytest.raises(ValueError, match=r"^$"):
        solver.ask(0)
    assert solver.ask(3) == ("0", "1", "2", "3", "4")


def types_of_all(linked: Project) -> tuple[int, int]:
    """The types of every value, asked in an order of its own: how many answers that took, and of how many values."""
    codes = [code for file in linked.files.values() for code in bodies(file)]
    nodes = [code.node(value) for code in codes for value in range(len(code.ops))]
    random.Random(len(nodes)).shuffle(nodes)
    for node in nodes:
        linked.types(node)
    return linked.questions, len(nodes)


def bodies(file: Any) -> Iterator[Any]:
    return (file.code(index) for index in range(len(file.facts.functions)))


@pytest.mark.parametrize("name", sorted(shapes.SHAPES))
def test_the_types_of_a_program_cost_what_it_is_long(name: str) -> None:
    for size in (8, 16, 32, 64):
        questions, values = types_of_all(project(shapes.SHAPES[name](size)))
        assert questions <= 3 * values, size


# -- what the rules ask --------------------------------------------------------------------------------------------

RULES = [each for each in LOADED.rules if "history" not in each.needs and each.family != "bandit"]
# All that grows is one body of code: what holds at each of its statements depends on those before it.
ONE_BODY = frozenset(
    (
        "attribute_chain",
        "branches",
        "chain_of_calls",
        "handlers_of_exceptions",
        "methods_of_one_field",
        "sum_of_texts",
        "text_in_steps",
    )
)
# One function more is one level more of what a caller may have done.
DEEP = frozenset(("chain_of_functions", "functions_of_each_other"))


def calls_of_rules(name: str, size: int) -> int:
    """How many functions are called while all rules are asked about a program: the same in every run."""
    linked = project(shapes.SHAPES[name](size))
    profile = cProfile.Profile()
    with profile:
        check(linked, RULES)
    count: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    return count


@pytest.mark.parametrize("name", sorted(shapes.SHAPES.keys() - ONE_BODY - DEEP))
def test_rules_ask_in_proportion_to_the_program(name: str) -> None:
    calls_of_rules(name, 1)  # what is read once in a process
    counts = [calls_of_rules(name, size) for size in (5, 10, 20, 40)]
    more = [after - before for before, after in pairwise(counts)]
    assert all(after <= 1.2 * 2 * before for before, after in pairwise(more[1:]))


@pytest.mark.parametrize("name", sorted(ONE_BODY | DEEP))
def test_within_one_body_rules_ask_at_most_in_its_square(name: str) -> None:
    calls_of_rules(name, 1)
    counts = [calls_of_rules(name, size) for size in (5, 10, 20, 40)]
    assert all(after <= 1.1 * 4 * before for before, after in pairwise(counts))


def steps_round_a_circle(size: int) -> int:
    """How many steps a search takes into functions that all lead to each other."""
    linked = project(shapes.functions_of_each_other(size))
    (call,) = linked.calls_of("int")
    given = call.arg(0)
    assert given is not None
    trace = Trace(linked, Goal())
    assert not list(trace.origins(given))
    return linked.steps.taken


def test_a_search_goes_round_a_circle_of_functions_once_however_many_ways_there_are() -> None:
    assert all(steps_round_a_circle(size) <= 12 * size for size in (6, 12, 24, 48))


def test_types_do_not_depend_on_who_asks_first() -> None:
    found = []
    for seed in range(4):
        linked = project(shapes.methods_of_one_field(12) | {"other.py": shapes.circle_of_functions(9)["app.py"]})
        nodes = [c.node(v) for file in linked.files.values() for c in bodies(file) for v in range(len(c.ops))]
        asked = list(nodes)
        random.Random(seed).shuffle(asked)
        for node in asked:
            linked.types(node)
            linked.names(node)
        found.append([(linked.types(node), linked.names(node)) for node in nodes])
    assert found[0] == found[1] == found[2] == found[3]
    stores = [types for types, _ in found[0] if "sqlalchemy.orm.Query[app.User]" in types]
    assert len(stores) > 24


# -- which functions a value may be --------------------------------------------------------------------------------


def makers(count: int) -> str:
    """A function that comes back from a chain of others, and is called."""
    chain = "".join(f"def g{n}():\n    return g{n - 1}()\n" for n in range(1, count))
    return f"def f():\n    pass\ndef g0():\n    return f\n{chain}def run():\n    g{count - 1}()()\n"


def calls_by_value(linked: Project) -> list[Any]:
    nodes = [node for code in bodies(linked.files["app.py"]) for node in code.nodes(ops.Call)]
    return [node for node in nodes if node.func is not None and isinstance(node.func.op, (ops.Call, ops.Item))]


def test_a_function_is_followed_through_values_however_many_and_for_what_they_cost() -> None:
    steps = []
    for size in (8, 64, 512):
        linked = project(makers(size))
        [call] = calls_by_value(linked)
        assert [code.function.name for code in linked.callees(call)] == ["f"]
        steps.append(linked.graph.steps / size)
    assert max(steps) <= 2 * min(steps)


CIRCLE = """
def one(): ...
def two(): ...
def three(): ...
def pick(name): return {"a": one, "b": again(name)}.get(name, three)
def again(name): return {"c": two, "d": pick(name)}[name]
def keep(handler): return handler or pick("e")
def run(name):
    keep(again(name))()
    pick(name)()
    again(name)()
"""


def test_what_a_value_runs_does_not_depend_on_who_asks_first() -> None:
    found = []
    for seed in range(6):
        linked = project(CIRCLE)
        calls = calls_by_value(linked)
        assert len(calls) == 3
        asked = list(calls)
        random.Random(seed).shuffle(asked)
        for call in asked:
            linked.callees(call)
        found.append([sorted(code.function.name for code in linked.callees(call)) for call in calls])
    assert all(each == [["one", "three", "two"]] * 3 for each in found)


def test_a_value_that_may_be_too_many_functions_is_told() -> None:
    names = [f"f{n}" for n in range(60)]
    text = "".join(f"def {name}(): ...\n" for name in names)
    linked = project(f"{text}def run(name):\n    {{{', '.join(f'{n!r}: {n}' for n in names)}}}[name]()\n")
    [call] = calls_by_value(linked)
    assert linked.callees(call) == ()
    [told] = linked.bounds
    assert (told.kind, told.line) == ("bound", 62)
    assert "which of more than 40 functions" in told.message


def test_what_a_body_does_is_found_however_far_down() -> None:
    chain = "".join(f"def g{n}(row):\n    g{n + 1}(row)\n" for n in range(12))
    text = (
        "import os\nfrom django.core.exceptions import PermissionDenied\n"
        f"{chain}def g12(row):\n    row.objects.create()\n    os.remove('x')\n    raise PermissionDenied\n"
        "def again(row):\n    other(row)\ndef other(row):\n    again(row)\n    g0(row)\n"
    )
    for name in ("g0", "again", "other"):
        linked = project(text)
        body = next(body for body in bodies(linked.files["app.py"]) if body.function.name == name)
        assert denials(linked, body)
        assert [act.does for act in acts(linked, body)]
        assert linked.bounds == {}


MODELS = """
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, mapped_column, Session

app = FastAPI()


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id = mapped_column(Integer, primary_key=True)
    title = mapped_column(String(80))
    place = mapped_column(String(80))
"""


def test_a_query_that_grows_over_many_statements_keeps_its_table() -> None:
    grown = "".join(f"    if p{n}:\n        query = query.filter(Note.title != p{n})\n" for n in range(30))
    given = ", ".join(f"p{n}" for n in range(30))
    text = f"{MODELS}\ndef notes(session, {given}):\n    query = session.query(Note)\n{grown}"
    linked = project(f"{text}    return query.filter(Note.place == 'here').all()\n")
    call = next(node for node in linked.calls_of("all"))
    table = root_table(linked, call)
    assert table is not None
    assert table.name == "notes"
    assert linked.bounds == {}


def test_a_guard_is_found_however_many_dependencies_down() -> None:
    chain = "".join(f"def d{n}(x=Depends(d{n - 1})):\n    return x\n" for n in range(1, 15))
    refusal = "    if session.get(Note, token) is None:\n        raise HTTPException(401)\n"
    guard = f"def d0(session: Session, token: str):\n{refusal}"
    linked = project(f"{MODELS}{guard}{chain}\n@app.get('/')\ndef show(x=Depends(d14)):\n    return x\n")
    [route] = linked.once(guarded)
    assert [guard.kind for guard in route.guards]


def condition(text: str) -> Node:
    """The condition of the only ``if`` of a function ``run``."""
    linked = project(text)
    code: Code = next(code for code in bodies(linked.files["app.py"]) if code.function.name == "run")
    return code.node(next(region.test for region in code.body.regions if region.kind == "then"))


def test_a_constant_is_known_by_however_many_names() -> None:
    names = "".join(f"FLAG{n} = FLAG{n - 1} and FLAG{n - 1}\n" for n in range(1, 60))
    assert truth(condition(f"FLAG0 = False\n{names}def run():\n    if not FLAG59:\n        pass\n")) is True


@pytest.mark.parametrize(
    "text", ["'x' * 99999999999", "99999999999 * 'x'", "'%99999999999d' % 1", "b'x' * 99999999999"]
)
def test_no_text_that_a_number_makes_long_is_made(text: str) -> None:
    assert truth(condition(f"def run():\n    if {text} == 'x':\n        pass\n")) is None


def test_what_a_value_is_made_of_is_found_however_far_back_and_once() -> None:
    steps = "".join(f"    v{n} = (v{n - 1}, v{n - 1})\n" for n in range(1, 60))
    test = condition(f"def run(given):\n    v0 = given.part\n{steps}    if v59:\n        pass\n")
    reached = list(operands(test))
    assert len(reached) == len(set(reached))
    made = list(made_of(test))
    assert len(made) == len(set(made)) == 61
    assert isinstance(made[-1].op, ops.Param)
    assert derives(test.code, test.value, made[-1].value)


def test_a_value_that_a_loop_makes_of_itself_ends() -> None:
    test = condition(
        "def run(given):\n    for each in given:\n        given = given + each\n    if given:\n        pass\n"
    )
    assert any(isinstance(node.op, ops.Param) for node in made_of(test))
    assert any(isinstance(node.op, ops.Param) for node in operands(test))


def test_who_judges_a_value_is_found_however_many_calls_down() -> None:
    chain = "".join(f"def g{n}(url):\n    return g{n + 1}(url)\n" for n in range(20))
    last = "def g20(url):\n    return elsewhere.judge(url)\n"
    circle = "def again(url):\n    return other(url)\ndef other(url):\n    return again(url)\n"
    for called, found in (("g0", 1), ("again", 0)):
        text = f"import elsewhere\n{chain}{last}{circle}def run(url):\n    if {called}(url):\n        pass\n"
        test = condition(text)
        given = next(node for node in test.code.nodes(ops.Param))
        assert len(list(unread_verdicts(test.code, [(test.value, True)], given))) == found


def test_a_walk_that_goes_back_too_far_is_told() -> None:
    names = "".join(f"def a{n}():\n    return a{n - 1}()\n" for n in range(1, 12))
    linked = project(f"def a0():\n    return 'x'\n{names}X = a11()\n")
    [call] = linked.files["app.py"].top.nodes(ops.Call)
    assert list(behind(linked, call))
    [told] = linked.bounds
    assert told.message == "Not asked: what stands behind this, more than 5 steps back."
    assert (told.kind, told.path) == ("bound", "app.py")


@pytest.mark.parametrize("long", [False, True])
def test_a_statement_that_is_too_long_is_told(long: bool) -> None:
    wide = ", ".join(f"'{n:06}'" for n in range(8_000 if long else 8))
    script = f"CREATE TABLE kinds (kind TEXT CHECK (kind IN ({wide})));\n"
    query = f'def run(cursor):\n    cursor.execute("SELECT * FROM notes WHERE kind IN ({wide})")\n'
    told = scan(
        {"schema.sql": "CREATE TABLE notes (id INT PRIMARY KEY, kind TEXT);\n" + script, "app.py": query}, LOADED
    ).problems
    expected = [("app.py", 2, "asks"), ("schema.sql", 2, "defines")] if long else []
    assert [(one.path, one.line, one.message.split(",")[0].split()[-1]) for one in told] == expected
    assert all("longer than 60,000 characters" in one.message for one in told)


def test_alternatives_that_ask_the_same_are_one_where_they_are_very_many() -> None:
    few, many = (statement("SELECT a FROM t WHERE a = 1" + " OR a = 2" * count) for count in (20, 200))
    assert few is not None
    assert many is not None
    assert len(few.uses) == 21
    assert len(many.uses) == 1


def test_any_number_of_marks_of_a_driver_is_read() -> None:
    assert len(parameters("INSERT INTO t (a) VALUES " + ",".join(["(?)"] * 11_000))) > 0


# -- bounds --------------------------------------------------------------------------------------------------------


def made(check: Callable[[Project], Iterator[Finding]], name: str = "one") -> Rule:
    return rule(f"test/{name}", severity="low")(check)


def test_a_rule_that_never_ends_is_ended_and_says_where() -> None:
    def endless(linked: Project) -> Iterator[Finding]:
        node = next(linked.files["app.py"].top.nodes(ops.Call))
        yield Finding(place=node.place, message="Before.")
        while True:
            linked.types(node)

    said = check(project("\n\nprint(1)\n"), [made(endless)], watch=lambda: asking.watched(0.2))
    assert [finding.message for _, finding in said.findings] == ["Before."]
    assert [(problem.kind, problem.path, problem.line) for problem in said.problems] == [("bound", "app.py", 3)]
    assert said.crashed == {"test/one"}


def test_a_rule_that_asks_too_much_is_ended_and_says_where() -> None:
    def greedy(linked: Project) -> Iterator[Finding]:
        [*calls] = linked.files["app.py"].top.nodes(ops.Call)
        for round_ in range(1_000):
            for node in calls:
                linked.types(node)
                yield Finding(place=node.place, message=f"Round {round_}.")

    linked = project("\nprint(1)\nprint(2)\n")
    for node in linked.files["app.py"].top.nodes(ops.Call):
        linked.types(node)
    said = check(linked, [made(greedy)], watch=partial(asking.limited, linked, 101))
    assert len(said.findings) == 101
    [problem] = said.problems
    assert problem.message == (
        'Not asked: the rest of the rule "test/one", from here on, since it asked more than 101 questions.'
    )
    assert (problem.kind, problem.path, problem.line) == ("bound", "app.py", 3)


def test_a_rule_that_nests_too_deeply_is_ended() -> None:
    def deep(linked: Project) -> Iterator[Finding]:
        return deep(linked)

    said = check(project("x = 1\n"), [made(deep)])
    assert [problem.kind for problem in said.problems] == ["bound"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = " + "(" * 2_000 + "1" + ")" * 2_000, "brackets"),
        ("x = a" + ".b()" * 3_000, "links"),
        ("x = 'a'" + " + 'b'" * 4_000, "links"),
        ("x = (\n  'a'" + " +\n  'b'" * 4_000 + "\n)", "links"),
        ("x = " + "not " * 3_000 + "y", "links"),
        ("x = [\n" + "  1,\n" * 3_000 + "]", "numbers"),
    ],
)
def test_a_statement_that_the_parser_cannot_afford_is_told_and_costs_itself_alone(text: str, what: str) -> None:
    program = "import os\ndef f(name):\n    if name:\n" + indented(text) + "\n    os.system(name)\n"
    lowered = lower(source_of(program))
    assert [(problem.kind, problem.line) for problem in lowered.problems] == [("bound", 4 + (what == "numbers"))]
    assert what in lowered.problems[0].message
    call = next(project(program).calls("os.system"))
    assert call.place.span.line == program.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "if a:\n  pass\n" + "elif a:\n  pass\n" * 3_000,
        "if a" + ".b()" * 3_000 + ":\n  pass\n",
        "@a" + ".b()" * 3_000 + "\ndef f():\n  pass\n",
    ],
)
def test_what_others_belong_to_costs_the_file_and_is_told(text: str) -> None:
    short, cuts = affordable("y = 1\n" + text)
    assert short is None
    assert [cut.what[:9] for cut in cuts] == ["this file"]


def indented(text: str) -> str:
    return "\n".join("        " + line for line in text.split("\n"))


def source_of(text: str) -> Source:
    return Source(path="app.py", kind="python", text=text, digest=b"", encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "x = [" + "a.b(c), " * 5_000 + "]",
        "x.y = 1\n" * 5_000,
        "x = '" + "(" * 5_000 + "'",
        "# " + "(" * 5_000,
        "if a:\n  pass\nelif b:\n  pass\n" * 2_000,
        'x = """' + "a.b.c " * 5_000 + '"""',
    ],
)
def test_what_is_only_long_is_read(text: str) -> None:
    assert affordable(text + "\n") == (text + "\n", ())


def test_numbers_of_long_lists_are_passed_over_in_place() -> None:
    text = "X = [" + ",\n ".join(map(str, range(5_000))) + "]\nY = [1, 2, 3]\n"
    short, cuts = affordable(text)
    assert short is not None
    assert [cut.line for cut in cuts] == [1]
    assert [len(line) for line in short.split("\n")] == [len(line) for line in text.split("\n")]
    assert len(short.split()) < 100
    assert short.endswith("]\nY = [1, 2, 3]\n")


# -- workers -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="the system has no timers of processor time")
def test_rules_that_are_shared_out_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [each for each in LOADED.rules if "history" not in each.needs]
    files = shapes.fastapi_routes(4) | {"more.py": shapes.passwords_in_logs(3)["app.py"]}
    alone = asking.ask(project(files), rules, jobs=3)
    monkeypatch.setattr(asking, "_WORTH_IT", 0)
    shared = asking.ask(project(files), rules, jobs=3)
    assert len(alone.findings) > 10

    def told(said: Any) -> list[tuple[str, Finding]]:
        return sorted(((each.id, finding) for each, finding in said.findings), key=repr)

    assert told(shared) == told(alone)
    assert (shared.problems, shared.crashed) == (alone.problems, alone.crashed)


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="the system has no timers of processor time")
def test_rules_end_after_the_same_steps_whatever_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_WORTH_IT", 0)
    rules = [each for each in LOADED.rules if each.family in ("auth", "errors", "passwords", "validation")]
    said = []
    for jobs in (1, 3):
        linked = project(shapes.fastapi_routes(4) | {"more.py": shapes.passwords_in_logs(3)["app.py"]})
        monkeypatch.setattr(asking, "limited", lambda linked: linked.steps.at_most(300))
        checked = asking.ask(linked, rules, jobs=jobs)
        said.append((set(checked.findings), set(checked.problems), set(linked.bounds)))
    assert said[0] == said[1]
    assert any("asked more than 300 questions" in problem.message for problem in said[0][1])


def test_a_rule_whose_process_dies_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_WORTH_IT", 0)

    def found(linked: Project) -> Iterator[Finding]:
        yield Finding(place=linked.files["app.py"].top.place, message="Found.")

    def dies(linked: Project) -> Iterator[Finding]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield from found(linked)

    rules = [
        rule("one/a", severity="low")(found),
        rule("one/b", severity="low")(dies),
        rule("one/c", severity="low")(found),
        rule("two/d", severity="low")(found),
    ]
    said = asking.ask(project("x = 1\n"), rules, jobs=2)
    assert [each.id for each, _ in said.findings] == ["one/a", "one/c", "two/d"]
    assert [(problem.kind, "one/b" in problem.message) for problem in said.problems] == [("crash", True)]


# -- however many helpers ----------------------------------------------------------------------------------------------


def handed_on(first: str, last: str, length: int) -> str:
    """``first`` calls a chain of helpers, of which the last does what counts."""
    chain = "".join(f"def step{n}(value):\n    return step{n + 1}(value)\n\n\n" for n in range(length))
    return f"{first}\n\n\n{chain}def step{length}(value):\n{last}\n"


FAR = 60


def test_what_a_helper_answers_is_known_however_far_down() -> None:
    first = "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get('/')\ndef index():\n    return step0(1)\n"
    linked = project({"app.py": handed_on(first, "    return {'error': value}, 418", FAR)})
    (route,) = routes(linked)
    assert {answer.status for answer in answers(linked, route.handler)} == {418}


def test_a_hash_is_seen_however_far_down() -> None:
    first = "import bcrypt\n\n\ndef save(password):\n    return step0(password)\n"
    linked = project(handed_on(first, "    return bcrypt.hashpw(value, bcrypt.gensalt())", FAR))
    assert hashes(linked, code(linked, "app.save"))
    careful = project(handed_on(first, "    return value", FAR))
    assert not hashes(careful, code(careful, "app.save"))


@pytest.mark.parametrize(("last", "told"), [("    logger.error(value)", True), ("    print(len(value))", False)])
def test_a_log_is_seen_however_far_down(last: str, told: bool) -> None:
    first = (
        "import logging\n\nlogger = logging.getLogger(__name__)\n\n\n"
        "def index():\n    try:\n        return open('x')\n    except OSError as error:\n        step0(str(error))\n"
    )
    linked = project(handed_on(first, last, FAR))
    (handler,) = handlers(linked)
    assert logs(linked, handler) is told


def test_helpers_that_all_call_each_other_have_few_answers() -> None:
    many = 12
    names = [f"helper{n}" for n in range(many)]
    bodies = "".join(
        f"def {name}(a, b):\n    if a:\n        return a, {400 + n}\n"
        + "".join(f"    if b == {m}:\n        return {other}(b, a + {m})\n" for m, other in enumerate(names))
        + "\n\n"
        for n, name in enumerate(names)
    )
    route = "@app.get('/')\ndef index():\n    return helper0(1, 2)\n"
    text = f"from flask import Flask\n\napp = Flask(__name__)\n\n\n{bodies}{route}"
    linked = project({"app.py": text})
    (only,) = routes(linked)
    found = answers(linked, only.handler)
    assert {answer.status for answer in found} >= {400 + n for n in range(many)}
    assert len(found) <= 2 * many
    assert linked.questions <= 400 * many


def test_a_text_of_many_pieces_is_a_credential() -> None:
    pieces = " + ".join(f'"{piece}"' for piece in "vT9#qLw2!mZx8Kd5vT9#qLw2!mZx8Kd5")
    report = scan({"app.py": f"DATABASE_PASSWORD = {pieces}\n"}, LOADED)
    assert [issue.rule.id for issue in report.issues] == ["secrets/hardcoded-secret"]


def test_a_text_that_doubles_itself_ends() -> None:
    doubled = "password = 'a'\n" + "password = password + password\n" * 60
    assert scan({"app.py": doubled}, LOADED).issues == ()
