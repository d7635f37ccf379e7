"""The expectation harness: fixtures that say, line by line, what a rule must report.

In a comment of the code under test, at the end of a line or alone above it::

    digest = hashlib.md5(password)  # want: weak-hash "part of the message"
    digest = hashlib.md5(file)      # ok: weak-hash
    digest = odd.hash(password)     # todo: weak-hash

``want``: the rule reports this line, with that text in its message. ``ok``: it does not, and that is the point of the
example. ``todo``: it should, and does not yet. Several names are separated by commas. A line that is reported without
a ``want`` fails.

Fixtures stand in a folder named like their rule, ``FAMILY/NAME`` (``-`` or ``_``). Each file in it is a project of its
own, each folder in it is one project.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.issue import Issue, Report
from backaudit.plugins import Loaded
from backaudit.rule import Rule
from backaudit.rulenames import RuleNames
from backaudit.source import Source, decode, lines
from backaudit.temporary import temporary_folder
from backaudit.usage import UsageError

Verdict = Literal["want", "ok", "todo"]

_COMMENT = re.compile(r"(?:#|--|<!--|\{#|//|;)\s*(want|ok|todo):\s*(.*?)\s*(?:#\}|-->)?\s*$")
_NEXT = re.compile(r"\s(?:#|--)\s*(?=(?:want|ok|todo):)")
_ITEM = re.compile(r'\s*([\w-]+(?:/[\w-]+)?)((?:\s+"[^"]*")*)\s*(?:,|$)')
_PASSED_OVER = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


class Expectation(msgspec.Struct, frozen=True):
    """One name in one comment. ``lines``: the comment's own, and the one below it where the comment stands alone."""

    path: str
    line: int
    lines: tuple[int, ...]
    verdict: Verdict
    name: str
    parts: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True, order=True):
    """What is not as it should be; ``path`` is relative to the folder given."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Outcome(msgspec.Struct, frozen=True):
    """The result of a set of fixtures: projects and expectations that there were, what failed, what was reported."""

    projects: int
    expectations: int
    failures: tuple[Failure, ...]
    issues: tuple[Issue, ...] = ()


class Fixture(msgspec.Struct, frozen=True):
    """One project under test: a file or a folder, and the rule of the folder that it stands in, if any."""

    path: Path
    rule: Rule | None


def run(path: Path, loaded: Loaded) -> Outcome:
    """Check all fixtures under ``path``; UsageError where there are none."""
    if not path.exists():
        raise UsageError(f"{path} does not exist.")
    if not path.is_dir() and not path.is_file():
        raise UsageError(f"{path} is neither a file nor a folder.")
    names = RuleNames(loaded.rules)
    fixtures = list(find(path, names))
    if not fixtures:
        raise UsageError(f"{path} holds no fixtures.")
    base = path if path.is_dir() else path.parent
    expectations, failures, issues = 0, list[Failure](), list[Issue]()
    for fixture in fixtures:
        count, failed, found = _run(fixture, loaded, names)
        prefix = _prefix(fixture, base)
        expectations += count
        failures += [msgspec.structs.replace(failure, path=prefix + failure.path) for failure in failed]
        issues += found
    return Outcome(len(fixtures), expectations, tuple(sorted(failures)), tuple(issues))


def find(path: Path, names: RuleNames) -> Iterator[Fixture]:
    """The fixtures under a path, in order: a rule's folder below it, or the path's own content."""
    path = path.absolute()
    rule = _rule_of(path.parent, names)
    if path.is_file() or rule is not None:
        yield Fixture(path, rule)
        return
    own = _rule_of(path, names)
    folders = (
        [] if own else [folder for folder in sorted(path.rglob("*")) if folder.is_dir() and _rule_of(folder, names)]
    )
    for folder in folders or [path]:
        for entry in sorted(folder.iterdir()):
            if entry.name not in _PASSED_OVER:
                yield Fixture(entry, _rule_of(folder, names))


def scan(files: Mapping[str, str | bytes], loaded: Loaded, rules: Iterable[Rule] | None = None) -> Report:
    """The report on a small project given as relative path -> content, everything shown that ``rules`` (or all) see."""
    with temporary_folder() as folder:
        root = Path(folder).resolve()
        for name, content in files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return _report(root, loaded, [rule.id for rule in rules] if rules is not None else [])


def expectations_of(path: str, text: str) -> list[Expectation]:
    """The expectations in a file's text; UsageError for a comment that cannot be read."""
    found: list[Expectation] = []
    for number, raw in enumerate(lines(text), 1):
        line = _unquoted(raw) if path.endswith(".ipynb") else raw
        first = _COMMENT.search(line)
        if not first:
            continue
        alone = not line[: first.start()].strip()
        for part in _NEXT.split(" " + line[first.start() :]):
            comment = _COMMENT.search(f"# {part}" if not _COMMENT.search(part) else part)
            if comment:
                found += _items(path, number, alone, comment)
    return found


def _unquoted(line: str) -> str:
    """A line of a notebook's file as it is in the cell: a string of JSON."""
    return line.strip().rstrip(",").strip('"').replace("\\n", "").replace('\\"', '"')


