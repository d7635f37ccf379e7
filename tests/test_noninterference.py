"""What is reported does not depend on a secret's value: of two projects that differ in it alone, nothing differs."""

from __future__ import annotations

import hashlib
import html
import json
from urllib.parse import quote

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.baseline import dump
from backaudit.extract.secrets.values import judge
from backaudit.report import FORMATS, renderer
from backaudit.testing import scan
from backaudit.triage import accepted

LOADED = plugins.load(reraise=True)
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
