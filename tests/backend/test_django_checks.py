"""`check --deploy` told from the text, held against Django's own answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.web.frameworks.django_checks import deploy_checks
from tests.projects import project

pytest.importorskip("django")

MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
)
SWITCH = ("True", "False", "None", "1", "not DEBUG")
VALUES = {
    "DEBUG": ("True", "False"),
    "ALLOWED_HOSTS": ("[]", "['shop.example']", "['*']"),
    "SECRET_KEY": ("'short'", repr("django-insecure-" + "ab12" * 12), repr("k9Zq" * 15), repr("a" * 60)),
    "SECRET_KEY_FALLBACKS": ("[]", "['old']", repr(["k9Zq" * 15, "k9Zp" * 15])),
    "SECURE_HSTS_SECONDS": ("0", "3600", "None"),
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": SWITCH,
    "SECURE_HSTS_PRELOAD": SWITCH,
    "SECURE_SSL_REDIRECT": SWITCH,
    "SECURE_CONTENT_TYPE_NOSNIFF": SWITCH,
    "SECURE_REFERRER_POLICY": (
        "None",
        "'origin'",
        "'origin, unsafe-url'",
        "['same-origin']",
        "'nowhere'",
        "['x', 'y']",
    ),
    "SECURE_CROSS_ORIGIN_OPENER_POLICY": ("None", "'same-origin'", "'unsafe-none'", "'nowhere'"),
    "X_FRAME_OPTIONS": ("'DENY'", "'SAMEORIGIN'"),
    "SESSION_COOKIE_SECURE": SWITCH,
    "SESSION_COOKIE_HTTPONLY": SWITCH,
    "CSRF_COOKIE_SECURE": SWITCH,
    "CSRF_USE_SESSIONS": ("True", "False"),
}
FIRST = "DEBUG = False\nROOT_URLCONF = 'shop.urls'\n"
EXTENSIONS = (
    "MIDDLEWARE = {} + MIDDLEWARE",
    "MIDDLEWARE += {}",
    "MIDDLEWARE = [*MIDDLEWARE, *{}]",
    "MIDDLEWARE.extend({})",
)


@st.composite
def variants(draw: st.DrawFn) -> dict[str, str]:
    """A settings module, and perhaps another that it extends."""
    chosen = draw(st.fixed_dictionaries({}, optional={name: st.sampled_from(given) for name, given in VALUES.items()}))
    middleware = draw(st.lists(st.sampled_from(MIDDLEWARE), unique=True))
    apps = draw(st.lists(st.sampled_from(("django.contrib.sessions", "django.contrib.messages")), unique=True))
    rows = [f"{name} = {value}" for name, value in chosen.items()]
    cut = draw(st.integers(0, len(rows)))
    more = draw(st.lists(st.sampled_from(MIDDLEWARE), unique=True, max_size=2))
    how = draw(st.sampled_from(("", *EXTENSIONS))).format(more)
    start = f"{FIRST}INSTALLED_APPS = {apps!r}\nMIDDLEWARE = {middleware!r}\n"
    if draw(st.booleans()):
        own = "\n".join(["from base import *", *rows[cut:], how])
        return {"base": "\n".join([start, *rows[:cut]]), "settings": own}
    return {"settings": "\n".join([start, *rows, how])}


@pytest.fixture(scope="module")
def django() -> Iterator[subprocess.Popen[str]]:
    program = Path(__file__).resolve().parents[1] / "data" / "django_deploy_checks.py"
    command = [sys.executable, "-W", "ignore", str(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _djangos(process: subprocess.Popen[str], files: dict[str, str]) -> list[str]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(files) + "\n")
    process.stdin.flush()
    said: list[str] = json.loads(process.stdout.readline())
    return said


def _ours(files: dict[str, str]) -> list[str]:
    linked = project({f"{name}.py": text for name, text in files.items()})
    (module,) = [found for found in settings_modules(linked) if found.file.path == "settings.py"]
    return sorted({check.id for check in deploy_checks(linked, module)})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=variants())
def test_the_answer_is_djangos(django: subprocess.Popen[str], files: dict[str, str]) -> None:
    assert _ours(files) == _djangos(django, files), files


def test_every_id_is_met(django: subprocess.Popen[str]) -> None:
    """The values above reach all that `check --deploy` says of security, so that the comparison leaves none out."""
    everything = {
        "INSTALLED_APPS = []": {"W001", "W002", "W003", "W009", "W020"},
        f"MIDDLEWARE = {MIDDLEWARE[:1]!r}\nDEBUG = 1\nSECURE_REFERRER_POLICY = None": {
            "W004", "W008", "W018", "W022",
        },
        f"MIDDLEWARE = {MIDDLEWARE!r}\nX_FRAME_OPTIONS = 'SAMEORIGIN'\nSESSION_COOKIE_HTTPONLY = False": {
            "W011", "W014", "W016", "W019",
        },
        "INSTALLED_APPS = ['django.contrib.sessions']\nSESSION_COOKIE_HTTPONLY = False": {"W010", "W013"},
        f"INSTALLED_APPS = ['django.contrib.sessions']\nMIDDLEWARE = {MIDDLEWARE!r}\nSESSION_COOKIE_HTTPONLY = 0": {
            "W012", "W015",
        },
        f"MIDDLEWARE = {MIDDLEWARE!r}\nSECURE_HSTS_SECONDS = 9\nSECURE_CONTENT_TYPE_NOSNIFF = False": {
            "W005", "W006", "W021",
        },
        f"MIDDLEWARE = {MIDDLEWARE!r}\nSECURE_REFERRER_POLICY = 'no'\nSECURE_CROSS_ORIGIN_OPENER_POLICY = 'no'\n"
        "SECRET_KEY_FALLBACKS = ['old']": {"E023", "E024", "W025"},
    }  # fmt: skip
    for text, wanted in everything.items():
        files = {"settings": f"ROOT_URLCONF = 'shop.urls'\n{text}\n"}
        said = _djangos(django, files)
        assert {f"security.{number}" for number in wanted} <= set(said), text
        assert _ours(files) == said, text


@pytest.mark.parametrize(
    "text",
    [
        "SECURE_SSL_REDIRECT = os.environ.get('SSL') == '1'",
        "if os.environ.get('SSL'):\n    SECURE_SSL_REDIRECT = True",
        "try:\n    from of_the_machine import *\nexcept ImportError:\n    pass",
        "platform.settings(locals())",
    ],
)
def test_what_cannot_be_told_is_not_said(text: str) -> None:
    files = {"settings": f"import os, platform\nROOT_URLCONF = 'x'\nMIDDLEWARE = {MIDDLEWARE[:1]!r}\n{text}\n"}
    assert "security.W008" not in _ours(files)
