"""Each library that we claim to know has a program where its mistake is reported, and a careful use that is not.

The expectations stand in ``fixtures/libraries`` and are checked by ``test_rules``; here only that none is missing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

LIBRARIES = Path(__file__).resolve().parents[2] / "fixtures" / "libraries"
KNOWN = """
    aiohttp aiosqlite argon2 asyncpg authlib bcrypt bleach boto3 cerberus cryptography django django_hashers
    djangorestframework fastapi flask flask_bcrypt hashlib httpx itsdangerous jinja2 jsonschema ldap3 lxml markupsafe
    marshmallow mongoengine motor mysql_connector nh3 os paramiko passlib pathlib peewee pickle psycopg psycopg2 pwdlib
    pydantic pyjwt pymongo pymysql python_jose python_ldap redis requests shutil sqlalchemy sqlite3 sqlmodel starlette
    subprocess tempfile tortoise urllib werkzeug werkzeug_security wtforms xml yaml
""".split()


@pytest.mark.parametrize("library", KNOWN)
def test_a_library_flows_in_one_program_and_not_in_another(library: str) -> None:
    programs = [path.read_text("utf-8") for path in sorted(LIBRARIES.rglob("*.py")) if path.stem.strip("_") == library]
    assert any("# want: " in text for text in programs)
    assert any("# ok: " in text for text in programs)
