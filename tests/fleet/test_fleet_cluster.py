"""`backaudit fleet` as a whole: on this machine and on a cluster of processes, and what becomes of it when one dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backaudit.rule import SEVERITIES
from tests.e2e.environments import commit_all, git_repository
from tests.fleet.repositories import (
    APPS,
    CAREFUL,
    CARELESS,
    address,
    alone,
    begun,
    certificate,
    cluster,
    command,
    reports,
    repositories,
    ssh,
    stored,
    wait_for,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="git and POSIX are needed"),
]


KILLS_ITS_WORKER = """#!/bin/sh
pid=$$
until tr "\\0" " " < /proc/$pid/cmdline | grep -q dask_worker; do pid=$(ps -o ppid= -p $pid | tr -d " "); done
kill -9 $pid
sleep 300
"""


def ordinary(folder: Path) -> Path:
    """A careless back end, a careful one, one without Python and one without anything."""
    several = {name: _files(APPS / name) for name in ("flask", "fastapi-careful")}
    repositories(folder, {**several, "words": {"README.md": "# Words\n"}})
    (folder / "nothing").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder / "nothing", check=True)
    return folder


def _files(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}


def check_same(store: Path, folder: Path, clones: Path) -> None:
    """Each repository's reports are those of a single scan, to the byte."""
    clones.mkdir()
    found = reports(store)
    assert {name for name, scan in stored(store).items() if scan["status"] == "ok"} == found.keys()
    assert found == {name: alone(folder / name, clones) for name in found}


def test_a_fleet_on_this_machine_finds_what_single_scans_find(tmp_path: Path) -> None:
    folder, store = ordinary(tmp_path / "src"), tmp_path / "fleet.sqlite3"
    said = command(folder, "--store", store, "-j", "2", home=tmp_path)
    assert "4 of 4 repositories are in the store, 1 empty" in said.stderr
    found = stored(store)
    assert {name: scan["status"] for name, scan in found.items()} == {
        "fastapi-careful": "ok",
        "flask": "ok",
        "nothing": "empty",
        "words": "ok",
    }
    assert sum(found["flask"][severity] for severity in SEVERITIES) > 0
    assert (found["flask"]["routes"] > 0, found["words"]["files"] > 0) == (True, True)
    check_same(store, folder, tmp_path / "clones")


def test_workers_of_their_own_folders_find_what_single_scans_find(tmp_path: Path) -> None:
    folder = repositories(tmp_path / "src", {"flask": _files(APPS / "flask"), "near": CARELESS, "words": CAREFUL})
    store = tmp_path / "fleet.sqlite3"
    with cluster(tmp_path) as dask:
        command(folder, "--store", store, "--scheduler", dask.address, home=tmp_path)
    assert {scan["worker"] for scan in stored(store).values()} == {"worker-0", "worker-1"}
    assert not (tmp_path / "cache").exists() or not any((tmp_path / "cache").rglob("*.sqlite3"))
    check_same(store, folder, tmp_path / "clones")


def test_two_runs_may_share_a_scheduler(tmp_path: Path) -> None:
    """Repositories of one name are not taken for each other's."""
    for side, files in (("left", CARELESS), ("right", CAREFUL)):
        repositories(tmp_path / side, {"app": files})
    with cluster(tmp_path) as dask:
        runs = [
            begun(tmp_path / side, "--store", tmp_path / f"{side}.sqlite3", "--scheduler", dask.address, home=tmp_path)
            for side in ("left", "right")
        ]
        assert [process.communicate(timeout=120)[0] for process in runs] == ["", ""]
    counts = [stored(tmp_path / f"{side}.sqlite3")["app"] for side in ("left", "right")]
    assert [scan["critical"] + scan["high"] for scan in counts] == [1, 0]


def listed(tmp_path: Path) -> tuple[Path, Path]:
    """Three repositories in a list, of which one is reached by ssh."""
    folder = repositories(tmp_path / "src", {"near": CARELESS, "far": CARELESS, "other": CAREFUL})
    listed = tmp_path / "list.txt"
    listed.write_text(f"src/near\nsrc/other\n{address(folder / 'far')}\n", "utf-8")
    return listed, tmp_path / "fleet.sqlite3"


def test_a_worker_that_is_killed_costs_an_attempt(tmp_path: Path) -> None:
    sources, store = listed(tmp_path)
    marker, env = ssh(tmp_path, "sleep 300")
    with cluster(tmp_path, env=env) as dask:
        process = begun(sources, "--store", store, "--scheduler", dask.address, home=tmp_path)
        wait_for(marker)
        victim = next(worker for worker in dask.workers if _runs_ssh(worker.pid))
        victim.kill()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert {scan["status"] for scan in stored(store).values()} == {"ok"}
    assert len(stored(store)) == 3


def _runs_ssh(pid: int) -> bool:
    return any("ssh" in " ".join(one.cmdline()) for one in psutil.Process(pid).children(recursive=True))


