"""Statements that are put together, with their values bound: each form, each driver's marks, and what is left alone."""

from __future__ import annotations

import libcst as cst
import pytest

from backaudit.facts.changes import BindValues, MarkStyle
from backaudit.facts.place import Place
from backaudit.fix import Fixer
from backaudit.fix.applying import applied
from backaudit.fix.files import File
from backaudit.rule import Finding, Fix
from backaudit.source import Source, decode


def bound(code: str, style: MarkStyle = "?") -> str | None:
    """The code, a call with a statement first, with its values bound; None where no fix is offered."""
    source = decode("a.py", f"{code}\n".encode())
    assert isinstance(source, Source)
    file = File(source)
    call = next(node for found in file.syntax._found.values() for node in found if isinstance(node, cst.Call))
    whole = Place("a.py", file.syntax.span(call))
    change = BindValues(whole, Place("a.py", file.syntax.span(call.args[0].value)), style)
    finding = Finding(place=whole, message="x", fixes=(Fix(summary="x", changes=(change,)),))
    fixes = Fixer(lambda path: source).worked_out(finding).fixes
    return applied(source.text, fixes[0].edits).rstrip("\n") if fixes else None


BEFORE = "select 1 from t where "


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("""run(f"{}a = '{x}'")""", """run("{}a = ?", (x,))"""),
        ("""run(f"{}a={x.y} and b>{z}")""", """run("{}a=? and b>?", (x.y, z))"""),
        ("""run(f"{}a like '%{x}%'")""", """run("{}a like ?", (f"%{x}%",))"""),
        ("""run(f"{}a like '%{x['q']}'")""", """run("{}a like ?", (f"%{x['q']}",))"""),
        (
            """run(f"insert into t values ('{x}', {y})")""",
            """run("insert into t values (?, ?)", (x, y))""",
        ),
        ("""run(f"update t set a = '{x}' where b = {y}")""", """run("update t set a = ? where b = ?", (x, y))"""),
        ("""run(f"{}{t}.a = '{x}'")""", """run(f"{}{t}.a = ?", (x,))"""),
        ("""run(f"{}a between {x} and {y}")""", """run("{}a between ? and ?", (x, y))"""),
        ("""run(f"select '{{}}' from t limit {x}")""", """run("select '{}' from t limit ?", (x,))"""),
        ("""run("{}a = '" + x + "'")""", """run("{}a = ?", (x,))"""),
        ("""run("{}a = " + x + " and b = 1")""", """run("{}a = ? and b = 1", (x,))"""),
        ("""run("{}a = '%s' and b = %d" % (x, y))""", """run("{}a = ? and b = ?", (x, y))"""),
        ("""run("{}a = '%(a)s' and b = %(b)s" % {"b": y, "a": x})""", """run("{}a = ? and b = ?", (x, y))"""),
        ("""run("{}a = '{0}' and b = {n}".format(x, n=y))""", """run("{}a = ? and b = ?", (x, y))"""),
        ('run(f"select 1 "\n    f"from t where a = {x}")', 'run("select 1 "\n    "from t where a = ?", (x,))'),
        ('run(\n    f"""select\n    where a = {x}"""\n)', 'run(\n    """select\n    where a = ?""",\n    (x,)\n)'),
    ],
)
def test_each_form_is_read(before: str, after: str) -> None:
    if "{{}}" not in before:
        before, after = before.replace("{}", BEFORE), after.replace("{}", BEFORE)
    assert bound(before) == after


@pytest.mark.parametrize(
    ("style", "after"),
    [
        ("%s", """run("select 1 from t where a = %s and b like '%%x' and c = %s", (x.id, y))"""),
        ("$1", """run("select 1 from t where a = $1 and b like '%x' and c = $2", x.id, y)"""),
        (":name", """run("select 1 from t where a = :id and b like '%x' and c = :y").bindparams(id=x.id, y=y)"""),
        ("values", """run("select 1 from t where a = :id and b like '%x' and c = :y", values={"id": x.id, "y": y})"""),
    ],
)
def test_each_driver_has_its_marks(style: MarkStyle, after: str) -> None:
    assert bound("""run(f"select 1 from t where a = {x.id} and b like '%x' and c = '{y}'")""", style) == after


@pytest.mark.parametrize(
    "code",
    [
        'run(f"select 1 from {t}")',  # a name
        'run(f"select 1 from t order by {x}")',
        'run(f"select 1 from t where a in ({x})")',  # several
        """run(f"select now() - interval '{x} days'")""",  # part of a literal that is no value of its own
        """run(f"select 1 from t where a = 'x{y}z{w}'")""",
        'run(f"select 1 from t where a = {x:>5}")',
        'run(f"select 1 from t where a = {x}", (y,))',  # given values already
        'run("select 1 from t where a = %(x)s" % x)',
        'run("select 1 from t where a = " + f(x) + r" and b = 1")',
        "run(x)",
    ],
)
def test_what_is_no_value_or_not_understood_is_left_alone(code: str) -> None:
    assert bound(code) is None
