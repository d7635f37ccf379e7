"""The parts of a fleet: which repositories, how they come here, what one may take, what is kept of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from backaudit import git
from backaudit.discover import discover
from backaudit.fleet import checkout, parquet, policy, sources
from backaudit.fleet.cache import shared
from backaudit.fleet.keeper import Keeper
from backaudit.fleet.progress import Progress
from backaudit.fleet.records import Job, Known, Limits, Outcome, Source, failed
from backaudit.fleet.run import Fleet, Plan, ordered
from backaudit.fleet.store import INTERRUPTED, Store
from backaudit.gitremote import Remote, _reason, bare, masked, without_credentials
from backaudit.report.fleet.records import FoundRecord
from backaudit.usage import UsageError
from tests.e2e.environments import commit_all, git_repository
from tests.fleet.repositories import CAREFUL, CARELESS, address, job, repositories, ssh

pytestmark = pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="git and POSIX are needed")


# -- sources -----------------------------------------------------------------------------------------------------------


def test_folders_lists_and_addresses_are_sources(tmp_path: Path) -> None:
    folder = repositories(tmp_path / "src", {"one": CAREFUL, "two": CAREFUL})
    (tmp_path / "plain").mkdir()
    (tmp_path / "policy.toml").write_text("strict = true\n", "utf-8")
    (tmp_path / "list.txt").write_text(
        "# ours\n"
        "src/two\n"
        "\n"
        "https://git.example.org/team/api.git\n"
        '{"url": "git@git.example.org:team/shop.git", "ref": "stable", "labels": {"team": "pay"}, "name": "shop",'
        ' "config": "policy.toml"}\n'
        '{"url": "src/one", "config": {"strict": true}}\n',
        "utf-8",
    )
    found = sources.read([str(tmp_path / "plain"), str(tmp_path / "list.txt")])
    assert [source.name for source in found] == ["plain", "two", "git.example.org/team/api", "shop", "one"]
    shop = found[3]
    assert (shop.url, shop.ref, shop.labels, shop.config) == (
        "git@git.example.org:team/shop.git",
        "stable",
        ("team=pay",),
        "strict = true\n",
    )
    assert policy.settings(found[4].config) == {"strict": True}
    assert [source.name for source in sources.read([str(folder)])] == ["one", "two"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ext::sh -c evil", "no folder, no URL"),
        ("nowhere", "no folder, no URL"),
        ("ftp://example.org/a", "is no URL that is fetched from"),
        ('{"url": "https://a:b@example.org/x", "nam": "x"}', "unknown field"),
        ('{"url": "https://example.org/x", "config": "../../etc/passwd"}', "cannot be read"),
    ],
)
def test_what_is_no_source_is_said_with_its_line(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"# first\n{line}\n", "utf-8")
    with pytest.raises(UsageError, match=said) as raised:
        sources.read([str(tmp_path / "list")])
    assert "list:2: " in str(raised.value)
    assert "a:b@" not in str(raised.value)


def test_two_repositories_of_one_name_are_refused(tmp_path: Path) -> None:
    for side in ("left", "right"):
        repositories(tmp_path / side, {"app": CAREFUL})
    with pytest.raises(UsageError, match='called "app"'):
        sources.read([str(tmp_path / "left"), str(tmp_path / "right")])
    assert len(sources.read([str(tmp_path / "left"), str(tmp_path / "left" / "app")])) == 1


# -- credentials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@example.org/a.git", "https://example.org/a.git"),
        ("https://ghp_secret@example.org/a", "https://example.org/a"),
        ("https://example.org/a?private_token=secret", "https://example.org/a"),
        ("ssh://git@example.org/a", "ssh://git@example.org/a"),
        ("ssh://me:secret@example.org/a", "ssh://example.org/a"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("/srv/a", "/srv/a"),
    ],
)
def test_credentials_are_no_part_of_what_is_shown(url: str, shown: str) -> None:
    assert without_credentials(url)[0] == shown
    assert Remote(url).shown == shown
    assert "secret" not in masked(f"fatal: unable to access '{url}': no")


def test_credentials_reach_git_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s " "$@" > "$TOLD"; env > "$TOLD.env"; echo "fatal: $*" >&2; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    with pytest.raises(UsageError) as raised:
        Remote("https://me:secret@example.org/a.git").resolved("main")
    assert "secret" not in str(raised.value)
    assert "secret" not in (tmp_path / "told").read_text()
    assert "url.https://me:secret@example.org/a.git.insteadOf" in (tmp_path / "told.env").read_text()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("remote: fatal: unable to read c212        .\nerror: git upload-pack died", "unable to read c212."),
        ("warning: slow\nfatal: repository '/x' does not exist", "repository '/x' does not exist."),
        ("", "it says nothing."),
    ],
)
def test_the_reason_of_git_is_told_without_its_marks(said: str, reason: str) -> None:
    assert _reason(said.splitlines()) == reason


# -- checkout ----------------------------------------------------------------------------------------------------------


def test_a_private_work_tree_is_seen_as_a_clone_is(tmp_path: Path) -> None:
    files = {
        "app/main.py": "x = 1\n",
        "a:b.txt": "odd\n",
        ".env": "KEY=1\n",
        "data.bin": "0" * 5_000,
        ".gitignore": "*.log\n",
    }
    source = git_repository(_made(tmp_path / "source"), files)
    (source / "link.py").symlink_to("app/main.py")
    (source / "out").symlink_to("/etc")
    (source / "kept.log").write_text("tracked although ignored\n")
    commit_all(source)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(source), str(clone)], check=True)
    tree = _laid_out(source, tmp_path / "tree")
    assert discover(tree) == discover(clone)
    assert (tree / "app/main.py").read_text() == "x = 1\n"
    assert (tree / "data.bin").stat().st_size == 5_000


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _laid_out(source: Path, tree: Path) -> Path:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True)
    tree.mkdir()
    problems = checkout.lay_out(git.Git(bare(source / ".git")), commit.stdout.strip(), tree, 100)
    assert problems == []
    return tree


def _tree_of(repository: Path, entries: list[tuple[str, str, str]]) -> str:
    """A commit whose tree git itself would not make: (mode, name, contents), in their order."""

    def written(kind: str, data: bytes) -> str:
        command = ["git", "hash-object", "-w", "--stdin", "--literally", "-t", kind]
        return (
            subprocess.run(command, cwd=repository, input=data, check=True, capture_output=True).stdout.decode().strip()
        )

    def entry(mode: str, name: str, contents: str) -> bytes:
        id = contents if mode == "40000" else written("blob", contents.encode())
        return f"{mode} {name}\0".encode() + bytes.fromhex(id)

    tree = written("tree", b"".join(entry(*one) for one in entries))
    identity = "t <t@example.org> 1700000000 +0000"
    return written("commit", f"tree {tree}\nauthor {identity}\ncommitter {identity}\n\nm\n".encode())


def test_nothing_is_written_through_a_link_of_a_hostile_tree(tmp_path: Path) -> None:
    outside = _made(tmp_path / "outside")
    repository = git_repository(_made(tmp_path / "source"), {"a.py": "x = 1\n"})
    inner = _tree_of(repository, [("100644", "evil.py", "x = 2\n")])
    tree = subprocess.run(
        ["git", "rev-parse", f"{inner}^{{tree}}"], cwd=repository, check=True, capture_output=True, text=True
    )
    commit = _tree_of(repository, [("120000", "d", str(outside)), ("40000", "d", tree.stdout.strip())])
    target = _made(tmp_path / "tree")
    problems = checkout.lay_out(git.Git(bare(repository / ".git")), commit, target, 100)
    assert [(problem.path, problem.kind) for problem in problems] == [("d", "left-out")]
    assert list(outside.iterdir()) == []
    assert (target / "d" / "evil.py").read_text() == "x = 2\n"


@pytest.mark.parametrize("name", [".git", ".GIT", ".."])
def test_names_of_gits_own_are_not_written(name: str, tmp_path: Path) -> None:
    repository = git_repository(_made(tmp_path / "source"), {"a.py": "x = 1\n"})
    inner = _tree_of(repository, [("100644", "config", "[core]\n")])
    tree = subprocess.run(
        ["git", "rev-parse", f"{inner}^{{tree}}"], cwd=repository, check=True, capture_output=True, text=True
    )
    commit = _tree_of(repository, [("40000", name, tree.stdout.strip())])
    target = _made(tmp_path / "tree")
    with pytest.raises(UsageError):
        checkout.lay_out(git.Git(bare(repository / ".git")), commit, target, 100)
    assert list(tmp_path.glob("config")) == []
    assert not (target / name / "config").is_file()


def test_a_tree_that_is_too_large_is_refused_before_it_is_written(tmp_path: Path) -> None:
    repository = git_repository(
        _made(tmp_path / "source"), {f"f{n}.py": f"# {n}\n" + "x = 1\n" * 100_000 for n in range(3)}
    )
    target = _made(tmp_path / "tree")
    with pytest.raises(checkout.TooLarge, match="more than the 1 MB allowed"):
        checkout.lay_out(git.Git(bare(repository / ".git")), "HEAD", target, 1)
    assert list(target.iterdir()) == []


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture
def scan(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Scan one repository as a worker does."""
    monkeypatch.setenv("BACKAUDIT_CACHE_DIR", str(tmp_path / "cache"))

    def scanned(url: str | Path, **more: object) -> Outcome:
        given = {name: more.pop(name) for name in ("ref", "config") if name in more}
        source = Source(name="one", url=str(url), **given)  # type: ignore[arg-type]
        return keeper.scan(job(source, tmp_path / "clones", **more))

    return scanned


