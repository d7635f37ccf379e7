"""What ``backaudit init`` writes: a configuration, a hook and a workflow, as far as a project has none.

A file that is there is only ever added to, and only where that keeps all that it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec

from backaudit.config import FILE_NAME, PYPROJECT
from backaudit.regular import read_regular

PRE_COMMIT = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/backaudit.yml"
GITLAB = ".gitlab-ci.yml"

_NO_COMMIT = "<commit> # the commit of the release you have read"
_TOP_KEY = re.compile(r"(?m)^([\w-]+):")
_HOOK = re.compile(r"(?m)^([ \t]*)- repo:")


class Starter(msgspec.Struct, frozen=True):
    """A file to write, relative to the root: ``text`` is all of it. ``why`` says what for.

    ``by_hand``: the file is there and cannot be added to safely; ``text`` is what belongs into it.
    """

    path: str
    text: str
    why: str
    is_there: bool = False
    by_hand: bool = False


def starters(root: Path, version: str) -> list[Starter]:
    """What the project at ``root`` lacks; nothing where it has all."""
    return [*_configuration(root), *_hook(root, version), *_pipelines(root, version)]


def _configuration(root: Path) -> Iterator[Starter]:
    pyproject = _text(root / PYPROJECT)
    if (root / FILE_NAME).exists() or (pyproject is not None and "[tool.backaudit" in pyproject):
        return
    why = "the configuration, with every line to be switched on by hand"
    if pyproject is None:
        yield Starter(FILE_NAME, _template("backaudit.toml"), why)
    else:
        text = f"{_ended(pyproject)}\n[tool.backaudit]\n{_template('backaudit.toml')}"
        yield Starter(PYPROJECT, text, why, is_there=True)


def _hook(root: Path, version: str) -> Iterator[Starter]:
    text = _text(root / PRE_COMMIT)
    entry = _template("pre-commit.yaml", version)
    why = "hooks for pre-commit"
    if text is None:
        yield Starter(PRE_COMMIT, f"repos:\n{_indented(entry, '  ')}", why)
    elif "backaudit" not in text:
        indents = _HOOK.findall(text)
        if indents and _TOP_KEY.findall(text)[-1:] == ["repos"]:
            yield Starter(PRE_COMMIT, _ended(text) + _indented(entry, indents[-1]), why, is_there=True)
        else:
            yield Starter(PRE_COMMIT, entry, why, is_there=True, by_hand=True)


def _pipelines(root: Path, version: str) -> Iterator[Starter]:
    """For GitLab where the project is there, for GitHub where it is or nothing says where."""
    gitlab = _text(root / GITLAB)
    remotes = _text(root / ".git" / "config") or ""
    is_gitlab = gitlab is not None or "gitlab" in remotes
    if is_gitlab:
        yield from _gitlab(gitlab, _template("gitlab.yml", version))
    is_github = (root / ".github").is_dir() or "github.com" in remotes or not is_gitlab
    if is_github and not _mentions(root / ".github" / "workflows"):
        text = _template("github.yml").replace(_NO_COMMIT, f"v{version}")
        yield Starter(WORKFLOW, text, "a workflow for GitHub Actions")


def _gitlab(text: str | None, include: str) -> Iterator[Starter]:
    why = "a job for GitLab CI"
    if text is None:
        yield Starter(GITLAB, include, why)
    elif "backaudit" not in text:
        by_hand = "include" in _TOP_KEY.findall(text)
        yield Starter(GITLAB, include if by_hand else f"{_ended(text)}\n{include}", why, is_there=True, by_hand=by_hand)


def _mentions(folder: Path) -> bool:
    """Whether a workflow runs us already."""
    return any("backaudit" in (_text(path) or "") for path in sorted(folder.glob("*.y*ml")))


def _template(name: str, version: str = "") -> str:
    text = files(__name__).joinpath(name).read_text("utf-8")
    return text.replace("{version}", version) if version else text


def _text(path: Path) -> str | None:
    """The text of a file of the project; None where there is none that can be read."""
    try:
        return read_regular(path, within=path.parent).decode("utf-8")
    except (OSError, ValueError):
        return None


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))
