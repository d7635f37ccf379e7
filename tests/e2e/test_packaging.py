"""What is published: the archives that `python -m build` makes, and the image."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, checkout, run, tool
from tests.e2e.npm import absent

pytestmark = pytest.mark.e2e
WEAK = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password.encode()).hexdigest()\n"
# In this order, as they are looked for: by the system, and where pyenv keeps them.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that is built of it."""
    folder = tmp_path_factory.mktemp("built")
    source = checkout(tmp_path_factory.mktemp("source"))
    command = [tool("python"), "-m", "build", "--outdir", folder, source]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode and "pip install" in done.stdout + done.stderr:
        absent(f"pip could not install what builds: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def archive(folder: Path, ending: str) -> Path:
    (found,) = folder.glob(f"*{ending}")
    return found


def test_the_archives_are_what_an_index_takes(archives: Path) -> None:
    done = run([tool("python"), "-m", "twine", "check", "--strict", *sorted(archives.iterdir())])
    assert done.stdout.count("PASSED") == 2


def test_the_archives_hold_the_program_and_nothing_else(archives: Path) -> None:
    with zipfile.ZipFile(archive(archives, ".whl")) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"backaudit", "backaudit_rules"}
    for needed in ("backaudit/py.typed", "backaudit/models/django.toml", "backaudit/starters/backaudit.toml"):
        assert needed in names
    with tarfile.open(archive(archives, ".tar.gz")) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "backaudit/cli.py"} <= inside


def test_the_wheel_scans_where_it_alone_is_installed(archives: Path, tmp_path: Path) -> None:
    scanned = project(tmp_path)
    python = alone_beside_what_it_needs(tmp_path / "env", archive(archives, ".whl"))
    code = "import backaudit; print(backaudit.__file__)"
    assert Path(run([python, "-c", code], cwd=tmp_path).stdout.strip()).is_relative_to(tmp_path / "env")
    assert found(python, scanned, tmp_path) == ["passwords/weak-hash"]


def alone_beside_what_it_needs(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel's files, and the libraries that are installed beside us; nothing is fetched."""
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    python = folder / "bin" / "python"
    site = Path(run([python, "-c", "import site; print(site.getsitepackages()[-1])"]).stdout.strip())
    with zipfile.ZipFile(wheel) as archived:
        archived.extractall(site)
    # Lines of a .pth file are folders; the .pth files in there, which lead to our own checkout, are not read.
    ours = [path for path in sys.path if path.endswith(("site-packages", "site"))]
    (site / "needed.pth").write_text("".join(f"{path}\n" for path in ours), "utf-8")
    return python


@pytest.mark.long
@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_installs_in_a_bare_environment(version: str, archives: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    run([python, "-m", "venv", tmp_path / "env"])
    installed = tmp_path / "env" / "bin" / "python"
    pip = [installed, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
    done = subprocess.run([*map(str, pip), str(archive(archives, ".whl"))], capture_output=True, text=True, check=False)
    if done.returncode:
        absent(f"pip could not install what the wheel needs: {done.stderr.strip()[-300:]}")
    assert found(installed, project(tmp_path), tmp_path) == ["passwords/weak-hash"]


def interpreter(version: str) -> Path | None:
    candidates = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")]
    for candidate in (str(one) for one in candidates if one):
        done = subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False)
        if done.returncode == 0:
            return Path(candidate)
    return None


def project(folder: Path) -> Path:
    scanned = folder / "shop"
    scanned.mkdir()
    (scanned / "store.py").write_text(WEAK)
    return scanned


def found(python: Path, scanned: Path, folder: Path) -> list[str]:
    """The rules that report, as the installed command says."""
    command = [python.parent / "backaudit"] if (python.parent / "backaudit").exists() else [python, "-m", "backaudit"]
    env = {"BACKAUDIT_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": ""}
    done = run([*command, "scan", "--format", "json", scanned], cwd=folder, env=env, expect=1)
    return [one["rule"] for one in json.loads(done.stdout)["findings"]]


# -- the image ---------------------------------------------------------------------------------------------------------


def test_our_own_rules_find_nothing_in_the_image(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, image / name)
    env = {"BACKAUDIT_CACHE_DIR": str(tmp_path / "cache")}
    done = run(
        [tool("python"), "-m", "backaudit", "scan", "--strict", "--select", "deploy,secrets", "--format", "json", "."],
        cwd=image,
        env=env,
    )
    assert json.loads(done.stdout)["findings"] == []


def test_hadolint_finds_nothing_in_the_image() -> None:
    program = shutil.which("hadolint") or tool("hadolint")
    if not Path(program).exists():
        pytest.skip("hadolint is not installed")
    run([program, ROOT / "Dockerfile"])


def test_what_the_image_copies_is_sent_to_its_build() -> None:
    """``.dockerignore`` lets nothing in but what it names: all that is copied, and all that the installation reads."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M) for name in line.split()}
    let_in = {line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line[0] == "!"}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_scans_as_nobody_in_particular(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no docker daemon answers")
    run([docker, "build", "--quiet", "--tag", "backaudit:test", ROOT], timeout=1_800)
    mount = f"{project(tmp_path)}:/project:ro"
    done = run([docker, "run", "--rm", "-v", mount, "backaudit:test", "scan", "--format", "json"], expect=1)
    assert [one["rule"] for one in json.loads(done.stdout)["findings"]] == ["passwords/weak-hash"]
    user = run([docker, "run", "--rm", "--entrypoint", "id", "backaudit:test", "-u"]).stdout.strip()
    assert user != "0"
    assert os.getuid() != int(user)