def test_what_kills_every_worker_is_failed_with_its_reason(tmp_path: Path) -> None:
    sources, store = listed(tmp_path)
    _, env = ssh(tmp_path, "true")
    (tmp_path / "ssh").write_text(KILLS_ITS_WORKER, "utf-8")
    with cluster(tmp_path, workers=4, env=env) as dask:
        command(sources, "--store", store, "--scheduler", dask.address, home=tmp_path, expect=3)
    found = stored(store)
    failed = [scan for scan in found.values() if scan["status"] == "failed"]
    assert [scan["reason"] for scan in failed] == ["The worker died with it, 3 times."]
    assert len(found) == 3


def test_a_scheduler_that_is_killed_ends_the_run_clearly_and_it_is_gone_on_with(tmp_path: Path) -> None:
    sources, store = listed(tmp_path)
    marker, env = ssh(tmp_path, "sleep 300")
    with cluster(tmp_path, env=env) as dask:
        process = begun(sources, "--store", store, "--scheduler", dask.address, home=tmp_path)
        wait_for(marker)
        _wait_for_scans(store, 2)
        dask.scheduler.kill()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "the scheduler is gone: 2 of 3 repositories are in the store; the same command goes on" in said
    assert "Traceback" not in said
    before = stored(store)
    said = command(sources, "--store", store, home=tmp_path, env=env).stderr
    assert "the last run was not finished" in said
    after = stored(store)
    assert {name: scan["status"] for name, scan in after.items()} == dict.fromkeys(after, "ok")
    assert len(after) == 3
    assert {name: after[name] for name in before} == before  # what was finished is not scanned again


def test_an_interruption_keeps_what_was_finished(tmp_path: Path) -> None:
    sources, store = listed(tmp_path)
    marker, env = ssh(tmp_path, "sleep 300")
    process = begun(sources, "--store", store, "-j", "2", home=tmp_path, env=env)
    wait_for(marker)
    _wait_for_scans(store, 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: 2 of 3 repositories are in the store; the same command goes on with the rest" in said
    command(sources, "--store", store, home=tmp_path, env=env)
    assert len(stored(store)) == 3
    assert {scan["run"] for scan in stored(store).values()} == {1}


def _wait_for_scans(store: Path, count: int) -> None:
    end = time.monotonic() + 60
    while len(stored(store)) < count:
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("address", ["tcp://8.8.8.8:8786", "tcp://[2001:4860:4860::8888]:8786"])
def test_a_public_scheduler_in_the_clear_is_refused(address: str, tmp_path: Path) -> None:
    folder = repositories(tmp_path / "src", {"one": CAREFUL})
    arguments: list[str | Path] = [folder, "--store", tmp_path / "s.sqlite3", "--scheduler", address]
    said = command(*arguments, home=tmp_path, expect=2).stderr
    assert "is a public address" in said
    assert "--insecure" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_scheduler_behind_tls_wants_a_certificate(tmp_path: Path) -> None:
    folder, store = repositories(tmp_path / "src", {"one": CARELESS}), tmp_path / "s.sqlite3"
    file = str(certificate(tmp_path))
    given = ["--tls-ca-file", file, "--tls-cert", file, "--tls-key", file]
    ours = ["--tls-ca", file, "--tls-cert", file, "--tls-key", file]
    with cluster(tmp_path, workers=1, tls=given) as dask:
        assert dask.address.startswith("tls://")
        arguments: list[str | Path] = [folder, "--store", store, "--scheduler", dask.address]
        assert "tls:// wants --tls-ca" in command(*arguments, home=tmp_path, expect=2).stderr
        gone = command(*arguments, *ours[:-1], str(tmp_path / "gone.pem"), home=tmp_path, expect=2).stderr
        assert "The files of TLS cannot be used" in gone
        command(*arguments, *ours, home=tmp_path)
    assert {scan["status"] for scan in stored(store).values()} == {"ok"}


def test_only_what_has_changed_is_scanned_since_the_last_run(tmp_path: Path) -> None:
    folder, store = repositories(tmp_path / "src", {"one": CARELESS, "two": CARELESS}), tmp_path / "s.parquet"
    command(folder, "--store", store, home=tmp_path)
    git_repository(_made(folder / "three"), CAREFUL)
    (folder / "one" / "app.py").write_text(CAREFUL["app.py"], "utf-8")
    commit_all(folder / "one")
    said = command(folder, "--store", store, "--since-last", home=tmp_path).stderr
    assert "3 of 3 repositories are in the store, 1 unchanged" in said
    database = store / "fleet.sqlite3"
    found = {name: (scan["status"], scan["high"] + scan["critical"]) for name, scan in stored(database).items()}
    assert found == {"one": ("ok", 0), "two": ("unchanged", 1), "three": ("ok", 0)}
    assert (store / "findings.parquet").is_file()
    summary = command("report", store, home=tmp_path).stdout
    assert summary.startswith("**1 findings in 3 repositories, 0 new and 1 fixed since the last run**")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_what_is_missing_is_named_with_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    hidden = "import sys; sys.modules['distributed'] = None; sys.argv = ['backaudit', 'fleet', 'nothing']"
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}; from backaudit.cli import main; main()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "backaudit: error: a fleet needs more packages: pip install 'backaudit[fleet]'.\n"
