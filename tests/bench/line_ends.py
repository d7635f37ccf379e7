"""All fixtures with other line ends and in other encodings: the findings are the same (``make soak``)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from backaudit import plugins
from backaudit.plugins import Loaded
from backaudit.testing import scan

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
FAMILIES = ("auth", "deploy", "errors", "flow", "indexes", "passwords", "secrets", "validation")
# A shell takes a carriage return for a part of the word before it: such a script is another program.
_AS_THEY_ARE = (".sh",)
# YAML may be so by its own rules, and tools of Windows write SQL scripts so.
_WIDE = (".yml", ".yaml", ".sql")
Files = dict[str, bytes]


def windows(content: bytes) -> bytes:
    """CR LF."""
    return content.replace(b"\n", b"\r\n")


def returns(content: bytes) -> bytes:
    """CR alone."""
    return content.replace(b"\n", b"\r")


def marked(content: bytes) -> bytes:
    """A byte order mark in front."""
    return b"\xef\xbb\xbf" + content


def wide(content: bytes) -> bytes:
    """UTF-16."""
    return content.decode().encode("utf-16")


VARIANTS: tuple[tuple[Callable[[bytes], bytes], tuple[str, ...]], ...] = (
    (windows, ("",)),
    (marked, ("",)),
    (returns, (".py",)),
    (wide, _WIDE),
)


def programs(folder: Path) -> Iterator[tuple[str, Files]]:
    """The fixtures of a rule, each as its files, with line feeds alone."""
    for entry in sorted(folder.iterdir()):
        paths = [entry] if entry.is_file() else [path for path in sorted(entry.rglob("*")) if path.is_file()]
        root = folder if entry.is_file() else entry
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.suffix != ".pyc"}
        kept = {name: text.replace(b"\r\n", b"\n") for name, text in files.items() if not name.endswith(_AS_THEY_ARE)}
        if kept:
            yield entry.name, kept


def found_in(files: Files, loaded: Loaded) -> set[tuple[str, int, str]]:
    """Place and rule of all that is found."""
    issues = [issue for issue in scan(files, loaded).issues if issue.status == "new"]
    return {(issue.finding.place.path, issue.finding.place.span.line, issue.rule.id) for issue in issues}


def differences(files: Files, loaded: Loaded) -> Iterator[tuple[str, set[tuple[str, int, str]]]]:
    """For each variant that a program may have: what is found in one of the two alone."""
    expected = found_in(files, loaded)
    for change, endings in VARIANTS:
        changed = {name: change(text) if name.endswith(endings) else text for name, text in files.items()}
        if changed != files:
            yield change.__name__, found_in(changed, loaded) ^ expected


def main() -> int:
    """Compares all; exits with 1 where something differs."""
    loaded = plugins.load(reraise=True)
    folders = [folder for family in FAMILIES for folder in sorted((FIXTURES / family).iterdir()) if folder.is_dir()]
    count = wrong = 0
    for folder in folders:
        for name, files in programs(folder):
            for variant, difference in differences(files, loaded):
                count += 1
                wrong += bool(difference)
                if difference:
                    print(f"{folder.parent.name}/{folder.name}/{name} {variant}: {sorted(difference)}", flush=True)
    print(f"{count} variants compared, {wrong} differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
