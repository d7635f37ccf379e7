"""What is reported does not depend on a secret's value: of two projects that differ in it alone, nothing differs."""

from __future__ import annotations

import hashlib
import html
import json
import random
import re
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.baseline import dump
from backaudit.extract.secrets.values import judge
from backaudit.masking import MASK
from backaudit.report import FORMATS, renderer
from backaudit.testing import scan
from backaudit.triage import accepted

LOADED = plugins.load(reraise=True)
SECRETS = [rule for rule in LOADED.rules if rule.family == "secrets"]
_ALPHABET = "abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789"
_SECRET = st.binary(min_size=24, max_size=24).map(
    lambda data: "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in hashlib.sha256(data).digest()[:24])
)


def _is_strong(value: str) -> bool:
    return all(judge(piece) == "strong" for piece in (value, value[:12], value[12:]))


def project(value: str) -> dict[str, str]:
    """Code and configuration that hold ``value`` whole, in pieces, escaped, and on lines that other rules quote."""
    odd = f'{value[:12]}"&<{value[12:]}'
    return {
        "app.py": (
            "import hashlib\nimport os\n\nimport jwt\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"
            f'SECRET_KEY = "{value}"\nAPI_TOKEN = (\n    "{value[:12]}"\n    "{value[12:]}"\n)\n'
            f'STRIPE_KEY = "{value[:12]}" + "{value[12:]}"\nDB_PASSWORD = os.getenv("DB_PASSWORD", "{value}")\n'
            f"MAIL_PASSWORD = {odd!r}\n"
            f'url = "postgresql://shop:{quote(odd, safe="")}@db.internal/shop"\n\n\n'
            '@app.get("/a")\ndef a():\n'
            f'    token = jwt.decode(request.args["t"], "{value}", options={{"verify_exp": False}})\n'
            f'    return hashlib.md5(("{value}" + request.args["password"]).encode()).hexdigest() + str(token)\n\n\n'
            f'app.run(debug=True, api_key="{value}")\n'
        ),
        "config.json": json.dumps({"db": {"host": "db", "password": odd}, "copy": value}),
        "index.html": f"<script>var api_key = '{html.escape(odd)}'; var other = '{value}';</script>\n",
        "docker-compose.yml": (
            f"services:\n  db:\n    image: postgres:latest\n    environment:\n      POSTGRES_PASSWORD: {value}\n"
            f"    command: redis-server --requirepass {value}\n"
        ),
        "Dockerfile": f"FROM python\nENV API_TOKEN={value} \\\n    OTHER=1\n",
        ".env": f"API_TOKEN={value}\nDATABASE_URL=redis://:{value}@cache/0\n",
    }


def said(value: str) -> dict[str, str]:
    report = scan(project(value), LOADED)
    texts = {format: renderer(format)(report) for format in FORMATS}
    return {**texts, "baseline": dump(accepted(report))}


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(_SECRET.filter(_is_strong), _SECRET.filter(_is_strong))
def test_every_format_and_the_baseline_are_the_same(one: str, other: str) -> None:
    first, second = said(one), said(other)
    assert first["text"].count("secrets/") >= 8
    for name, text in first.items():
        assert text == second[name], name
        assert not [piece for piece in (one, one[:12], one[12:]) if piece in text], name


# -- tokens of providers -----------------------------------------------------------------------------------------------

