"""What findings on errors say, held against the running applications of ``fixtures/apps``: ``truth/requests.py``."""

from __future__ import annotations

import sys

import pytest

from tests.truth.requests import APPS, Outcome, asked, rows, table, told

# Per application: requests that findings name, and real 500s that no finding predicted.
EXPECTED = {
    "django": (4, 0), "django-careful": (0, 0), "fastapi": (2, 0), "fastapi-careful": (0, 0), "flask": (1, 3),
    "flask-careful": (0, 1),
}  # fmt: skip
pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_named_requests_give_what_findings_say(name: str) -> None:
    outcome = asked(APPS / name)
    named, missed = EXPECTED[name]
    shown = "\n".join((*told(outcome), table([outcome])))
    assert [one.sent.request for one, holds in outcome.named if not holds] == [], shown
    assert len(outcome.named) >= named, shown
    assert sum(not known for _, known in outcome.real) <= missed, shown
    assert outcome.sent > 50, shown


def test_the_table_counts_by_framework_and_exception() -> None:
    empty = Outcome("none", "flask", 0, (), (), (), (), (), 0)
    assert rows([empty]) == []
    assert "named requests that give what we say: 0 of 0 (none)" in table([empty])
