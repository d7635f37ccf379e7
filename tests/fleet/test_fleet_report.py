"""What is shown of a fleet's store: as a page, a summary, a table, and a file for each repository."""

from __future__ import annotations

import csv
import os
import re
import zlib
from io import StringIO
from pathlib import Path

import pytest

from backaudit.cli import FLEET_FORMATS
from backaudit.fleet import exporting
from backaudit.fleet.records import Source
from backaudit.fleet.scanning import FORMATS as KEPT
from backaudit.fleet.store import Store
from backaudit.fleet.summary import summary
from backaudit.report.fleet import FORMATS, renderer
from backaudit.report.fleet.html import MOST_FINDINGS, MOST_LISTED
from backaudit.report.fleet.records import Summary
from backaudit.usage import UsageError
from tests.fleet.samples import PAY, finding, hostile, ok, two_runs, written

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a fleet needs POSIX")


def told(path: Path) -> Summary:
    with Store(path) as store:
        return summary(store)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(renderer("csv")(told(path)))))


def test_new_and_fixed_are_those_of_the_last_run(tmp_path: Path) -> None:
    found = told(two_runs(tmp_path / "s"))
    assert [entry.rule for entry in found.new] == ["secrets/key"]
    assert [entry.rule for entry in found.fixed] == ["validation/raw-body"]
    assert {one.name: (one.total, one.before, one.status) for one in found.repositories} == {
        "pay": (2, 2, "ok"),
        "shop": (1, 1, "ok"),
        "tools": (0, None, "failed"),
    }
    assert [point.total for point in found.points] == [3, 3]


def test_what_is_scanned_first_is_not_new(tmp_path: Path) -> None:
    found = told(
        written(
            tmp_path / "s", {PAY: ok()}, {PAY: ok(), Source(name="late", url="/srv/late"): ok(finding("weak-hash"))}
        )
    )
    assert (found.new, found.first, len(found.findings)) == ((), 1, 1)


def test_the_table_tells_each_finding_with_its_state(tmp_path: Path) -> None:
    found = [
        (row["repository"], row["rule"], row["state"], row["first_seen"], row["fixed"])
        for row in rows(two_runs(tmp_path / "s"))
    ]
    assert found == [
        ("pay", "secrets/key", "new", "2026-01-02", ""),
        ("pay", "passwords/weak-hash", "open", "2026-01-01", ""),
        ("pay", "validation/raw-body", "fixed", "2026-01-01", "2026-01-02"),
        ("shop", "indexes/no-index", "open", "2026-01-01", ""),
    ]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    found = rows(hostile(tmp_path / "s"))
    assert len(found) == 2
    assert [cell for row in found for cell in row.values() if cell.startswith(("=", "+", "-", "@"))] == []


def test_the_summary_is_short_and_calls_nobody(tmp_path: Path) -> None:
    text = renderer("markdown")(told(two_runs(tmp_path / "s")))
    assert text.startswith("**3 findings in 3 repositories, 1 new and 1 fixed since the last run, 1 not scanned**\n")
    assert "| Secrets | 1 | 1 | 1 | 0 |" in text
    assert "- critical secrets/key in pay app/key.py\\:3: The \\`key\\` is wrong." in text
    evil = renderer("markdown")(told(hostile(tmp_path / "h")))
    assert re.search(r"(?<!\\)<", evil) is None
    assert "\x1b" not in evil
    assert "\u202e" not in evil


def test_the_page_is_deterministic_and_holds_no_credentials(tmp_path: Path) -> None:
    path = two_runs(tmp_path / "s")
    page = renderer("html")(told(path))
    assert page == renderer("html")(told(path))
    assert "secret@" not in page
    assert f'href="https://github.com/team/pay/blob/{"a" * 40}/app/key.py#L3"' in page
    assert "git fetch failed: no." in page


def test_nothing_hostile_is_markup_of_the_page(tmp_path: Path) -> None:
    page = renderer("html")(told(hostile(tmp_path / "s")))
    assert page.count("<script") == 1
    assert "<img" not in page
    assert 'onload="x' not in page
    assert 'href="javascript:' not in page
    assert "\u202e" not in page


def test_a_page_of_very_much_says_what_it_leaves_out(tmp_path: Path) -> None:
    many = [finding(f"f{n}", fingerprint=str(n)) for n in range(MOST_LISTED + 5)]
    page = renderer("html")(told(written(tmp_path / "s", {PAY: ok()}, {PAY: ok(*many)})))
    assert "And 5 more: see the CSV." in page
    assert f"And {len(many) - MOST_FINDINGS} more: see the CSV or the SARIF" in page


@pytest.mark.parametrize("format", ["sarif", "json"])
def test_each_repositorys_report_is_a_file(format: str, tmp_path: Path) -> None:
    reports = {"sarif": zlib.compress(b"the sarif"), "json": zlib.compress(b"the json")}
    sources = [Source(name=name, url=f"/srv/{n}") for n, name in enumerate(("host/team/api", "host-team-api", "../up"))]
    path = written(tmp_path / "s", {source: ok(reports=reports) for source in sources})
    with Store(path) as store:
        (target,) = exporting.targets([format], [str(tmp_path / "out")])
        assert exporting.exported(store, target) == ""
    found = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert found == sorted([f"host-team-api-1.{format}", f"host-team-api.{format}", f"up.{format}"])
    assert {file.read_text() for file in (tmp_path / "out").iterdir()} == {f"the {format}"}


@pytest.mark.parametrize(
    ("formats", "outputs", "said"),
    [
        (["sarif"], [], "give it a folder"),
        (["html"], ["a.html", "b.html"], "more --output than --format"),
        ([], ["report.pdf"], "tells no format"),
    ],
)
def test_wrong_outputs_are_refused(formats: list[str], outputs: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        exporting.targets(formats, outputs)


def test_the_command_offers_every_format() -> None:
    assert set(FLEET_FORMATS) == {*FORMATS, *KEPT}


def test_a_store_without_a_run_says_so(tmp_path: Path) -> None:
    Store(tmp_path / "s", writing=True).close()
    with pytest.raises(UsageError, match="has no run yet"):
        told(tmp_path / "s")