_HEX = "0123456789abcdef"
_LOWER = "abcdefghjkmnpqrstuvwxyz23456789"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ234567"
_LETTERS = _LOWER + _UPPER
# Providers' tokens as they are and were made: what stands before and after, of which letters, and the lengths seen.
TOKENS: dict[str, tuple[str, str, tuple[int, ...], str]] = {
    "stripe": ("sk_live_", _LETTERS, (24, 30, 99, 107), ""),
    "stripe restricted": ("rk_live_", _LETTERS, (24, 99), ""),
    "openai": ("sk-", _LETTERS, (20,), "T3BlbkFJ{20}"),
    "openai project": ("sk-proj-", _LETTERS, (20, 74), "T3BlbkFJ{20,74}"),
    "openai service": ("sk-svcacct-", _LETTERS, (58, 74), "T3BlbkFJ{58,74}"),
    "anthropic": ("sk-ant-api03-", _LETTERS, (93, 95), "AA"),
    "github": ("ghp_", _LETTERS, (36, 76, 251), ""),
    "github app": ("ghs_", _LETTERS, (36, 251), ""),
    "github fine-grained": ("github_pat_", _LETTERS, (82,), ""),
    "gitlab": ("glpat-", _LETTERS, (20, 26, 51, 120), ""),
    "gitlab routable": ("glpat-", _LETTERS, (27, 60, 300), ".01.{9}"),
    "gitlab deploy": ("gldt-", _LETTERS, (20, 51), ""),
    "gitlab runner": ("glrt-", _LETTERS, (20, 64), ""),
    "gitlab runner, old": ("GR1348941", _LETTERS, (20, 51), ""),
    "gitlab job": ("glcbt-64_", _LETTERS, (20, 64), ""),
    "gitlab trigger": ("glptt-", _HEX, (40, 51), ""),
    "gitlab agent": ("glagent-", _LETTERS, (50, 200), ""),
    "aws": ("AKIA", _UPPER, (16, 20), ""),
    "aws session": ("ASIA", _UPPER, (16,), ""),
    "azure": ("AccountKey=", _LETTERS, (86,), "=="),
    "mailchimp": ("", _HEX, (32, 40), "-us14"),
    "npm": ("npm_", _LETTERS, (36, 48), ""),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", _LETTERS, (70, 150), ""),
    "sendgrid": ("SG.", _LETTERS, (22,), ".{43,50}"),
    "slack": ("xoxb-2345678923-2345678924-", _LOWER, (24, 32), ""),
    "square": ("sq0csp-", _LETTERS, (43, 60), ""),
    "hugging face": ("hf_", _LETTERS, (34, 37), ""),
    "google": ("AIza", _LETTERS, (35,), ""),
    "google oauth": ("GOCSPX-", _LETTERS, (28, 35), ""),
    "digitalocean": ("dop_v1_", _HEX, (64,), ""),
    "digitalocean refresh": ("dor_v1_", _HEX, (64,), ""),
    "docker": ("dckr_pat_", _LETTERS, (27, 40), ""),
    "shopify": ("shpat_", _HEX, (32, 40), ""),
    "supabase": ("sbp_", _HEX, (40,), ""),
    "webhook": ("whsec_", _LETTERS, (32, 64), ""),
    "telegram": ("2345678923:AA", _LETTERS, (33,), ""),
}


