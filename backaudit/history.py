"""What earlier commits hold and the project no longer does: every version of every file, once.

Git lists the versions, oldest first, and streams their contents; the extractors read them a batch at a time from a
folder of their own, as they read the project. A version is only read closely where a line that could matter is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

import msgspec

from backaudit import git, gitindex
from backaudit.discover import Found, is_data, is_own_code
from backaudit.facts.files import FileFacts
from backaudit.facts.history import Commit, History, PastFile, PastSecret
from backaudit.facts.secrets import SecretHit
from backaudit.ignores import Ignores
from backaudit.masking import MASK
from backaudit.source import Limits, Source, decode, kind_of, lines
from backaudit.temporary import temporary_folder
from backaudit.usage import UsageError

OPTION = "--history"
# A batch is that many versions or characters, whichever comes first: all that is held in memory at a time.
BATCH_FILES = 500
# More than any project has: a few objects can stand for any number of versions.
MOST_VERSIONS = 4_000_000
BATCH_CHARACTERS = 24_000_000
# Larger versions are data: a file of these that changes often would cost more than all code together.
MAX_BYTES = 400_000
# Commits that nobody else can have (the stash, notes) are no history to speak of.
_REFS = ("--branches", "--tags", "--remotes", "HEAD")
_LOG = (
    *("log", *_REFS, "--date-order", "--reverse", "-c", "--raw", "--no-abbrev", "--no-renames", "--root", "-z"),
    *("--no-ext-diff", "--no-textconv", "--date=short", "--format=format:%x01%H%x00%an%x00%ad%x00"),
)

Progress = Callable[[int, int], None]


class _Version(msgspec.Struct, frozen=True, gc=False):
    """A file as a commit brought it; ``path`` is relative to the root."""

    commit: Commit
    path: str
    blob: str


class Reader:
    """Reads the history around ``root``. UsageError without git or a repository, or if git cannot read it."""

    def __init__(
        self,
        root: Path,
        *,
        limits: Limits,
        exclude: Sequence[str] = (),
        jobs: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self._repository = git.repository_for(root, OPTION)
        self._git = git.Git(self._repository)
        self._prefix = git.prefix_of(root, self._repository)
        self._limits = limits
        self._exclude = Ignores().within("", exclude)
        self._jobs = jobs
        self._progress = progress
        self._lines = _Lines()
        self._values: dict[bytes, int] = {}
        self._known: set[tuple[bytes, str]] = set()

    def stamp(self) -> str:
        """What the history is, as text that changes with it."""
        refs = self._git.run(["for-each-ref", "--format=%(objectname) %(refname)"])
        head = self._git.run(git.LAST_COMMIT, none=1)
        return hashlib.blake2b(refs + head, digest_size=20).hexdigest()

    def read(self, present: Collection[bytes]) -> History:
        """All that is new against the values of today's files, given as :func:`value_of` each."""
        versions = list(islice(self._versions(), MOST_VERSIONS))
        found: list[PastFile] = []
        unread = 0
        for batch in self._batches(versions):
            past, failed = self._extracted(batch, present)
            found += past
            unread += failed
        commits = len({version.commit.id for version in versions})
        return History(tuple(found), tuple(self._notes(len(versions), commits, unread)))

    def _notes(self, versions: int, commits: int, unread: int) -> Iterator[str]:
        yield f"History: {_count(versions, 'earlier version')} of files, of {_count(commits, 'commit')}."
        if versions == MOST_VERSIONS:
            yield "History: there are more versions than are read; the latest are missing."
        if unread:
            yield f"History: {_count(unread, 'version')} could not be analysed (syntax)."
        if (self._repository.common_dir / "shallow").exists():
            yield "History: the clone is shallow, so commits before its first are not here (git fetch --unshallow)."

    # -- which versions there were ---------------------------------------------------------------------------------

    def _versions(self) -> Iterator[_Version]:
        """Every version that is not a file of today, at the first commit that has it."""
        seen = {(entry.path, entry.blob) for entry in self._tracked()}
        authors: dict[str, str] = {}
        for commit, path, blob in _log(self._git):
            if (path, blob) in seen or not path.startswith(self._prefix):
                continue
            seen.add((path, blob))
            own = path[len(self._prefix) :]
            if self._is_read(own):
                author = authors.setdefault(commit.author, commit.author)
                yield _Version(msgspec.structs.replace(commit, author=author), own, blob)

    def _is_read(self, path: str) -> bool:
        is_text = kind_of(path) not in ("other", "store") and not is_data(path)
        return is_text and is_own_code(path) and not self._exclude.names(path)

    def _tracked(self) -> list[gitindex.Entry]:
        try:
            return gitindex.entries(self._repository)
        except gitindex.UnreadableIndex as error:
            raise UsageError(f"Git's index cannot be read: {error}.") from error

    # -- what they hold --------------------------------------------------------------------------------------------

    def _batches(self, versions: Sequence[_Version]) -> Iterator[list[tuple[_Version, Source]]]:
        """The versions that are to be read closely, with their text."""
        batch: list[tuple[_Version, Source]] = []
        size = 0
        with self._git.running(["cat-file", "--batch"]) as process:
            blobs = git.Blobs(process)
            for number, version in enumerate(versions):
                if self._progress is not None:
                    self._progress(number, len(versions))
                source = self._source(blobs, version)
                if source is not None:
                    batch.append((version, source))
                    size += len(source.text)
                if size > BATCH_CHARACTERS or len(batch) >= BATCH_FILES:
                    yield batch
                    batch, size = [], 0
        yield batch

    def _source(self, blobs: git.Blobs, version: _Version) -> Source | None:
        limit = min(MAX_BYTES, self._limits.of(kind_of(version.path)))
        data = blobs.read(version.blob, limit)
        source = decode(version.path, data) if data is not None and len(data) <= limit else None
        return self._lines.narrowed(source) if isinstance(source, Source) else None

    def _extracted(
        self, batch: Sequence[tuple[_Version, Source]], present: Collection[bytes]
    ) -> tuple[list[PastFile], int]:
        from backaudit.extract.pool import extract_all

        texts = {f"{number}/{version.path}": (version, source) for number, (version, source) in enumerate(batch)}
        with temporary_folder() as folder:
            root = Path(folder).resolve()
            for path, (_, source) in texts.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(source.text.encode("utf-8", "surrogatepass"))
            files = [Found(path, source.kind, True) for path, (_, source) in texts.items()]
            facts, problems = extract_all(root, files, jobs=self._jobs, limits=_UNLIMITED, wanted=())
        by_path = {file.path: file for file in facts}
        past = [self._past(*texts[path], by_path[path], present) for path in texts if path in by_path]
        return [file for file in past if file.secrets], len(problems)

    def _past(self, version: _Version, source: Source, facts: FileFacts, present: Collection[bytes]) -> PastFile:
        file = msgspec.structs.replace(facts, path=version.path)
        secrets = []
        for hit in facts.secrets:
            value = value_of(source.text, hit)
            if value not in present and (value, version.path) not in self._known:
                self._known.add((value, version.path))
                number = self._values.setdefault(value, len(self._values))
                secrets.append(PastSecret(hit, number, _masked_line(source.text, hit, facts.secrets)))
        return PastFile(version.commit, file, tuple(secrets))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_UNLIMITED = Limits({}, default=1 << 40)


