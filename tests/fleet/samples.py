"""Stores of fleets for the tests of their reports: written by the store itself, from outcomes that are made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from backaudit.fleet.records import Outcome, Source, failed
from backaudit.fleet.store import DONE, Store
from backaudit.report.fleet.records import FoundRecord, ProblemRecord

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\u202e\x1b[31m"


def finding(name: str, family: str = "passwords", severity: str = "high", **more: object) -> FoundRecord:
    """A finding whose fingerprint is its name."""
    plain = FoundRecord(
        fingerprint=name, rule=f"{family}/{name}", family=family, severity=severity, confidence="high",
        path=f"app/{name}.py", line=3, column=1, scope="f", message=f"The `{name}` is wrong.", remedy="Mend it.",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **more)


def ok(*findings: FoundRecord, **more: object) -> Outcome:
    """A scan that found these."""
    plain = Outcome(
        status="ok", commit="a" * 40, key="k", files=4, routes=5, tables=2, findings=findings, seconds=1.5, megabytes=90
    )
    return msgspec.structs.replace(plain, **more)


def written(path: Path, *runs: Mapping[Source, Outcome]) -> Path:
    """A store with runs on following days."""
    with Store(path, writing=True) as store:
        for day, outcomes in enumerate(runs, 1):
            run = store.begin("0.1.0", "stamp", "", len(outcomes), f"2026-01-{day:02}T02:00:00+00:00")
            for source, outcome in outcomes.items():
                store.put(run.id, source, outcome, 1, f"2026-01-{day:02}T02:10:00+00:00")
            store.end(run.id, DONE, f"2026-01-{day:02}T03:00:00+00:00")
    return path


PAY = Source(name="pay", url="https://me:secret@github.com/team/pay.git", labels=("team=pay",))
SHOP = Source(name="shop", url="git@git.example.org:team/shop.git", ref="main")
TOOLS = Source(name="tools", url="/srv/tools")


def two_runs(path: Path) -> Path:
    """Two runs over three repositories: one gets better and worse, one stays, one fails."""
    weak, raw, slow = (
        finding("weak-hash"),
        finding("raw-body", "validation", "medium"),
        finding("no-index", "indexes", "low"),
    )
    return written(
        path,
        {PAY: ok(weak, raw), SHOP: ok(slow), TOOLS: ok()},
        {PAY: ok(weak, finding("key", "secrets", "critical")), SHOP: ok(slow), TOOLS: failed("git fetch failed: no.")},
    )


def hostile(path: Path) -> Path:
    """Everything that a repository may choose tries to do something."""
    evil = finding("evil", message=HOSTILE, remedy=HOSTILE, path=f"{HOSTILE}/=cmd.py", scope=HOSTILE)
    other = finding("other", message='=HYPERLINK("http://example.org")', path="+a.py")
    source = Source(
        name=f"=x {HOSTILE}", url=f"https://github.com/{HOSTILE}", ref=HOSTILE, labels=(HOSTILE, '" onload="x')
    )
    problems = (ProblemRecord(HOSTILE, "unparsable", 1, HOSTILE),)
    broken = Source(name="broken", url="javascript:alert(1)")
    return written(path, {source: ok(evil, other, problems=problems, notes=(HOSTILE,)), broken: failed(HOSTILE)})