def _letters(seed: str, alphabet: str, length: int) -> str:
    data = b"".join(hashlib.sha256(f"{seed}{block}".encode()).digest() for block in range(length // 32 + 1))
    return "".join(alphabet[byte % len(alphabet)] for byte in data[:length])


def token(name: str, seed: str, turn: int) -> str:
    """A token of a provider; its length is of those that are in use, another every ``turn``."""
    before, alphabet, lengths, after = TOKENS[name]
    end = re.sub(
        r"\{([\d,]+)\}",
        lambda sizes: _letters(
            seed + "end", alphabet, [*map(int, sizes[1].split(","))][turn % len(sizes[1].split(","))]
        ),
        after,
    )
    return before + _letters(seed + name, alphabet, lengths[turn % len(lengths)]) + end


def holding(name: str, value: str) -> dict[str, str]:
    folder = name.replace(" ", "_").replace(",", "")
    return {
        f"{folder}/app.py": (
            f'import requests\n\nKEY = "{value}"\nURL = "https://h.internal/{value}/x"\n\n\n'
            f'def call():\n    return requests.get("https://h.internal", headers={{"X-Key": "{value}"}})\n'
        ),
        f"{folder}/.env": f"SOME_VALUE={value}\n",
        f"{folder}/notes.md": f"Use {value} for now.\n",
    }


@pytest.mark.parametrize("turn", range(4))
def test_tokens_of_every_length_are_seen_and_masked_whole(turn: int) -> None:
    ones, others = ({name: token(name, seed, turn) for name in TOKENS} for seed in ("one", "other"))
    reports = []
    for values in (ones, others):
        files: dict[str, str] = {}
        for name, value in values.items():
            files |= holding(name, value)
        reports.append(scan(files, LOADED, SECRETS))
    found = {issue.finding.place.path.partition("/")[0] for issue in reports[0].issues}
    assert found == {name.replace(" ", "_").replace(",", "") for name in TOKENS}
    pieces = {
        one[at : at + 7]
        for name, one in ones.items()
        for at in range(len(one) - 6)
        if one[at : at + 7] not in others[name]
    }
    for format in FORMATS:
        text = renderer(format)(reports[0])
        assert text == renderer(format)(reports[1]), format
        assert not pieces.intersection(text[at : at + 7] for at in range(len(text) - 6)), format


# -- long tables of passwords ------------------------------------------------------------------------------------------


def accounts(count: int) -> tuple[list[str], dict[str, str]]:
    chance = random.Random(count)
    words = ["".join(chance.choices(_LETTERS, k=14)) for _ in range(count)]
    rows = "".join(f"    ('user{n}', '{word}'),\n" for n, word in enumerate(words))
    code = f"USERS = [\n{rows}]\n\n\ndef seed(db):\n    for name, password in USERS:\n"
    table = "".join(f"user{n},{word}\n" for n, word in enumerate(words))
    return words, {
        "seed.py": f"{code}        db.add(User(name=name, password=password))\n",
        "users.csv": f"name,password\n{table}",
    }


def test_no_row_of_a_long_table_is_quoted_and_all_are_counted() -> None:
    words, files = accounts(300)
    report = scan(files, LOADED)
    issues = [issue for issue in report.issues if issue.rule.id == "secrets/hardcoded-secret"]
    assert len(issues) == 24
    assert sum("and so are 288 more below" in issue.finding.message for issue in issues) == 2
    for name in FORMATS:
        text = renderer(name)(report)
        assert not [word for word in words if word in text], name


DOUBTFUL = ("s3cr%rt-Pa55", "Tr{0}ub4dor&3", "<Hu9>nter2!", "$XyZ81jqpQ7", "${Ab}91kdjq8")
PLAIN = ("%s", "${SECRET_KEY}", "{user}:{word}", "$DB_PASSWORD", "{{ password }}")


@pytest.mark.parametrize("value", [*DOUBTFUL, *PLAIN])
def test_a_password_that_looks_like_a_template_is_quoted_nowhere(value: str) -> None:
    kept = "    user.password = hashlib.md5(password.encode()).hexdigest()\n"
    code = f"import hashlib\n\n\ndef save(user, password):\n    DB_PASSWORD = {value!r}\n{kept}"
    compose = f"services:\n  db:\n    image: postgres\n    environment:\n      DB_PASSWORD: '{value}'\n"
    report = scan({"app.py": code, "docker-compose.yml": compose, ".env": f"DB_PASSWORD={value}\n"}, LOADED)
    assert {issue.finding.place.path for issue in report.issues} >= {"app.py", "docker-compose.yml"}
    for format in FORMATS:
        shown = html.unescape(renderer(format)(report)).replace("\\/", "/")
        assert value not in shown or value in PLAIN, format
    lines = [line.text for issue in report.issues for line in issue.excerpt if "DB_PASSWORD" in line.text]
    assert lines
    assert all((MASK in line) is (value in DOUBTFUL) for line in lines)
