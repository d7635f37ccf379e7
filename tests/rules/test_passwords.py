"""The password family below its rules: names, parameters of statements, costs of hashes, and what fixtures expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from backaudit import plugins, testing
from backaudit.analyses.passwords import costs
from backaudit.sqlparams import parameters
from backaudit.vocabulary.names import means_password, means_password_hash, means_person
from tests.projects import project

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "passwords"


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "userPassword", "passwd", "contraseña", "senha", "mot_de_passe", "Passwort", "PASS"],
)
def test_a_name_means_a_password(name: str) -> None:
    assert means_password(name)


@pytest.mark.parametrize(
    "name",
    ["password_hash", "hashed_password", "password_reset_url", "password_changed_at", "min_password_length", "passport",
     "compass", "pass_rate", "boarding_pass", "password_validators", "bypass"],
)  # fmt: skip
def test_a_name_means_something_else(name: str) -> None:
    assert not means_password(name)


def test_a_hash_is_told_by_its_name() -> None:
    names = ("hashed_password", "passwordHash", "hash_of_file", "password")
    assert [means_password_hash(name) for name in names] == [True, True, False, False]


@pytest.mark.parametrize(("name", "is_person"), [
    ("users", True), ("UserModel", True), ("accounts", True), ("UserCreate", False), ("LoginForm", False),
    ("orders", False),
])  # fmt: skip
def test_people_are_told_from_forms(name: str, is_person: bool) -> None:
    assert means_person(name) is is_person


@pytest.mark.parametrize(
    ("text", "stored", "compared"),
    [
        ("INSERT INTO users (name, password) VALUES (?, ?)", {"password": 1}, {}),
        ("INSERT INTO users (password, name) VALUES (%s, %s)", {"password": 0}, {}),
        ("INSERT INTO users (name, password) VALUES (:n, :p)", {"password": "p"}, {}),
        ("INSERT INTO users (name, password) VALUES ($1, $2)", {"password": 1}, {}),
        ("INSERT INTO users (name, password) VALUES (:1, :2)", {"password": 1}, {}),
        ("SELECT id FROM users WHERE name = ?2 AND password = ?1", {}, {"password": 0}),
        ("INSERT INTO users (name, password) VALUES ('%s', '%s')", {"password": 1}, {}),
        ("INSERT INTO users (name, password) VALUES ('__hole__', '__hole__')", {"password": ""}, {}),
        ("UPDATE users SET password = ? WHERE id = ?", {"password": 0}, {}),
        ("SELECT id FROM users WHERE name = ? AND password = ?", {}, {"password": 1}),
        ("SELECT id FROM users WHERE password = '__hole__'", {}, {"password": ""}),
        ("SELECT id FROM users WHERE password IS NULL", {}, {}),
        ("not a statement", {}, {}),
    ],
)
def test_parameters_go_to_columns(text: str, stored: dict[str, int | str], compared: dict[str, int | str]) -> None:
    found = parameters(text)
    assert {p.column: p.slot for p in found if p.use == "stored" and p.column == "password"} == stored
    assert {p.column: p.slot for p in found if p.use == "compared" and p.column == "password"} == compared


@pytest.mark.parametrize(("memory", "passes", "enough"), [
    (47_104, 1, True), (19_456, 2, True), (12_288, 3, True), (9_216, 4, True), (7_168, 5, True), (65_536, 3, True),
    (102_400, 2, True), (1_024, 10, False), (19_456, 1, False), (7_168, 4, False), (7_167, 50, False),
])  # fmt: skip
def test_argon2_is_judged_by_combinations(memory: int, passes: int, enough: bool) -> None:
    assert (costs.weak_argon2(memory, passes) is None) is enough


@pytest.mark.parametrize(("n", "r", "p", "enough"), [
    (2**17, 8, 1, True), (2**16, 8, 2, True), (2**15, 8, 3, True), (2**14, 8, 5, True), (2**13, 8, 10, True),
    (2**14, 8, 1, False), (2**16, 8, 1, False), (2**13, 8, 9, False), (2**12, 8, 50, False), (2**16, 16, 1, True),
])  # fmt: skip
def test_scrypt_is_judged_by_combinations(n: int, r: int, p: int, enough: bool) -> None:
    assert (costs.weak_scrypt(n, r, p) is None) is enough


@pytest.mark.parametrize(("digest", "iterations", "enough"), [
    ("sha256", 600_000, True), ("sha256", 599_999, False), ("SHA-512", 220_000, True), ("sha512", 100_000, False),
    ("sha1", 1_300_000, False), ("sha1", 1_400_000, True), ("sha3_256", 1, True),
])  # fmt: skip
def test_pbkdf2_is_judged_by_its_digest(digest: str, iterations: int, enough: bool) -> None:
    assert (costs.weak_pbkdf2(digest, iterations) is None) is enough


def test_bcrypt_needs_cost_ten() -> None:
    assert costs.weak_bcrypt(10) is None
    assert costs.weak_bcrypt(9) is not None


@pytest.mark.parametrize("folder", sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()))
def test_fixtures_are_reported_as_they_say(folder: str) -> None:
    outcome = testing.run(FIXTURES / folder, plugins.load(reraise=True))
    assert outcome.failures == ()
    assert outcome.expectations > 5


_APP = """
    from flask import Flask, render_template, request
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)
    db = SQLAlchemy(app)

    class User(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        password = db.Column(db.String(80))

        def replace(self, password):
            self.password = password

    @app.get("/users")
    def show():
        return render_template("user.html", password=User.query.first().password)

    @app.post("/again")
    def again():
        return render_template("form.html", password=request.form["password"])
"""
_CALLED = """
    @app.post("/replace")
    def called():
        found().replace(request.form["password"])
        return ""
"""


@pytest.mark.parametrize(("rule", "text", "shown"), [
    ("plaintext-storage", _APP, ["strict"]), ("plaintext-storage", _APP + _CALLED, [None]),
    ("password-exposed", _APP, [None, "strict"]),
])  # fmt: skip
def test_what_is_arguable_is_not_shown_by_default(rule: str, text: str, shown: list[str | None]) -> None:
    (found,) = (one for one in plugins.load(reraise=True).rules if one.name == rule)
    findings = sorted(found.check(project(text)), key=lambda finding: finding.place.span.line)
    assert [finding.shown for finding in findings] == shown
