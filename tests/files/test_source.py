"""Bytes to text: encodings, kinds, limits, and files that will not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backaudit.facts.problem import Problem
from backaudit.source import Limits, Source, decode, kind_of, lines, read


def text_of(path: str, data: bytes) -> str:
    found = decode(path, data)
    assert isinstance(found, Source), found
    return found.text


def problem_of(path: str, data: bytes) -> Problem:
    found = decode(path, data)
    assert isinstance(found, Problem), found
    return found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app/main.py", "python"),
        (".env", "env"),
        ("deploy/.env.production", "env"),
        ("prod.env", "env"),
        ("web.env.dev", "env"),
        ("env.example", "env"),
        ("env", "env"),
        ("env.js", "other"),
        ("next-env.d.ts", "other"),
        ("Dockerfile", "dockerfile"),
        ("docker/Dockerfile.dev", "dockerfile"),
        ("docker-compose.yml", "compose"),
        ("compose.override.yaml", "compose"),
        ("docker-compose.prod.yml", "compose"),
        (".github/workflows/ci.yml", "workflow"),
        ("ci.yml", "yaml"),
        ("requirements-dev.txt", "requirements"),
        ("requirements/base.txt", "requirements"),
        ("notes.txt", "text"),
        ("README.md", "text"),
        ("templates/a.html", "template"),
        ("templates/a.j2", "template"),
        ("schema.sql", "sql"),
        ("pyproject.toml", "toml"),
        ("setup.cfg", "ini"),
        ("keys/server.pem", "key"),
        ("id_rsa", "key"),
        ("main.tf", "terraform"),
        ("a.ipynb", "notebook"),
        ("logo.png", "other"),
        ("Makefile", "other"),
    ],
)
def test_a_kind_is_told_from_the_name(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_lines_end_at_line_feeds_and_carriage_returns_only() -> None:
    assert lines("a\nb\r\nc\rd\x0be\x0cf\x85g\u2028h") == ["a", "b", "c", "d\x0be\x0cf\x85g\u2028h"]


def test_a_byte_order_mark_is_not_text() -> None:
    assert text_of("a.py", b"\xef\xbb\xbfx = 1\n") == "x = 1\n"
    assert text_of("a.yml", b"\xef\xbb\xbfx: 1\n") == "x: 1\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_32_are_read_by_their_mark(encoding: str) -> None:
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    assert text_of("a.py", (mark + "x = 'ß'\n").encode(encoding)) == "x = 'ß'\n"


def test_a_coding_line_is_followed_on_the_first_two_lines() -> None:
    assert text_of("a.py", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n") == "# -*- coding: latin-1 -*-\nx = 'é'\n"
    assert text_of("a.py", b"#!/usr/bin/python\r\n# vim: set fileencoding=cp1252 :\r\nx = '\x80'\r\n").endswith(
        "'€'\r\n"
    )


def test_a_coding_line_below_code_means_nothing() -> None:
    assert problem_of("a.py", b"x = 1\n# coding: latin-1\ny = '\xe9'\n").kind == "unreadable"
    assert problem_of("a.py", b"\n\n# coding: latin-1\ny = '\xe9'\n").kind == "unreadable"


def test_a_coding_line_is_pythons_alone() -> None:
    assert problem_of("a.yml", b"# coding: latin-1\nx: '\xe9'\n").kind == "unreadable"


@pytest.mark.parametrize("name", [b"no-such-codec", b"hex", b"rot13", b"zlib", b"undefined"])
def test_an_encoding_that_is_none_is_a_problem(name: bytes) -> None:
    assert problem_of("a.py", b"# coding: " + name + b"\nx = 1\n").kind == "unreadable"


def test_half_a_surrogate_pair_is_a_problem() -> None:
    assert problem_of("a.py", b"# coding: utf-7\nx = '+2AA-'\n").kind == "unreadable"


def test_bytes_that_are_not_utf_8_are_a_problem_that_quotes_nothing() -> None:
    problem = problem_of("a.py", b"password = '\xff\xfe'\n")
    assert (problem.path, problem.kind) == ("a.py", "unreadable")
    assert "UTF-8" in problem.message
    assert "password" not in problem.message


def test_read_gives_path_kind_and_a_digest_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "größe und so").mkdir()
    (tmp_path / "größe und so" / "a b.py").write_bytes(b"x = 1\r\n")
    (tmp_path / "b.py").write_bytes(b"x = 1\n")
    found, other = read(tmp_path, "größe und so/a b.py"), read(tmp_path, "b.py")
    assert isinstance(found, Source)
    assert isinstance(other, Source)
    assert (found.path, found.kind, found.text) == ("größe und so/a b.py", "python", "x = 1\r\n")
    assert len(found.digest) == 20
    assert found.digest != other.digest


def test_a_file_over_the_limit_is_listed_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.py").write_bytes(b"#" * 2_000_001)
    (tmp_path / "fits.py").write_bytes(b"#" * 2_000_000)
    problem = read(tmp_path, "big.py")
    assert problem == Problem("big.py", "too-large", "2,000,001 bytes, the limit is 2,000,000.")
    assert isinstance(read(tmp_path, "fits.py"), Source)
    assert isinstance(read(tmp_path, "big.py", Limits({"python": 3_000_000})), Source)


def test_limits_are_per_kind(tmp_path: Path) -> None:
    for name in ("a.sql", "a.yml"):
        (tmp_path / name).write_bytes(b"-" * 1_500_000)
    assert isinstance(read(tmp_path, "a.sql"), Source)
    assert isinstance(read(tmp_path, "a.yml"), Problem)


def test_a_file_that_went_away_is_a_problem(tmp_path: Path) -> None:
    problem = read(tmp_path, "gone.py")
    assert isinstance(problem, Problem)
    assert problem.kind == "unreadable"
    assert "went away" in problem.message


def test_a_folder_in_a_files_place_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.py").mkdir()
    assert isinstance(read(tmp_path, "a.py"), Problem)


def test_a_file_without_permission_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("backaudit.regular.os.open", refuse)
    problem = read(tmp_path, "a.py")
    assert isinstance(problem, Problem)
    assert problem.message == "The file cannot be read: Permission denied."


def test_a_file_that_changes_while_it_is_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    real = os.fstat

    def grow(handle: int) -> os.stat_result:
        found = real(handle)
        with path.open("a") as file:
            file.write("y = 2\n")
        return found

    monkeypatch.setattr("backaudit.source.os.fstat", grow)
    problem = read(tmp_path, "a.py")
    assert problem == Problem("a.py", "unreadable", "The file changed while it was read.")
