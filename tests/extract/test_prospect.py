"""Asking for secrets alone: what can hold none is not parsed, and the hits are the same."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from backaudit.extract import extract
from backaudit.extract.secrets.prospect import prospects
from backaudit.source import Source, decode

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"


def test_the_part_with_prospects_has_all_credentials() -> None:
    emptied, found = 0, 0
    for path in [
        path for family in ("apps", "passwords", "secrets") for path in sorted((FIXTURES / family).rglob("*.py"))
    ]:
        source = decode(path.name, path.read_bytes())
        assert isinstance(source, Source)
        whole, part = extract(source, wanted={"code"}), extract(source, wanted=())
        assert part.secrets == whole.secrets, path
        emptied += part.python != whole.python
        found += len(whole.secrets)
    assert emptied > 20
    assert found > 30


def test_functions_without_prospects_are_emptied_in_place() -> None:
    code = (
        "class A:\n"
        "    def quiet(self, a='x', b=(\n        1, 2)):\n        'Says.'\n        if a:\n            return b\n\n"
        "    def telling(self):\n        self.token = 'kX9'\n"
    )
    lines = code.split("\n")
    assert (prospects(code) or "").split("\n") == [*lines[:3], "        pass", "", "", *lines[6:]]


def test_a_file_without_prospects_has_none_and_one_that_cannot_be_read_stays_whole() -> None:
    assert prospects("def f():\n    return 1\n") is None
    assert prospects("def f(:\n    token = 1\n") == "def f(:\n    token = 1\n"


def test_asking_for_secrets_loads_nothing_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(x):\n    return x + 1\n")
    code = (
        "import sys\nfrom backaudit import cli\n"
        f"try: cli.main(['scan', {str(tmp_path)!r}, '--select', 'secrets', '--no-cache', '--quiet'])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('backaudit_rules.', 'libcst', 'backaudit.flow'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {name.split(".")[1] for name in ast.literal_eval(done.stdout)} == {"secrets"}
