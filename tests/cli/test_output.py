"""Which report goes where, and files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from backaudit.output import Target, replace_files, targets, write_file
from backaudit.usage import UsageError


def told(formats: list[str], outputs: list[str]) -> list[tuple[str, str | None]]:
    return [(target.format, target.path.name if target.path else None) for target in targets(formats, outputs)]


def test_the_default_is_text_on_standard_output() -> None:
    assert targets([], []) == (Target("text"),)


def test_the_nth_output_is_the_nth_formats(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert told(["json", "sarif"], [one, two]) == [("json", "one"), ("sarif", "two")]
    assert told(["json", "text"], [one]) == [("json", "one"), ("text", None)]
    assert told(["text", "json"], ["-", one]) == [("text", None), ("json", "one")]


@pytest.mark.parametrize(
    ("ending", "format"), [("sarif", "sarif"), ("html", "html"), ("json", "json"), ("txt", "text"), ("HTML", "html")]
)
def test_a_lone_output_tells_its_format(tmp_path: Path, ending: str, format: str) -> None:
    assert told([], [str(tmp_path / f"x.{ending}")]) == [(format, f"x.{ending}")]


@pytest.mark.parametrize(
    ("formats", "outputs", "said"),
    [
        (["json", "sarif"], [], "Only one report can go to standard output"),
        (["json"], ["{}/a", "{}/b"], "more --output than --format"),
        ([], ["{}/report"], "tells no format"),
        (["json", "sarif"], ["{}/a", "{}/a"], "Two reports"),
        (["json", "sarif"], ["{}/a", "{}/./a"], "Two reports"),
        (["text", "sarif"], ["{}/a.sarif"], "the n-th --output belongs"),
        (["json"], ["{}"], "is a folder"),
        (["json"], ["{}/gone/a"], "its folder does not exist"),
    ],
)
def test_what_cannot_be_is_the_users_mistake(tmp_path: Path, formats: list[str], outputs: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        targets(formats, [output.format(tmp_path) for output in outputs])


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, "neü\n")
    assert path.read_bytes() == "neü\n".encode()
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.txt"]


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    write_file(tmp_path / "ours", "x")
    (tmp_path / "theirs").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


def test_when_writing_fails_the_old_file_is_whole_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_of_several_files_all_are_replaced_or_none(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "there" / "other"
    one.write_text("old")
    with pytest.raises(UsageError, match="other cannot be written"):
        replace_files([(one, b"new"), (other, b"new")])
    assert one.read_text() == "old"
    assert os.listdir(tmp_path) == ["one"]
    other.parent.mkdir()
    replace_files([(one, b"new"), (other, b"new")])
    assert (one.read_text(), other.read_text()) == ("new", "new")


@pytest.mark.skipif(os.name == "nt", reason="links and devices are POSIX's")
def test_a_link_is_followed_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    write_file(Path("/dev/null"), "x")
    assert not Path("/dev/null").is_file()


def test_half_a_surrogate_pair_does_not_end_the_run(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "x\udcff")
    assert (tmp_path / "a").read_text() == "x\\udcff"
