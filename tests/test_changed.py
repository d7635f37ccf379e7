"""A run that is given what earlier ones kept says the same, to the byte, as one that is given nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from backaudit import asking, plugins
from backaudit.audit import Audit, Request
from backaudit.cache import Cache
from backaudit.config import Config
from backaudit.fix import Fixer
from backaudit.report.json import render
from backaudit.rule import Finding
from backaudit.stages import mending
from tests.bench import shapes

LOADED = plugins.load(reraise=True)
TRACE = """import logging

logger = logging.getLogger(__name__)


def told(password):
    logger.info(password)  # why
"""
FILES = {
    **{f"one/{name}": text for name, text in shapes.fastapi_routes(2).items()},
    **{f"two/{name}": text for name, text in shapes.readers_of_one_object(2).items()},
    "one/trace.py": TRACE,
    "one/tests/test_app.py": 'def test_it(client):\n    assert client.get("/items/1").status_code == 200\n',
    "one/Dockerfile": "FROM python:3.12\nCOPY . .\nCMD uvicorn app:app --reload\n",
    "two/Dockerfile": "FROM python:3.12\nCMD flask run --debug\n",
    "two/.env": "SECRET_KEY=k3Jd82hHs7dkQ0aLm2\n",
}
Edit = Callable[[str, random.Random], str]


def _line(text: str, chance: random.Random) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, chance.randrange(len(lines))


def reworded(text: str, chance: random.Random) -> str:
    return text.replace("# why", f"# because {chance.randrange(99)}")


def ignored(text: str, chance: random.Random) -> str:
    return text.replace("# why", "# backaudit: ignore[passwords/password-logged]")


def spaced(text: str, chance: random.Random) -> str:
    lines, at = _line(text, chance)
    return "\n".join([*lines[:at], lines[at] + "  ", *lines[at + 1 :]])


def moved(text: str, chance: random.Random) -> str:
    return f"\n{text}"


def renamed(text: str, chance: random.Random) -> str:
    return text.replace("password", "pass_word") if chance.random() < 0.5 else text.replace("debug", "no-debugger")


def shortened(text: str, chance: random.Random) -> str:
    lines, at = _line(text, chance)
    return "\n".join([*lines[:at], *lines[at + 1 :]])


def doubled(text: str, chance: random.Random) -> str:
    lines, at = _line(text, chance)
    return "\n".join([*lines[: at + 1], *lines[at:]])


EDITS: tuple[Edit, ...] = (reworded, ignored, spaced, moved, renamed, shortened, doubled)


def written(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def edit(root: Path, chance: random.Random) -> None:
    """One edit, somewhere: of a text as a rule, else a file that comes or goes."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    path = chance.choice(paths)
    what = chance.random()
    if what < 0.1 and len(paths) > 3:
        path.unlink()
    elif what < 0.2:
        written(root, {f"one/more_{chance.randrange(3)}.py": f"PASSWORD = 'x{chance.randrange(9)}Yz81kQ!'\n"})
    else:
        path.write_text(chance.choice(EDITS)(path.read_text("utf-8"), chance), "utf-8")


def said(root: Path, cache: Cache | None) -> str:
    request = Request(root=root, config=Config(strict=True), loaded=LOADED, use_git=False, jobs=1)
    return render(Audit(request, cache=cache).report())


@pytest.mark.parametrize("seed", range(8))
def test_random_edits_are_told_as_if_nothing_had_been_kept(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    root = tmp_path / "shop"
    written(root, FILES)
    with Cache(tmp_path / "cache") as cache:
        said(root, cache)
        for _ in range(3):
            for _ in range(chance.randint(1, 2)):
                edit(root, chance)
            assert said(root, cache) == said(root, None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each back end whose rules are asked: how many of its files are Python's."""
    found: list[int] = []

    def ask(project: object, *given: object, **named: object) -> object:
        found.append(len(project.files))  # type: ignore[attr-defined]
        return real(project, *given, **named)  # type: ignore[arg-type]

    real = asking.ask
    monkeypatch.setattr(asking, "ask", ask)
    return found


@pytest.mark.parametrize(("change", "again"), [(reworded, 0), (ignored, 0), (spaced, 0), (moved, 1), (renamed, 1)])
def test_rules_are_asked_again_only_where_a_file_says_something_else(
    change: Edit, again: int, tmp_path: Path, asked: list[int]
) -> None:
    root = tmp_path / "shop"
    written(root, FILES)
    with Cache(tmp_path / "cache") as cache:
        said(root, cache)
        before = len(asked)
        path = root / "one/trace.py"
        path.write_text(change(path.read_text("utf-8"), random.Random(1)), "utf-8")
        said(root, cache)
    assert len(asked) - before == again


UNVERIFIED = 'import requests\n\n\ndef rates():\n    return requests.get("https://fx.example", verify=False).json()\n'


def test_fixes_are_worked_out_again_only_where_their_text_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[str] = []

    def recorded(fixer: Fixer, finding: Finding) -> Finding:
        worked_out.append(finding.place.path)
        return real(fixer, finding)

    real = Fixer.worked_out
    root = tmp_path / "shop"
    written(root, {"one.py": UNVERIFIED, "two.py": UNVERIFIED, "three.py": "import one, two\n"})
    with Cache(tmp_path / "cache") as cache:
        said(root, cache)
        monkeypatch.setattr(Fixer, "worked_out", recorded)
        written(root, {"two.py": f"\n{UNVERIFIED}", "three.py": "import two\n"})
        kept = said(root, cache)
        assert worked_out == ["two.py"]
        assert kept == said(root, None)
        del worked_out[:]
        # What is damaged in the cache, or of another build, is worked out anew.
        monkeypatch.setattr(mending, "_decoded", lambda data: None)
        written(root, {"three.py": "import one\n"})
        said(root, cache)
        assert worked_out == ["one.py", "two.py"]
