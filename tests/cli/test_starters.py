"""``backaudit init``: what a project lacks is written, what it has stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from backaudit.starters import GITLAB, PRE_COMMIT, WORKFLOW, starters
from backaudit.toml import parse_toml

ROOT = Path(__file__).resolve().parents[2]
APP = """from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health():
    return {"ok": True}
"""


def init(root: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BACKAUDIT_CACHE_DIR": str(root.parent / "cache")}
    command = [sys.executable, "-m", "backaudit", "init", *arguments]
    return subprocess.run(
        command, cwd=root, env=environment, input=said, capture_output=True, text=True, check=False, timeout=120
    )


def written(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "main.py").write_text(APP)
    return root


def test_everything_is_written_once(project: Path) -> None:
    done = init(project, "--yes")
    assert (done.returncode, "1 routes (fastapi 1), 0 tables" in done.stderr) == (0, True), done.stderr
    first = written(project)
    assert set(first) == {"main.py", "backaudit.toml", PRE_COMMIT, WORKFLOW}
    assert parse_toml(first["backaudit.toml"]) == {}
    assert re.search(r"uses: backaudit/backaudit@v\d+\.\d+\.\d+$", first[WORKFLOW], re.M)
    done = init(project, "--yes")
    assert "everything is there" in done.stderr
    assert written(project) == first


def test_each_file_is_asked_for(project: Path) -> None:
    init(project, said="n\ny\nn\n")
    assert set(written(project)) == {"main.py", PRE_COMMIT}
    assert init(project, said="").returncode != 0, "nobody answers"
    assert set(written(project)) == {"main.py", PRE_COMMIT}


def test_what_is_there_is_added_to_and_stays(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "shop"')
    hooks = "# ours\nrepos:\n- repo: https://example.org/lint\n  rev: v1\n  hooks:\n  - id: lint\n"
    (project / PRE_COMMIT).write_text(hooks)
    init(project, "--yes")
    after = written(project)
    assert after["pyproject.toml"].startswith('[project]\nname = "shop"\n\n[tool.backaudit]\n')
    assert parse_toml(after["pyproject.toml"])["tool"] == {"backaudit": {}}
    assert after[PRE_COMMIT].startswith(hooks)
    repositories = YAML(typ="safe").load(after[PRE_COMMIT])["repos"]
    assert [repository["repo"] for repository in repositories][1] == "https://github.com/backaudit/backaudit"
    assert [hook["id"] for hook in repositories[1]["hooks"]] == ["backaudit", "backaudit-secrets"]


def test_what_cannot_be_added_to_is_shown(project: Path) -> None:
    (project / PRE_COMMIT).write_text("repos: []\nfail_fast: true\n")
    (project / GITLAB).write_text("include:\n  - local: other.yml\n")
    before = written(project)
    done = init(project, "--yes")
    assert "by hand" in done.stderr
    assert "- repo: https://github.com/backaudit/backaudit" in done.stdout
    after = written(project)
    assert {name: after[name] for name in before} == before


def test_gitlab_gets_its_own_job(project: Path) -> None:
    (project / GITLAB).write_text("test:\n  script: [make test]")
    init(project, "--yes")
    after = written(project)
    assert WORKFLOW not in after
    pipeline = YAML(typ="safe").load(after[GITLAB])
    assert pipeline["test"] == {"script": ["make test"]}
    assert pipeline["include"][0]["remote"].endswith("/ci/gitlab.yml")


def test_a_link_out_of_the_project_is_not_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("token = 1\n")
    (project / "pyproject.toml").symlink_to(tmp_path / "secret.toml")
    found = {starter.path for starter in starters(project, "1.0")}
    assert "backaudit.toml" in found
    assert not any("token" in starter.text for starter in starters(project, "1.0"))


def test_the_workflow_is_the_readmes() -> None:
    (block,) = re.findall(
        r"^```yaml\n# \.github/workflows/backaudit\.yml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S
    )
    assert block == (ROOT / "backaudit" / "starters" / "github.yml").read_text()
