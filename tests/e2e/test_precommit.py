"""The hooks, through the real pre-commit: ``try-repo`` installs this checkout and runs them on a repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, checkout, commit_all, git_repository, run, tool

pytestmark = pytest.mark.e2e

MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
"""
VIEWS = """\
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.models import User

router = APIRouter()


class Registration(BaseModel):
    email: str
    password: str


def get_session():
    with Session() as session:
        yield session


@router.post("/users", status_code=201)
def register(data: Registration, session: Session = Depends(get_session)):
    session.add(User(email=data.email, password=data.password))
    session.commit()
"""
SETTINGS = 'MAIL_PASSWORD = "vT9#qLw2!mZx"\n'


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("hooks"))


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One cache of pre-commit's for all tests here: the environment is made once."""
    return str(tmp_path_factory.getbasetemp() / "pre-commit-home")


def try_hook(hooks: Path, project: Path, home: str, hook: str, *, expect: int) -> str:
    commit = run(["git", "rev-parse", "HEAD"], cwd=hooks).stdout.strip()
    command: list[str | Path] = [
        tool("pre-commit"),
        "try-repo",
        hooks,
        hook,
        "--ref",
        commit,
        "--verbose",
        "--color",
        "never",
    ]
    return run(command, cwd=project, env={"PRE_COMMIT_HOME": home}, expect=expect).stdout


@pytest.mark.xdist_group("pre-commit")
def test_the_whole_project_is_analysed_whatever_is_staged(tmp_path: Path, hooks: Path, home: str) -> None:
    project = git_repository(
        tmp_path, {"app/__init__.py": "", "app/models.py": MODELS, "app/views.py": VIEWS, "README.md": "An app.\n"}
    )
    (project / "app" / "models.py").write_text(MODELS + "    name: Mapped[str]\n", "utf-8")
    run(["git", "add", "app/models.py"], cwd=project)
    said = try_hook(hooks, project, home, "backaudit", expect=1)
    assert said.count("passwords/plaintext-storage") >= 1
    assert "app/views.py" in said


@pytest.mark.xdist_group("pre-commit")
def test_secrets_are_sought_in_what_is_staged_alone(tmp_path: Path, hooks: Path, home: str) -> None:
    project = git_repository(
        tmp_path, {"app/__init__.py": "", "app/old.py": SETTINGS, "app/views.py": VIEWS, "app/models.py": MODELS}
    )
    (project / "app" / "new.py").write_text(SETTINGS, "utf-8")
    run(["git", "add", "app/new.py"], cwd=project)
    said = try_hook(hooks, project, home, "backaudit-secrets", expect=1)
    assert "app/new.py" in said
    assert "app/old.py" not in said
    assert "passwords/plaintext-storage" not in said
    assert "vT9#qLw2!mZx" not in said


@pytest.mark.xdist_group("pre-commit")
def test_a_clean_project_passes(tmp_path: Path, hooks: Path, home: str) -> None:
    project = git_repository(
        tmp_path, {"app/__init__.py": "", "app/sums.py": "def add(a: int, b: int) -> int:\n    return a + b\n"}
    )
    (project / "app" / "more.py").write_text("def double(a: int) -> int:\n    return 2 * a\n", "utf-8")
    commit_all(project)
    (project / "app" / "more.py").write_text("def double(a: int) -> int:\n    return a + a\n", "utf-8")
    run(["git", "add", "app/more.py"], cwd=project)
    for hook in ("backaudit", "backaudit-secrets"):
        try_hook(hooks, project, home, hook, expect=0)


def test_the_manifest_is_one_that_pre_commit_accepts() -> None:
    done = subprocess.run(
        [tool("pre-commit"), "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