def test_a_repository_that_hangs_is_ended(
    scan: Callable[..., Outcome], keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = git_repository(_made(tmp_path / "far"), CARELESS)
    _, env = ssh(tmp_path, "sleep 300")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    keeper.close()  # the next one has this environment
    found = scan(address(source), limits=Limits(seconds=1))
    assert (found.status, found.reason) == ("failed", "It took longer than 1 seconds and was ended.")
    assert not found.passing
    assert scan(address(source)).status == "ok"


def test_a_repository_that_eats_memory_is_ended(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    large = "".join(f"def f{n}(a, b):\n    c = a + b * {n}\n    return [c, a, b, f{n}]\n\n\n" for n in range(24_000))
    found = scan(git_repository(_made(tmp_path / "large"), {"app.py": large}), limits=Limits(megabytes=300))
    assert (found.status, found.reason) == ("failed", "It took more than 300 MB of memory and was ended.")
    small = git_repository(_made(tmp_path / "small"), CARELESS)
    assert scan(small, limits=Limits(megabytes=300)).status == "ok"


def test_what_is_broken_is_told_and_what_has_no_python_is_not(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    broken = git_repository(_made(tmp_path / "broken"), CARELESS)
    for file in (broken / ".git" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(b"broken")
    found = scan(broken)
    assert (found.status, found.passing) == ("failed", True)
    assert "git fetch failed" in found.reason or "git ls-remote failed" in found.reason
    words = scan(git_repository(_made(tmp_path / "words"), {"README.md": "# Words\n"}))
    assert (words.status, words.findings) == ("ok", ())
    gone = scan(tmp_path / "words", ref="nowhere")
    assert (gone.status, gone.passing) == ("failed", False)
    assert gone.reason.endswith("has no branch or tag nowhere.")


def test_a_branch_a_tag_and_a_commit_are_scanned(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    source = git_repository(_made(tmp_path / "one"), CARELESS)
    subprocess.run(["git", "tag", "v1"], cwd=source, check=True)
    first = subprocess.run(["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True)
    (source / "app.py").write_text(CAREFUL["app.py"])
    commit_all(source)
    counts = {ref: len(scan(source, ref=ref).findings) for ref in ("", "main", "v1", first.stdout.strip())}
    assert counts == {"": 0, "main": 0, "v1": 1, first.stdout.strip(): 1}


def test_a_worker_with_another_tool_refuses(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    found = scan(git_repository(_made(tmp_path / "one"), CAREFUL), stamp="another")
    assert "another version of backaudit" in found.reason
    assert found.stranger


def test_what_is_known_is_not_scanned_again(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    source = git_repository(_made(tmp_path / "one"), CARELESS)
    first = scan(source)
    known = Known(first.key, first.commit)
    assert scan(source, known=known).status == "unchanged"
    assert scan(source, known=known, strict=True).status == "ok"
    assert scan(source, known=known, policy="strict = true\n").status == "ok"
    (source / "app.py").write_text(CAREFUL["app.py"])
    commit_all(source)
    assert scan(source, known=known).status == "ok"


# -- policy, suppressions, baseline ------------------------------------------------------------------------------------


def test_comments_and_baselines_hold_and_a_policy_is_not_weakened(scan: Callable[..., Outcome], tmp_path: Path) -> None:
    weak = {**CARELESS, "backaudit.toml": 'ignore = ["passwords"]\n', "in/backaudit.toml": 'exclude = ["*"]\n'}
    weak["in/app.py"] = CARELESS["app.py"]
    source = git_repository(_made(tmp_path / "weak"), weak)
    assert [len(scan(source).findings), len(scan(source, policy="strict = false\n").findings)] == [0, 2]
    allowed = scan(source, policy='[policy]\nallow = ["ignore"]\n')
    assert len(allowed.findings) == 0
    refused = scan(source, policy="strict = false\n")
    assert "backaudit.toml: ignore has no effect under the policy." in refused.notes
    assert "in/backaudit.toml: exclude has no effect under the policy." in refused.notes
    said = CARELESS["app.py"].replace("hexdigest()\n", "hexdigest()  # backaudit: ignore[weak-hash] a test\n")
    commented = scan(git_repository(_made(tmp_path / "commented"), {"app.py": said}), policy="strict = false\n")
    assert (len(commented.findings), commented.accepted) == (0, 1)


def test_a_baseline_of_the_repository_holds_and_no_other_file_is_one(
    scan: Callable[..., Outcome], tmp_path: Path
) -> None:
    files = {**CARELESS, "backaudit.toml": 'baseline = "accepted.jsonl"\n'}
    source = git_repository(_made(tmp_path / "one"), {**files, "accepted.jsonl": ""})
    (known,) = scan(source).findings
    entry = {"path": known.path, "rule": known.rule, "fingerprint": known.fingerprint, "reason": "a test"}
    (source / "accepted.jsonl").write_text(json.dumps(entry) + "\n")
    commit_all(source)
    found = scan(source, policy="strict = false\n")
    assert (found.reason, len(found.findings), found.accepted) == ("", 0, 1)
    (tmp_path / "outside.jsonl").write_text(json.dumps(entry) + "\n")
    (source / "backaudit.toml").write_text(f'baseline = "{tmp_path}/outside.jsonl"\n')
    commit_all(source)
    assert "outside.jsonl lies outside of the project" in scan(source).reason
    (source / "backaudit.toml").write_text('baseline = "app.py"\n')
    commit_all(source)
    assert scan(source).reason.startswith("The baseline one/app.py is broken in line 1: ")


def test_a_configuration_of_the_list_takes_the_place_of_the_repositorys_own(
    scan: Callable[..., Outcome], tmp_path: Path
) -> None:
    source = git_repository(_made(tmp_path / "one"), {**CARELESS, "backaudit.toml": 'ignore = ["passwords"]\n'})
    assert len(scan(source, config='{"strict": false}').findings) == 1
    assert scan(source, config="strict = 1\n").reason == "the list: strict must be true or false."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strict = 1\n", "the policy: strict must be true or false"),
        ('[policy]\nallow = ["ignor"]\n', 'Did you mean "ignore"'),
        ("[policy]\nallowed = []\n", 'unknown setting "policy.allowed"'),
        ("= 1", "not valid TOML"),
    ],
)
def test_a_wrong_policy_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        policy.read(text)


# -- facts that are shared ---------------------------------------------------------------------------------------------


def test_facts_are_shared_by_folder_and_by_url(tmp_path: Path) -> None:
    for number, url in enumerate((str(tmp_path / "folder"), f"file://{tmp_path}/files", "memory://facts")):
        with shared(tmp_path / f"one-{number}", url) as one:
            one.put(b"key", b"value")
        with shared(tmp_path / f"two-{number}", url) as two:
            assert two.get_many([b"key", b"other"]) == {b"key": b"value"}
    for file in (tmp_path / "folder").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    with shared(tmp_path / "three", str(tmp_path / "folder")) as three:
        assert three.get(b"key") is None


def test_the_same_code_has_the_same_stamp_wherever_it_is_installed(tmp_path: Path) -> None:
    told = """
import os, sys
from backaudit import stamp
folders = sys.argv[1:]
print(len({stamp.folder_stamp(folder) for folder in folders}))
stamp.know_by_contents()
print(len({stamp.folder_stamp(folder) for folder in folders}))
os.truncate(folders[0] + "/in/b.py", 0)
stamp.folder_stamp.cache_clear()
print(len({stamp.folder_stamp(folder) for folder in folders}))
"""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        (folder / "in").mkdir(parents=True)
        (folder / "a.py").write_text("x = 1\n")
        (folder / "in" / "b.py").write_text("y = 2\n")
    command = [sys.executable, "-c", told, *map(str, folders)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["2", "1", "2"]


# -- the store ---------------------------------------------------------------------------------------------------------


def finding(fingerprint: str, severity: str = "high") -> FoundRecord:
    return FoundRecord(
        fingerprint=fingerprint, rule="passwords/weak-hash", family="passwords", severity=severity, confidence="high",
        path="app.py", line=1, column=1, scope="f", message="m", remedy="r",
    )  # fmt: skip


def ran(store: Store, *fingerprints: str, status: str = "ok") -> int:
    """A run over one repository that has such findings."""
    run = store.begin("0.1.0", "stamp", "", 1, "2026-01-01T00:00:00+00:00")
    found = tuple(finding(one) for one in fingerprints)
    outcome = Outcome(status=status, commit="c", key="k", findings=found)  # type: ignore[arg-type]
    store.put(run.id, Source(name="one", url="https://me:secret@example.org/one"), outcome, 1, "now")
    store.end(run.id, "done", "now")
    return run.id


def seen(store: Store) -> dict[str, tuple[int, int, int | None]]:
    return {
        row["fingerprint"]: (row["first_run"], row["last_run"], row["fixed_run"])
        for row in store.rows("SELECT * FROM findings")
    }


def test_the_store_knows_when_a_finding_came_and_went(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3", writing=True) as store:
        ran(store, "a", "b")
        ran(store, "a", "c")
        ran(store, status="unchanged")
        assert seen(store) == {"a": (1, 3, None), "b": (1, 1, 2), "c": (2, 3, None)}
        ran(store, "b", "c")
        assert seen(store) == {"a": (1, 3, 4), "b": (4, 4, None), "c": (2, 4, None)}
        run = store.begin("0.1.0", "stamp", "", 1, "now").id
        store.put(run, Source(name="one", url="/one"), failed("https://me:secret@example.org/ is gone"), 3, "now")
        assert seen(store)["b"] == (4, 4, None)  # a failure says nothing of what is there
    assert b"secret" not in (tmp_path / "s.sqlite3").read_bytes()


def test_a_run_that_was_not_finished_is_gone_on_with(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3", writing=True) as store:
        first = store.begin("0.1.0", "stamp", "", 2, "now")
        store.put(first.id, Source(name="one", url="/one"), Outcome(status="ok", key="k", commit="c"), 1, "now")
        store.end(first.id, INTERRUPTED, "now")
        again = store.begin("0.1.0", "stamp", "", 2, "now")
        assert (again.id, again.resumed, store.known(again, since_last=False)) == (1, True, {"one": Known("k", "c")})
        other = store.begin("0.1.0", "other rules", "", 2, "now")
        assert (other.id, other.resumed, store.known(other, since_last=False)) == (2, False, {})
        assert store.known(other, since_last=True) == {"one": Known("k", "c")}


def test_one_writes_to_a_store_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3", writing=True), pytest.raises(UsageError, match="Another run is writing"):
        Store(tmp_path / "s.sqlite3", writing=True)
    with pytest.raises(UsageError, match="no such file"):
        Store(tmp_path / "none.sqlite3")
    (tmp_path / "words").write_text("no database at all, but long enough to be read as one" * 40)
    with pytest.raises(UsageError, match="no store of a fleet"):
        Store(tmp_path / "words", writing=True)


# -- a run -------------------------------------------------------------------------------------------------------------


class Scripted:
    """Workers that answer what is said, at once."""

    places = 1

    def __init__(self, **answers: list[Outcome]) -> None:
        self._answers = answers
        self._waiting: list[str] = []
        self.asked: list[str] = []

    def submit(self, name: str, job: bytes) -> None:
        assert msgspec.msgpack.decode(job, type=Job).source.name == name
        self._waiting.append(name)
        self.asked.append(name)

    def next(self, seconds: float) -> tuple[str, Outcome] | None:
        name = self._waiting.pop(0)
        return name, self._answers[name].pop(0)


def fleet(store: Store, tmp_path: Path, *names: str, stream: StringIO | None = None) -> Fleet:
    several = tuple(Source(name=name, url=f"/{name}", size=len(name)) for name in names)
    given = Plan(sources=several, job=job(Source(name="", url=""), tmp_path), tool="0.1.0")
    return Fleet(given, store, lambda: "now", Progress(stream or StringIO()))


def test_what_may_pass_is_tried_three_times_and_what_will_not_once(tmp_path: Path) -> None:
    passing, lasting, sound = failed("the network", passing=True), failed("too large"), Outcome(status="ok")
    workers = Scripted(long_one=[passing, passing, sound], lost=[passing] * 3, no=[lasting])
    stream = StringIO()
    with Store(tmp_path / "s.sqlite3", writing=True) as store:
        run = fleet(store, tmp_path, "no", "lost", "long_one", stream=stream)
        run.run(workers)
        rows = store.rows("SELECT name, status, reason, attempts FROM scans JOIN repositories ON id = repository")
    assert workers.asked[:3] == ["long_one", "lost", "no"]  # the largest first
    assert {row["name"]: (row["status"], row["attempts"]) for row in rows} == {
        "long_one": ("ok", 3),
        "lost": ("failed", 3),
        "no": ("failed", 1),
    }
    assert run.said() == "3 of 3 repositories are in the store, 2 failed"
    assert "lost: the network" in stream.getvalue()


def test_a_worker_of_another_version_ends_the_run_before_it_fails_at_all_of_it(tmp_path: Path) -> None:
    stranger = Outcome(status="failed", reason="another version", stranger=True, worker="w7")
    workers = Scripted(first=[Outcome(status="ok")], b=[stranger], c=[])
    with Store(tmp_path / "s.sqlite3", writing=True) as store:
        with pytest.raises(UsageError, match="the worker w7 cannot take part: another version"):
            fleet(store, tmp_path, "first", "b", "c").run(workers)
        rows = store.rows("SELECT runs.status, count(*) AS scans FROM runs JOIN scans ON run = runs.id")
    assert rows == [{"status": "interrupted", "scans": 1}]


def test_repositories_are_ordered_by_what_they_took_and_by_their_size() -> None:
    several = [Source(name=name, url="/", size=size) for name, size in (("a", 10), ("b", 0), ("c", 1_000), ("d", 0))]
    # What is unknown is taken for the middle, as long as d is; c has a hundred times the bytes of a.
    assert [source.name for source in ordered(several, {"a": 1.0, "d": 50.0})] == ["c", "b", "d", "a"]
    assert [source.name for source in ordered(several[1:2], {})] == ["b"]


def test_progress_tells_counts_rate_rest_and_the_slowest() -> None:
    now = [0.0]
    shown = Progress(StringIO(), clock=lambda: now[0])
    shown.begin(100, resumed=False)
    shown.started("slow")
    now[0] = 60.0
    for number in range(20):
        shown.done(f"r{number}", Outcome(status="ok", findings=(finding("a"),)))
    shown.done("bad", failed("no"))
    expected = "21/100, 1 failed, 20 findings, 21 a minute, 4 min left, slowest now: slow (60 s)"
    assert shown.line() == expected


# -- Parquet -----------------------------------------------------------------------------------------------------------


def test_the_tables_are_parquet_too(tmp_path: Path) -> None:
    folder = tmp_path / "s.parquet"
    with Store(folder, writing=True) as store:
        ran(store, "a", "b")
        ran(store, "b")
        parquet.write(store)
        parquet.write(store)  # in place of what was there
        expected = {table: store.rows(f"SELECT * FROM {table}") for table in parquet.TABLES}
    found = {table: pq.read_table(folder / f"{table}.parquet").to_pylist() for table in parquet.TABLES}
    assert found == expected
    assert {row["fingerprint"]: row["fixed_run"] for row in found["findings"]} == {"a": 2, "b": None}
    assert sorted(file.name for file in folder.iterdir() if "sqlite3" not in file.name) == sorted(
        f"{table}.parquet" for table in parquet.TABLES
    )
