"""The list of well-kept projects: it can be read back, holds no code, and tells what is new from what was accepted."""

from __future__ import annotations

import re

from backaudit import plugins
from backaudit.toml import parse_toml
from tests.bench.wellkept import LIST, accepted, compared, written

PROJECTS = parse_toml(LIST.read_text("utf-8"))["projects"]


def test_the_list_is_as_it_is_written() -> None:
    assert written(PROJECTS) == LIST.read_text("utf-8")


def test_each_project_is_pinned_and_speaks_of_rules_that_there_are() -> None:
    rules = {rule.id for rule in plugins.load(reraise=True).rules}
    assert len(PROJECTS) >= 12
    for said in PROJECTS.values():
        assert said["url"].startswith("https://github.com/")
        assert re.fullmatch(r"[0-9a-f]{40}", said["commit"])
        assert set(said["accepted"]) <= rules


def test_one_finding_more_in_a_file_is_new() -> None:
    said = {"accepted": {"auth/missing-auth": {"a.py": 2}, "errors/blanket-500": {"b.py": 1}}}
    found = {("auth/missing-auth", "a.py"): 3}
    new, gone = compared(accepted(said), found)
    assert dict(new) == {("auth/missing-auth", "a.py"): 1}
    assert dict(gone) == {("errors/blanket-500", "b.py"): 1}
