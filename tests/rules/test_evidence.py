"""What a finding takes for granted decides how sure and how grave it may be called, in one place, and is said."""

from __future__ import annotations

import json
import re

import pytest

from backaudit import plugins
from backaudit.evidence import KNOWN, Assumption, Severity, confidence, severity, weakest
from backaudit.report import json as as_json
from backaudit.report import sarif, text
from backaudit.testing import scan
from tests.house import ROOT, sources

LOADED = plugins.load(reraise=True)
WORD = Assumption("word", "`key` is a secret")
GUARD = Assumption("guard", "`check_key` does not refuse")

UNREAD_CHECK = """
import subprocess
from flask import Flask, request
from vendor.checks import known_hosts

app = Flask(__name__)


def is_allowed(host):
    return known_hosts().accept(host)


@app.get("/ping")
def ping():
    host = request.args["host"]
    if is_allowed(host):
        subprocess.run(f"ping -c1 {host}", shell=True)
    return "done"
"""


def test_the_weakest_step_decides() -> None:
    assert confidence(KNOWN) == "high"
    assert confidence((WORD,)) == "medium"
    assert confidence((WORD, GUARD)) == confidence((GUARD, WORD)) == "low"
    assert weakest((WORD, GUARD)) == GUARD
    assert weakest(KNOWN) is None


@pytest.mark.parametrize(
    ("claimed", "left"), [("critical", "medium"), ("high", "medium"), ("medium", "medium"), ("low", "low")]
)
def test_what_assumes_anything_is_at_most_medium(claimed: Severity, left: Severity) -> None:
    assert severity(claimed, (WORD,)) == left
    assert severity(claimed, KNOWN) == claimed


def test_the_weakest_step_is_said_in_every_format() -> None:
    report = scan({"app.py": UNREAD_CHECK}, LOADED, [r for r in LOADED.rules if r.name == "command-injection"])
    (issue,) = report.issues
    said = "`is_allowed()` does not make it harmless"
    assert (issue.severity, issue.finding.confidence) == ("medium", "low")
    assert f"assumed: {said}" in text.render(report)
    assert json.loads(as_json.render(report))["findings"][0]["assumed"] == [{"kind": "guard", "text": said}]
    assert said in sarif.render(report)


VERDICTS = """
import os
import shutil
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from registry.client import find_release, published

app = FastAPI()


class Wanted(BaseModel):
    name: str


def release_of(name):
    for each in published():
        if each.name != name:
            continue
        return each
    return None


def is_small(name):
    return len(name) < 20


@app.post("/by-own-search")
def by_own_search(wanted: Wanted):
    if not release_of(wanted.name):
        raise HTTPException(404)
    shutil.rmtree(os.path.join("/srv/plugins", wanted.name))


@app.post("/by-a-library")
def by_a_library(wanted: Wanted):
    found = find_release(wanted.name)
    if found is None:
        raise HTTPException(404)
    shutil.rmtree(os.path.join("/srv/plugins", wanted.name))


@app.post("/by-what-is-read")
def by_what_is_read(wanted: Wanted):
    if not is_small(wanted.name):
        raise HTTPException(404)
    shutil.rmtree(os.path.join("/srv/plugins", wanted.name))
"""


def test_a_verdict_that_was_not_read_is_named_and_one_that_was_is_not() -> None:
    report = scan({"app.py": VERDICTS}, LOADED, [r for r in LOADED.rules if r.name == "path-traversal"])
    assert [issue.severity for issue in report.issues] == ["medium", "medium", "high"]
    said = [[one.text for one in issue.finding.assumed] for issue in report.issues]
    assert said == [["`release_of()` does not make it harmless"], ["`find_release()` does not make it harmless"], []]


WRAPPED = """
import sqlite3
from flask import Flask, request
from flask_login import login_required
from vendor.gates import gate

app = Flask(__name__)


@app.post("/notes/add")
@login_required
def add():
    sqlite3.connect("n").execute("insert into notes values (?)", (request.form["text"],))
    return "ok"


@app.post("/notes/clear")
@gate
def clear():
    sqlite3.connect("n").execute("delete from notes")
    return "ok"


@app.post("/notes/drop")
def drop():
    sqlite3.connect("n").execute("delete from notes where id = ?", (request.form["id"],))
    return "ok"
"""


def test_a_decorator_of_unknown_effect_is_named_and_lowers() -> None:
    report = scan({"app.py": WRAPPED}, LOADED, [r for r in LOADED.rules if r.name == "missing-auth"])
    behind, bare = report.issues
    assert (behind.severity, behind.finding.confidence) == ("medium", "medium")
    assert [one.text for one in behind.finding.assumed] == ["`gate` turns nobody away"]
    assert (bare.severity, bare.finding.assumed) == ("critical", ())


LOADS_MORE = """
import os
SECRET_KEY = "5*9f5q57mqmlz2#f$x1h76&jxy#yortjl1v+l*6hd18$d*yx#0"
DEBUG = True
ROOT_URLCONF = "s.urls"
INSTALLED_APPS = ["django.contrib.auth"]
"""
BY_TEXT = """
with open(os.path.join(os.path.dirname(__file__), "local_settings.py")) as f:
    exec(f.read(), globals())
"""
BY_NAMES = """
try:
    from .local_settings import *
except ImportError:
    pass
"""


@pytest.mark.parametrize(("last", "severity"), [("", "critical"), (BY_TEXT, "medium"), (BY_NAMES, "medium")])
def test_a_settings_file_that_is_not_there_is_named_and_lowers(last: str, severity: str) -> None:
    report = scan(
        {"s/settings.py": LOADS_MORE + last}, LOADED, [r for r in LOADED.rules if r.name == "hardcoded-secret"]
    )
    (issue,) = report.issues
    assert issue.severity == severity
    supposed = "`local_settings.py` puts no other value in its place"
    assert [one.text for one in issue.finding.assumed] == ([supposed] if last else [])


def test_nobody_else_says_how_sure_a_finding_is() -> None:
    said = re.compile(r"confidence=(?!finding\.)")  # a report repeats it
    told = [path for path in sources("backaudit", "rules") if said.search(path.read_text("utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in told] == []
