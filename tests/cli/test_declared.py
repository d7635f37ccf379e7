"""What rules declare is kept: the same rules, whose code is loaded when they are asked, and nothing else ever is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from backaudit import declared, plugins
from backaudit.audit import Audit, Request
from backaudit.cache import Cache
from backaudit.config import Config
from backaudit.report.json import render
from backaudit.rule import Rule

SERVICE = """import logging

logger = logging.getLogger(__name__)


def told(password):
    logger.info(password)
"""


def loaded_twice(cache: Cache) -> tuple[plugins.Loaded, plugins.Loaded]:
    return plugins.load(reraise=True, cache=cache), plugins.load(reraise=True, cache=cache)


def without_code(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, check=print)


def test_kept_rules_are_the_same_and_their_code_is_loaded_when_they_are_asked(tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        fresh, kept = loaded_twice(cache)
    assert list(map(without_code, fresh.rules)) == list(map(without_code, kept.rules))
    later = [rule for rule in kept.rules if isinstance(rule.check, declared.Later)]
    assert len(later) > 100
    assert not any(isinstance(rule.check, declared.Later) for rule in fresh.rules)
    by_id = {rule.id: rule for rule in fresh.rules}
    assert all(rule.check.loaded() is by_id[rule.id] for rule in later if isinstance(rule.check, declared.Later))


def test_kept_rules_find_the_same(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "app.py").write_text(SERVICE)
    with Cache(tmp_path / "cache") as cache:
        several = loaded_twice(cache)
    requests = [Request(root=root, config=Config(strict=True), loaded=each, use_git=False, jobs=1) for each in several]
    said = [render(Audit(request).report()) for request in requests]
    assert "passwords/password-logged" in said[0]
    assert said[0] == said[1]


def test_a_run_over_unchanged_files_loads_no_code_of_rules(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "app.py").write_text(SERVICE)
    program = (
        "import os, sys\n"
        f"os.environ['XDG_CACHE_HOME'] = {str(tmp_path / 'cache')!r}\n"
        f"sys.argv = ['backaudit', 'scan', {str(root)!r}]\n"
        "from backaudit.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('loaded:', sum(name.startswith('backaudit.analyses.') for name in sys.modules))\n"
    )
    counts = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
        assert "passwords/password-logged" in done.stdout
        counts.append(int(done.stdout.rpartition("loaded: ")[2]))
    assert counts[0] > 50
    assert counts[1] == 0


@pytest.mark.parametrize("module", ["os.path", "backaudit_rules_of_others.mine", "backaudit.declared"])
def test_no_module_of_another_package_is_taken_from_a_cache(module: str, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        rules = [rule for rule in plugins.load(reraise=True, cache=cache).rules if rule.family == "passwords"]
        forged = msgspec.structs.replace(rules[0], module=module)
        declared.keep(cache, plugins.BUILT_IN_PACKAGE, [*rules[1:], forged])
        assert declared.declared(cache, plugins.BUILT_IN_PACKAGE) is None
        declared.keep(cache, plugins.BUILT_IN_PACKAGE, rules)
        assert declared.declared(cache, plugins.BUILT_IN_PACKAGE) is not None


def test_what_is_no_declaration_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cache(tmp_path / "cache") as cache:
        loaded_twice(cache)
        key = declared._key(plugins.BUILT_IN_PACKAGE)
        cache.put(key, b"\x93\x01\x02\x03")
        assert declared.declared(cache, plugins.BUILT_IN_PACKAGE) is None
        again = plugins.load(reraise=True, cache=cache)
        assert len(again.rules) > 100
        # Of other code, nothing is known.
        monkeypatch.setattr(declared, "folder_stamp", lambda folder: b"another")
        assert declared.declared(cache, plugins.BUILT_IN_PACKAGE) is None


def test_a_question_that_cannot_be_loaded_is_told_where_it_is_asked() -> None:
    missing = declared.Later("backaudit_rules.passwords.password_logged", "passwords/none-such")
    declared.load([msgspec.structs.replace(plugins.load(reraise=True).rules[0], check=missing)])
    with pytest.raises(ImportError):
        list(missing(None))  # type: ignore[arg-type]
