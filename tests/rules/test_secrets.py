"""Credentials: what counts as one, where it stands, and that its value goes nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.extract.python import lower
from backaudit.extract.secrets.hits import extract_secrets
from backaudit.extract.secrets.lines import Lines
from backaudit.extract.secrets.names import kind_of_name
from backaudit.extract.secrets.values import judge
from backaudit.facts.secrets import SecretHit
from backaudit.issue import Issue
from backaudit.source import Source, decode
from backaudit.testing import run, scan

ROOT = Path(__file__).resolve().parents[2]
LOADED = plugins.load(reraise=True)
STRONG = "kX9vTq2LmWzR7pYc4nB8"
KEY_BODY = "MIIEowIBAAKCAQEAx7Qd9mVb3Lk2Zt8Rw5Yc1Np6Sf4Hj0Gu" * 3


def hits(path: str, text: str) -> tuple[SecretHit, ...]:
    source = decode(path, text.encode())
    assert isinstance(source, Source)
    return extract_secrets(source, lower(source).facts if source.kind == "python" else None)


def values(path: str, text: str) -> list[str]:
    """The text that each hit masks."""
    lines = Lines(text)
    return [
        "".join(text[lines.offset(p.line, p.column) : lines.offset(p.end_line, p.end_column)] for p in hit.parts)
        for hit in hits(path, text)
    ]


def issues(files: dict[str, str]) -> list[Issue]:
    chosen = [rule for rule in LOADED.rules if rule.family == "secrets"]
    return list(scan(dict(files), LOADED, chosen).issues)


def test_the_fixtures_are_met() -> None:
    outcome = run(ROOT / "fixtures" / "secrets", LOADED)
    assert not outcome.failures, "\n".join(map(str, outcome.failures))
    assert outcome.expectations > 50


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SECRET_KEY", "signing-key"),
        ("jwtSecret", "signing-key"),
        ("DB_PASS", "password"),
        ("contrasenia", "password"),
        ("userPassword2", "password"),
        ("AWS_SECRET_ACCESS_KEY", "token"),
        ("x-api-key", "token"),
        ("bot_token", "token"),
        ("AUTH_USER_MODEL", None),
        ("token_type", None),
        ("tokenUrl", None),
        ("PASSWORD_RESET_TIMEOUT", None),
        ("password_hash", None),
        ("primary_key", None),
        ("cache_key", None),
        ("csrf_token", None),
        ("public_key", None),
        ("next_token", None),
    ],
)
def test_names(name: str, kind: str | None) -> None:
    assert kind_of_name(name) == kind


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (STRONG, "strong"),
        ("abcd efgh qxzv wkjp", "strong"),
        ("postgres", "weak"),
        ("P@ssw0rd123", "weak"),
        ("change-me-in-production", "placeholder"),
        ("access_token", "naming"),
        ("wagtail_apitoken_created", "naming"),
        ("Please enter your password", "placeholder"),
        ("${DB_PASSWORD}", "none"),
        ("<your key>", "none"),
        ("/run/secrets/db", "none"),
        ("accounts.User", "none"),
        ("HS256", "none"),
        ("********", "none"),
        ("https://example.org/token", "none"),
        ("$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOP", "hash"),
        ("w%(3k#v9=x$q_7j1n%s5z@8m-4c^t2y&b6r*h0p+d!g$(f9a1u", "strong"),
        ("django-insecure-change-me", "strong"),
        ("%(prefix)s-of-the-%s-token-in-the-session-of-users", "none"),
        ("EAACEdEose0cBA[0-9A-Za-z]+", "none"),
        ("sq0atp-[0-9A-Za-z_]{22}", "none"),
        ("q[X-z9w]vL2m7[Kp", "strong"),
    ],
)
def test_values(value: str, verdict: str) -> None:
    assert judge(value) == verdict


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".env", f'export API_TOKEN="{STRONG}" # live\n', [STRONG]),
        (".env", "POSTGRES_PASSWORD=hunter2\nPOSTGRES_USER=shop\n", ["hunter2"]),
        (
            "docker-compose.yml",
            "services:\n  a:\n    environment:\n      - DB_PASSWORD=${DB_PASSWORD:-shop1}\n",
            ["shop1"],
        ),
        ("Dockerfile", f"FROM x\nENV A=1 \\\n    SECRET_KEY='{STRONG}'\n", [STRONG]),
        ("k8s.yaml", f"env:\n  - name: API_TOKEN\n    value: {STRONG}\n", [STRONG]),
        ("headers.py", 'NAMES = {"X-CSRF-Token": "xcsrftoken", "X-Api-Token": "qx7Lw2vKz9TfRb"}\n', ["qx7Lw2vKz9TfRb"]),
        (
            "names.py",
            'S = {"password": "MAIL_PASSWORD", "secret": "MAIL_API_SECRET", "api_key": "qx7Lw2vKz9TfRb"}\n',
            ["qx7Lw2vKz9TfRb"],
        ),
        ("c.toml", f'[mail]\nsmtp_password = "{STRONG}"\n', [STRONG]),
        ("c.ini", f"[mail]\npassword = {STRONG}\n", [STRONG]),
        ("c.json", f'{{"db": {{"password": "{STRONG}"}}}}', [STRONG]),
        ("p.json", f'[{{"key": "api_token", "value": "{STRONG}"}}]', [STRONG]),
        ("v.tf", f'variable "db_password" {{\n  default = "{STRONG}"\n}}\n', [STRONG]),
        ("run.sh", f"PGPASSWORD={STRONG} psql\n", [STRONG]),
        (
            "s.sql",
            "INSERT INTO users (id, name, password) VALUES (1, 'O''Neil', 'hunter2'), (2, 'b', 'x12');",
            ["hunter2", "x12"],
        ),
        (".netrc", f"machine pypi.example login me password {STRONG}\n", [STRONG]),
        ("a.py", f'TOKEN = (\n    "{STRONG[:10]}"\n    "{STRONG[10:]}"\n)\n', [STRONG]),
        ("a.py", f'def f(password="{STRONG}"): ...\n', [STRONG]),
        ("a.py", 'connect("postgresql://shop:hunter2@db/shop")\n', ["hunter2"]),
        ("a.py", 'connect(f"postgresql://shop:hunter2@{host}/shop")\n', ["hunter2"]),
        ("a.py", 'API_KEY = b"9f8e7d6c5b4a39281706f5e4d3c2b1a0"\n', ["9f8e7d6c5b4a39281706f5e4d3c2b1a0"]),
        ("a.py", 'x = {"example": {"password": "s3cret99"}}\n', []),
        ("a.py", 'settings = dict(type="password", token="access_token")\n', []),
    ],
)
def test_the_value_alone_is_marked(path: str, text: str, expected: list[str]) -> None:
    assert values(path, text) == expected


def test_a_secret_seen_twice_is_one_hit() -> None:
    token = "ghp_" + "a8Fk3LmQ9zXw2VtR7yBn5CpD1sHj4GuE6iOo"
    found = hits("a.py", f'GITHUB_TOKEN = os.getenv("GITHUB_TOKEN", "{token}")\n')
    assert [(hit.kind, hit.position, hit.detector) for hit in found] == [("provider", "env-default", "GitHub token")]


def test_a_private_key_needs_its_base64() -> None:
    begin, end = "-----BEGIN RSA PRIVATE" + " KEY-----", "-----END RSA PRIVATE" + " KEY-----"
    whole = hits("id_rsa", f"{begin}\n{KEY_BODY}\n{end}\n")
    assert [(hit.kind, hit.span.line, hit.span.end_line) for hit in whole] == [("private-key", 1, 3)]
    assert not hits("a.py", f'if text.startswith("{begin}"):\n    ...\n')


@pytest.mark.parametrize(
    "provider", ["AKIA" + "Q3EGR7TZ5WXN2LMP", "xoxb-" + "203948571029-8f7d6s5a4f3g2h1j", "SG." + "a" * 4]
)
def test_documented_and_short_tokens_are_none(provider: str) -> None:
    found = hits("notes.sh", f"# {provider}\n")
    assert bool(found) == (len(provider) > 10)
    assert not hits("notes.sh", "# AKIAIOSFODNN7" + "EXAMPLE\n")


def test_detect_secrets_is_loaded_for_need_alone() -> None:
    code = (
        "import sys; from backaudit.extract.secrets.hits import extract_secrets; from backaudit.source import decode\n"
        "for value in (b'change-me', b'AKIA' + b'Q3EGR7TZ5WXN2LMP'):\n"
        "    extract_secrets(decode('.env', b'SECRET_KEY=' + value), None); print('detect_secrets' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "True"]


def test_long_lines_take_linear_time() -> None:
    line = '{"a": "' + "password token key " * 20_000 + '"}'
    assert hits("data.json", line) == ()
    assert hits("notes.md", "-" * 50_000 + "\n" + "A" * 50_000) == ()


def test_roles_decide() -> None:
    code = f'API_TOKEN = "{STRONG}"\nPASSWORD = "hunter2"\n'
    assert {(i.finding.confidence, i.finding.place.span.line) for i in issues({"shop/mail.py": code})} == {
        ("high", 1),
        ("medium", 2),
    }
    assert {(i.finding.confidence, i.finding.place.span.line) for i in issues({"tests/test_mail.py": code})} == {
        ("low", 1)
    }


def test_a_value_that_a_file_repeats_is_one_finding() -> None:
    found = issues({"shop/mail.py": f'API_TOKEN = "{STRONG}"\n\ndef f():\n    send(api_token="{STRONG}")\n'})
    assert [issue.finding.place.span.line for issue in found] == [1]
    assert [step.place.span.line for step in found[0].finding.related] == [4]


def test_the_example_of_a_file_for_tests_is_an_example() -> None:
    filled = "DB_USER=shop\nDB_PASSWORD=mQ4nB8sVtZ1xKe7w\n"
    assert "env-file-committed" in {issue.rule.name for issue in issues({"tests/.env.tests": filled})}
    assert issues({"tests/.env.tests.example": filled.replace("mQ4nB8sVtZ1xKe7w", "password")}) == []


def test_passwords_of_many_records_are_one_finding_at_the_surest() -> None:
    words = ["sunshine", "kX9vTq2LmWzR7pYc", "mQ4nB8sVtZ1xKe7w", "sunshine2", "pL3cD6rJyH9fGu5a"]
    rows = "".join(f'  {{"name": "n{number}", "password": "{word}"}},\n' for number, word in enumerate(words))
    (found,) = issues({"data/people.json": f"[\n{rows[:-2]}\n]\n", "app.py": ""})
    assert found.finding.place.span.line == 3
    assert "and so are 4 more of that name in it" in found.finding.message
    assert len(found.finding.secrets) == len(words)


def test_a_weak_value_is_one_credential_under_one_name() -> None:
    compose = "services:\n  a:\n    environment:\n      DB_PASSWORD: shop123\n      MAIL_PASSWORD: shop123\n"
    again = "  b:\n    environment:\n      DB_PASSWORD: shop123\n"
    found = issues({"docker-compose.yml": compose + again})
    assert [issue.finding.place.span.line for issue in found] == [4, 5]
    assert [step.place.span.line for step in found[0].finding.related] == [8]


def test_made_up_accounts_and_a_tool_s_own_database_are_only_worth_a_look() -> None:
    account = (
        '{"variable": [{"key": "password", "value": "MySecretPas5word"}, {"key": "token", "value": "' + STRONG + '"}]}'
    )
    for path, text, expected in (
        ("postman/shop.json", account, ["low", "high"]),
        ("config/shop.json", account, ["medium", "high"]),
        ("alembic.ini", "sqlalchemy.url = postgresql://ann:1234@localhost/shop\n", ["low"]),
        ("alembic.ini", "sqlalchemy.url = postgresql://ann:1234@db.internal/shop\n", ["medium"]),
    ):
        assert [issue.finding.confidence for issue in issues({path: text})] == expected, path


def test_a_compose_file_that_builds_the_developers_image_is_theirs() -> None:
    for target, expected in (("development", "low"), ("dev", "low"), ("runtime", "medium"), ("devpi", "medium")):
        compose = f"services:\n  a:\n    build:\n      target: {target}\n    environment:\n      DB_PASSWORD: shop123\n"
        assert [i.finding.confidence for i in issues({"docker-compose.yml": compose})] == [expected], target


def test_signing_and_checking_with_one_literal_is_one_finding() -> None:
    code = 'import jwt\n\n\ndef f(x):\n    return jwt.decode(jwt.encode(x, "secret"), "secret", algorithms=["HS256"])\n'
    assert [issue.rule.id for issue in issues({"shop/tokens.py": code})] == ["secrets/jwt-secret"]


def test_what_stands_in_for_the_environment_on_one_s_own_machine_is_only_worth_a_look() -> None:
    head = "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
    for host, expected in (("localhost", "low"), ("db", "medium")):
        url = f'    database_url: str = "postgresql://shop:shop123@{host}/shop"\n'
        assert [issue.finding.confidence for issue in issues({"shop/settings.py": head + url})] == [expected]
    found = issues({"{{cookiecutter.name}}/.env-linux": "POSTGRES_PASSWORD=shop123\n"})
    assert {issue.finding.confidence for issue in found} == {"low"}


def test_the_key_is_followed_to_its_use() -> None:
    files = {
        "config.py": f'SIGNATURE = "{STRONG}"\n',
        "tokens.py": "import jwt\nfrom config import SIGNATURE as KEY\n\njwt.encode({}, KEY)\n",
    }
    (issue,) = issues(files)
    assert issue.rule.id == "secrets/jwt-secret"
    assert [(step.place.path, step.place.span.line) for step in issue.finding.trace] == [
        ("config.py", 1),
        ("tokens.py", 4),
    ]


_SECRET = st.text("abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789", min_size=24, max_size=24).filter(
    lambda value: judge(value) == "strong"
)


@settings(max_examples=12, deadline=None)
@given(_SECRET, _SECRET)
def test_what_is_said_does_not_depend_on_the_value(one: str, other: str) -> None:
    def said(value: str) -> list[tuple[object, ...]]:
        files = {
            "app.py": f'SECRET_KEY = "{value}"\nurl = "redis://:{value}@cache/0"\n',
            ".env": f"API_TOKEN={value}\n",
            "docker-compose.yml": f"services:\n  a:\n    environment:\n      DB_PASSWORD: {value}\n",
        }
        found = [issue.finding for issue in issues(files)]
        assert all(value not in finding.message + finding.remedy + finding.evidence for finding in found)
        return [(f.place, f.message, f.remedy, f.confidence, f.secrets) for f in found]

    assert said(one) == said(other)


def test_a_key_store_is_known_by_its_name() -> None:
    loaded = [rule for rule in LOADED.rules if rule.id == "secrets/env-file-committed"]
    found = scan({"release.p12": b"\0\xff", "db.sqlite3": b"\0\xff", "tests/client.jks": b"\0"}, LOADED, loaded).issues
    assert {(issue.finding.place.path, issue.finding.confidence) for issue in found} == {
        ("release.p12", "medium"),
        ("db.sqlite3", "low"),
    }


def test_python_of_another_version_is_read_line_by_line() -> None:
    code = f'print "old"\napp.config["SECRET_KEY"] = "{STRONG}"  # key\ntoken_type = "bearer"\n'
    assert [(issue.rule.id, issue.finding.place.span.line) for issue in issues({"old.py": code})] == [
        ("secrets/hardcoded-secret", 2)
    ]