def _items(path: str, number: int, alone: bool, comment: re.Match[str]) -> Iterator[Expectation]:
    verdict: Verdict = comment.group(1)  # type: ignore[assignment]
    rest, at = comment.group(2), 0
    while at < len(rest):
        item = _ITEM.match(rest, at)
        if not item:
            raise UsageError(
                f'{path}:{number}: "{verdict}: {rest}" is not of the form `{verdict}: name ["part of the message"], …`.'
            )
        parts = tuple(re.findall(r'"([^"]*)"', item.group(2)))
        yield Expectation(path, number, (number, number + 1) if alone else (number,), verdict, item.group(1), parts)
        at = item.end()


def _rule_of(folder: Path, names: RuleNames) -> Rule | None:
    return names.one(f"{folder.parent.name}/{folder.name}".replace("_", "-"))


def _prefix(fixture: Fixture, base: Path) -> str:
    folder = fixture.path if fixture.path.is_dir() else fixture.path.parent
    relative = folder.relative_to(base.absolute()).as_posix()
    return "" if relative == "." else relative + "/"


def _run(fixture: Fixture, loaded: Loaded, names: RuleNames) -> tuple[int, list[Failure], tuple[Issue, ...]]:
    with temporary_folder() as folder:
        root = Path(folder).resolve()
        try:
            _copy(fixture.path, root)
        except OSError as error:
            raise UsageError(f"{fixture.path} cannot be read: {error.strerror or error}.") from error
        expected = _expected(root)
        rules = {fixture.rule.id} if fixture.rule else set[str]()
        failures = []
        for expectation in expected:
            rule = names.one(expectation.name)
            if rule is None:
                message = f'there is no rule "{expectation.name}".{names.suggestion(expectation.name)}'
                failures.append(Failure(expectation.path, expectation.line, message))
            else:
                rules.add(rule.id)
        if not rules:
            return len(expected), failures, ()
        known = [expectation for expectation in expected if names.one(expectation.name)]
        report = _report(root, loaded, sorted(rules))
        return len(expected), failures + _compare(known, report, names), report.issues


def _copy(path: Path, root: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, root, symlinks=True, dirs_exist_ok=True, ignore=_left_out)
    else:
        shutil.copy(path, root / path.name)


def _left_out(folder: str, names: list[str]) -> list[str]:
    """What is made by tools, and what is neither a file nor a folder: a pipe or a device would never be copied."""
    paths = {name: Path(folder, name) for name in names}
    special = [name for name, path in paths.items() if not (path.is_file() or path.is_dir() or path.is_symlink())]
    return [*_PASSED_OVER, *special]


def _expected(root: Path) -> list[Expectation]:
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        source = decode(path.relative_to(root).as_posix(), path.read_bytes())
        if isinstance(source, Source):
            found += expectations_of(source.path, source.text)
    return found


def _report(root: Path, loaded: Loaded, select: Sequence[str]) -> Report:
    config = Config(strict=True, select=tuple(select))
    request = Request(root=root, config=config, loaded=loaded, use_git=False, jobs=1, root_name="project", reraise=True)
    return Audit(request).report()


def _compare(expected: Sequence[Expectation], report: Report, names: RuleNames) -> list[Failure]:
    issues = [issue for issue in report.issues if issue.status == "new"]
    crashes = [problem for problem in report.problems if problem.kind == "crash"]
    failures = [Failure(problem.path, problem.line, problem.message) for problem in crashes]
    for expectation in expected:
        failures += _judge(expectation, [issue for issue in issues if _meets(issue, expectation, names)])
    wanted = [expectation for expectation in expected if expectation.verdict == "want"]
    unexpected = [issue for issue in issues if not any(_is_at(issue, expectation, names) for expectation in wanted)]
    for issue in unexpected:
        place = issue.finding.place
        failures.append(Failure(place.path, place.span.line, f"unexpected {issue.rule.id}: {issue.finding.message}"))
    return failures


def _judge(expectation: Expectation, met: Sequence[Issue]) -> Iterator[Failure]:
    if expectation.verdict == "want" and not met:
        said = "".join(f' saying "{part}"' for part in expectation.parts)
        yield Failure(
            expectation.path, expectation.line, f"{expectation.name} was wanted here{said}, and is not reported"
        )
    if expectation.verdict == "todo" and met:
        yield Failure(
            expectation.path, expectation.line, f"{expectation.name} is reported now: turn `todo` into `want`"
        )


def _is_at(issue: Issue, expectation: Expectation, names: RuleNames) -> bool:
    place = issue.finding.place
    return (
        names.one(expectation.name) is issue.rule
        and place.path == expectation.path
        and place.span.line in expectation.lines
    )


def _meets(issue: Issue, expectation: Expectation, names: RuleNames) -> bool:
    """Whether a finding says it here; a finding that is told once for many places says it at each of them."""
    told = _is_at(issue, expectation, names) or _lists(issue, expectation, names)
    return told and all(part in issue.finding.message for part in expectation.parts)


def _lists(issue: Issue, expectation: Expectation, names: RuleNames) -> bool:
    if names.one(expectation.name) is not issue.rule:
        return False
    return any(
        step.place.path == expectation.path and step.place.span.line in expectation.lines
        for step in issue.finding.related
    )