def value_of(text: str, hit: SecretHit) -> bytes:
    """A digest of the value itself, for comparisons within a run: it is neither kept nor shown."""
    content = lines(text)
    return hashlib.blake2b("\n".join(_pieces(content, hit)).encode("utf-8", "replace"), digest_size=20).digest()


def _pieces(content: Sequence[str], hit: SecretHit) -> list[str]:
    return [content[part.line - 1][part.column : part.end_column] for part in hit.parts]


def _masked_line(text: str, hit: SecretHit, others: Iterable[SecretHit]) -> str:
    """The first line of a hit, with everything that was found on it masked wherever it stands."""
    content = lines(text)
    number = hit.span.line
    line = content[number - 1]
    found = {part for other in others for part in other.parts}
    parts = sorted(part for part in found if part.line == number)
    values = {line[part.column : part.end_column] for part in parts}
    for part in reversed(parts):
        line = line[: part.column] + MASK + line[part.end_column :]
    for value in sorted(values, key=len, reverse=True):
        line = line.replace(value, MASK) if len(value) >= 4 else line
    return line.strip()


class _Lines:
    """The lines that decide what is found, by path: a version without a new one holds nothing new."""

    def __init__(self) -> None:
        self._seen: dict[str, set[int]] = {}

    def narrowed(self, source: Source) -> Source | None:
        """The version without the functions that say nothing new; None if nothing in it does."""
        from backaudit.extract.secrets.prospect import emptied, telling

        seen = self._seen.setdefault(source.path, set())
        new = {line for line in telling(source.text, source.kind) if hash(line) not in seen}
        seen.update(map(hash, new))
        if not new:
            return None
        if source.kind != "python":
            return source
        text = emptied(source.text, lambda body: new.isdisjoint(line.strip() for line in body))
        return msgspec.structs.replace(source, text=text)


# -- what git says -----------------------------------------------------------------------------------------------------


def _log(asked: git.Git) -> Iterator[tuple[Commit, str, str]]:
    """(commit, path, blob) of every file that a commit added or changed, parents first."""
    if not asked.run(git.LAST_COMMIT, none=1):
        return
    with asked.running(_LOG) as process:
        commit = Commit("", "", "")
        fields = git.fields(process.stdout)
        for field in fields:
            field = field.lstrip(b"\n")
            if field.startswith(b"\x01"):
                commit = Commit(field[1:].decode(), _printable(next(fields, b"")), next(fields, b"").decode())
            elif field.startswith(b":"):
                # One colon for each parent; a mode for each parent and the result, and so with the blobs.
                parents = len(field) - len(field.lstrip(b":"))
                parts = field[parents:].split(b" ")
                mode, blob = parts[parents], parts[2 * parents + 1].decode()
                path = next(fields, b"")
                if mode.startswith(b"100") and blob.strip("0") and _is_nameable(path):
                    yield commit, path.decode(), blob
        if process.wait() != 0:
            raise UsageError(f"git log failed: the history cannot be read.{asked.hint}")


def _printable(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text).strip()[:60] or "unknown"


def _is_nameable(path: bytes) -> bool:
    try:
        parts = PurePosixPath(path.decode()).parts
    except UnicodeDecodeError:
        return False
    return not any(part in ("..", ".git", "/") or ":" in part or "\\" in part for part in parts)
