"""What ``make soak`` tries beside large projects: foreign code in bulk, mutated files by a seed, hostile trees."""

from __future__ import annotations

import hashlib
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from backaudit import asking, models, plugins
from backaudit.check import check
from backaudit.discover import Found
from backaudit.extract.pool import extract_all
from backaudit.plugins import Loaded
from backaudit.project import link
from backaudit.source import kind_of

ROOT = Path(__file__).resolve().parent.parent.parent
BATCH = 300
ODD = (
    b"\x00",
    b"\xff",
    b"\r",
    b"\r\n",
    b"\xef\xbb\xbf",
    "ü\u2028\U0001f600".encode(),
    b"\\",
    b"\\x",
    b"'''",
    b'"',
    b"{{",
    b"(",
)
HOSTILE = ("tests/test_isolation.py", "tests/files/test_git.py", "tests/test_robust.py")


def libraries() -> list[Path]:
    """The folders of this interpreter's library, those of its neighbours under pyenv, and of the installed packages."""
    own = Path(sys.base_prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    others = sorted(Path.home().glob(".pyenv/versions/3.*/lib/python3.*"))
    packages = [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    return [folder for folder in dict.fromkeys([own, *others, *packages]) if folder.is_dir()]


def bulk(folders: Iterable[Path], seed: int, count: int) -> bool:
    """Have all rules asked of ``count`` Python files of the folders, drawn by a seed; whether none was a crash.

    Of files that are the same in several interpreters one is drawn. With a ``count`` of 0 all are taken.
    """
    chance = random.Random(seed)
    files = distinct(folders)
    drawn = sorted(chance.sample(files, count)) if 0 < count < len(files) else files
    print(f"foreign code: {len(drawn)} of {len(files)} files, seed {seed}", flush=True)
    loaded = plugins.load(reraise=True)
    well = True
    for folder, group in itertools.groupby(drawn, key=lambda item: item[0]):
        paths = [path for _, path in group]
        started = time.monotonic()
        problems = [problem for batch in _batches(paths) for problem in scanned(folder, batch, loaded)]
        kinds = Counter(kind for _, kind in problems)
        print(
            f"  {folder}: {len(paths)} files in {time.monotonic() - started:.0f} s, {dict(sorted(kinds.items()))}",
            flush=True,
        )
        well &= _told(problems)
    return well


def distinct(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """The Python files of the folders, each content once."""
    found: dict[bytes, tuple[Path, str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if path.is_file():
                digest = hashlib.blake2b(path.read_bytes()).digest()
                found.setdefault(digest, (folder, path.relative_to(folder).as_posix()))
    return sorted(found.values())


def fuzz(seed: int, count: int) -> bool:
    """Mutate ``count`` files of the fixtures by a seed, and have all rules asked of them; whether none was a crash."""
    chance = random.Random(seed)
    loaded = plugins.load(reraise=True)
    sources = sorted(
        path for path in (ROOT / "fixtures").rglob("*") if path.is_file() and kind_of(path.name) != "other"
    )
    well = True
    for _ in range(0, count, BATCH):
        with tempfile.TemporaryDirectory(prefix="backaudit-fuzz-") as folder:
            names = []
            for number in range(BATCH):
                source = chance.choice(sources)
                names.append(f"m{number}/{source.name}")
                target = Path(folder, names[-1])
                target.parent.mkdir()
                target.write_bytes(mutated(source.read_bytes(), chance))
            well &= _told(scanned(Path(folder), names, loaded))
    print(f"mutations: {count} files, seed {seed}: {'no crash' if well else 'FAILED'}", flush=True)
    return well


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of the slips that editors, merges and broken disks make."""
    for _ in range(chance.randint(1, 6)):
        start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        end = min(end, start + 400)
        data = chance.choice(
            (
                data[:start] + data[end:],
                data[:start] + data[start:end] * 2 + data[end:],
                data[:start] + chance.choice(ODD) + data[start:],
                data[:start] + data[start:end][::-1] + data[end:],
                data[:start],
                data[:start] + b"(" * chance.choice((3, 60)) + data[start:],
                _swapped(data, chance),
            )
        )
    return data


def _swapped(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        one, other = (chance.randrange(len(lines)) for _ in range(2))
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def hostile() -> bool:
    """The trees that want to run, to leak or to hang, as the tests build them."""
    return subprocess.run([sys.executable, "-m", "pytest", "-q", *HOSTILE], cwd=ROOT, check=False).returncode == 0


def scanned(folder: Path, paths: Iterable[str], loaded: Loaded) -> list[tuple[str, str]]:
    """(what is said, kind) of the problems of extracting files and of asking all rules of them as one project."""
    known = models.load(loaded.tables)
    facts, problems = extract_all(folder, [Found(path, kind_of(path), True) for path in paths])
    linked = link(facts, known.knowledge, known)
    rules = [rule for rule in loaded.rules if "history" not in rule.needs]
    said = check(linked, rules, watch=lambda: asking.limited(linked)).problems
    return [(f"{problem.path} {problem.message}", problem.kind) for problem in (*problems, *said)]


def _batches(paths: list[str]) -> Iterator[list[str]]:
    yield from (paths[start : start + BATCH] for start in range(0, len(paths), BATCH))


def _told(problems: Iterable[tuple[str, str]]) -> bool:
    crashed = [path for path, kind in problems if kind == "crash"]
    for path in crashed:
        print(f"  CRASH {path}", flush=True)
    return not crashed
