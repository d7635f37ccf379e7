"""A further element of what a class lists: each shape of a class, and what is left alone."""

from __future__ import annotations

import libcst as cst
import pytest

from backaudit.facts.changes import ListInClass
from backaudit.facts.place import Place
from backaudit.fix import Fixer
from backaudit.fix.applying import applied
from backaudit.fix.files import File
from backaudit.rule import Finding, Fix
from backaudit.source import Source, decode


def listed(code: str, option: str = "Meta.indexes", brackets: str = "[]") -> str | None:
    """A class with ``X`` listed; None where no fix is offered."""
    source = decode("a.py", code.encode())
    assert isinstance(source, Source)
    file = File(source)
    cls = next(node for node in file.syntax.module.body if isinstance(node, cst.ClassDef))
    at = Place("a.py", file.syntax.span(cls.name))
    change = ListInClass(at, option, "X", "[]" if brackets == "[]" else "()")
    finding = Finding(place=at, message="x", fixes=(Fix(summary="x", changes=(change,)),))
    fixes = Fixer(lambda path: source).worked_out(finding).fixes
    return applied(source.text, fixes[0].edits) if fixes else None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class A:\n    a = 1\n", "class A:\n    a = 1\n\n    class Meta:\n        indexes = [X]\n"),
        ("class A:\n    a = 1", "class A:\n    a = 1\n\n    class Meta:\n        indexes = [X]"),
        ("class A:\n    pass\n", "class A:\n    class Meta:\n        indexes = [X]\n"),
        (
            "class A:\n\ta = 1\n\n\tdef f(self):\n\t\tpass\n",
            "class A:\n\ta = 1\n\n\tclass Meta:\n\t\tindexes = [X]\n\n\tdef f(self):\n\t\tpass\n",
        ),
        (
            "class A:\n    def f(self):\n        pass\n",
            "class A:\n    class Meta:\n        indexes = [X]\n\n    def f(self):\n        pass\n",
        ),
        (
            "class A:\r\n    a = 1\r\n    class Meta:\r\n        b = 2\r\n",
            "class A:\r\n    a = 1\r\n    class Meta:\r\n        b = 2\r\n        indexes = [X]\r\n",
        ),
        (
            "class A:\n    class Meta:\n        indexes = [a(), b()]\n",
            "class A:\n    class Meta:\n        indexes = [a(), b(), X]\n",
        ),
        (
            "class A:\n    class Meta:\n        indexes = [\n            a(),  # why\n        ]\n",
            "class A:\n    class Meta:\n        indexes = [\n            a(),  # why\n            X,\n        ]\n",
        ),
        (
            "class A:\n    class Meta:\n        indexes = [\n            a()\n        ]\n",
            "class A:\n    class Meta:\n        indexes = [\n            a(),\n            X\n        ]\n",
        ),
        ("class A:\n    class Meta:\n        indexes = []\n", "class A:\n    class Meta:\n        indexes = [X]\n"),
        ("class A:\n    class Meta:\n        indexes = ()\n", "class A:\n    class Meta:\n        indexes = (X,)\n"),
        (
            "class A:\n    class Meta:\n        indexes = a(),\n",
            "class A:\n    class Meta:\n        indexes = a(), X,\n",
        ),
    ],
)
def test_each_shape_of_an_inner_class(before: str, after: str) -> None:
    assert listed(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class A:\n    a = 1\n", "class A:\n    a = 1\n    t = (X,)\n"),
        ("class A:\n    t = (a(),)\n", "class A:\n    t = (a(), X,)\n"),
        ('class A:\n    t = (a(), {"schema": "x"})\n', 'class A:\n    t = (a(), X, {"schema": "x"})\n'),
        ('class A:\n    t = ({"schema": "x"},)\n', 'class A:\n    t = (X, {"schema": "x"},)\n'),
        ("class A:\n    t: tuple = (a(), b())\n", "class A:\n    t: tuple = (a(), b(), X)\n"),
    ],
)
def test_each_shape_of_the_class_itself(before: str, after: str) -> None:
    assert listed(before, "t", "()") == after


@pytest.mark.parametrize(
    "code",
    [
        "class A: a = 1\n",
        "class A:\n    t = shared + (a(),)\n",
        "class A:\n    t = {'schema': 'x'}\n",
        "class A:\n    t = ('a', 'b')\n",
        "class A:\n    t = (a(),)\n    t += (b(),)\n",
        "class A:\n    t: tuple\n",
        "class A:\n    def t(self):\n        return ()\n",
    ],
)
def test_what_is_put_together_elsewhere_is_left_alone(code: str) -> None:
    assert listed(code, "t", "()") is None
