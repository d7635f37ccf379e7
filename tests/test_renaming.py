"""What a thing does decides, and words come last: meaningless names change at most the findings that are listed.

Of each fixture the names that are the project's own are replaced (``tests/renaming.py``). ``tests/data/renaming.toml``
lists the places where a finding comes or goes with them, with the reason why words decide there.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.rule import Rule
from backaudit.testing import scan
from backaudit.toml import parse_toml
from tests.house import ROOT
from tests.renaming import renamed

LOADED = plugins.load(reraise=True)
FIXTURES = ROOT / "fixtures"
RULES = {rule.id: rule for rule in LOADED.rules}
LISTED = parse_toml((ROOT / "tests" / "data" / "renaming.toml").read_text("utf-8"))
# The families whose rules lean on what things are called.
FAMILIES = ("auth", "errors", "passwords", "secrets", "validation")
FOLDERS = {
    folder: RULES[rule]
    for family in FAMILIES
    for folder in sorted((FIXTURES / family).iterdir())
    if (rule := f"{folder.parent.name}/{folder.name}".replace("_", "-")) in RULES
}


def test_every_entry_is_of_a_rule_and_says_why() -> None:
    for rule, entry in LISTED.items():
        assert rule in RULES
        assert entry["reason"]
        assert entry["places"] == sorted(entry["places"])


@pytest.mark.long
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_meaningless_names_change_at_most_what_is_listed(folder: Path) -> None:
    rule = FOLDERS[folder]
    changed = [place for entry in sorted(folder.iterdir()) for place in _changed(entry, rule)]
    assert sorted(set(changed) - set(LISTED.get(rule.id, {}).get("places", ()))) == []


def _changed(entry: Path, rule: Rule) -> list[str]:
    files = _files(entry)
    new = renamed(files)
    if new == files:
        return []
    before, after = _found(files, rule), _found(new, rule)
    base = entry.relative_to(FIXTURES).as_posix() if entry.is_dir() else entry.parent.relative_to(FIXTURES).as_posix()
    return [f"{base}/{path}:{line}" for path, line in ((before - after) + (after - before))]


def _files(entry: Path) -> dict[str, str]:
    """The texts of one fixture; a file that is none is left out."""
    found = [entry] if entry.is_file() else sorted(path for path in entry.rglob("*") if path.is_file())
    base = entry.parent if entry.is_file() else entry
    texts = {}
    for path in found:
        try:
            texts[path.relative_to(base).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
    return {path: text for path, text in texts.items() if "__pycache__" not in path}


def _found(files: dict[str, str], rule: Rule) -> Counter[tuple[str, int]]:
    issues = scan(files, LOADED, [rule]).issues
    return Counter((issue.finding.place.path, issue.finding.place.span.line) for issue in issues)
