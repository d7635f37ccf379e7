"""The part of a Python file that can hold a credential, told from its words: lowering costs a hundred times as much.

Where only credentials are asked for, a file without prospects is not parsed, and of the others the functions without
any are emptied beforehand. Lines and columns of what remains stay as they are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from backaudit.extract.secrets import detectors
from backaudit.extract.secrets.names import kind_of_name
from backaudit.extract.secrets.values import judge
from backaudit.extract.secrets.words import word_set

_WORD = re.compile(r"[^\W\d][\w-]*")
# What takes a credential without naming it, and what reads settings or signs: whose code the rules then ask about.
_TAKERS = word_set(
    """
    hmac jwt jws jose jwcrypto itsdangerous AES Fernet URLSafeTimedSerializer URLSafeSerializer TimedSerializer Signer
    TimestampSigner JSONWebSignatureSerializer TimedJSONWebSignatureSerializer EncryptedCookieStorage
    SessionMiddleware JWTManager Praetorian set_password generate_password_hash make_password get_password_hash
    hash_password hashpw create_user create_superuser encrypt_password HTTPBasicAuth BasicAuth HTTPDigestAuth
    compare_digest dotenv read_env environs decouple BaseSettings pydantic_settings authorization proxy-authorization
    """
)
_ELSEWHERE = re.compile(
    # Pairs and logins by position; the words themselves are too common.
    r"\b(?:auth|credentials|basic_auth|http_auth)[\"']?[ \t]*[=:](?!=)|\blogin\(|\bconnect\([^)]*[\"']"
    # A key of two words; "pass" is a name only in quotes, and no other word is as common in Python.
    r"|[\"'][\w ]+ [Kk]eys?[\"']|[\"']pass[\"']|^[ \t]*(?:import|from)[ \t]+environ\b"
    # A URL with a user and a password, perhaps written in pieces.
    r"|://[^\s\"'/]*(?:@|[\"']\s*\\?\s*[rbufRBUF]{0,2}[\"'])",
    re.MULTILINE,
)
# A constant of any name, or what a function returns, may be what tokens are signed with in another file.
_CONSTANT = re.compile(
    r"^(?:[ \t]+return\b|(?:\w+|[ \t]+(?:self\.)?[A-Z][A-Z\d_]*)[ \t]*(?::[^=\n]+)?=)[ \t]*[rbuRBU]{0,2}"
    r"(?P<quote>[\"'])(?P<value>[^\"'\\\n]{8,})(?P=quote)[ \t]*(?:\#.*)?$",
    re.MULTILINE,
)


def is_prospect(text: str) -> bool:
    """Whether the code of a file has to be read to know its credentials, or those that it uses."""
    words = set(_WORD.findall(text))
    if not words.isdisjoint(_TAKERS) or any(_names(word) for word in words):
        return True
    if _ELSEWHERE.search(text) or any(True for _ in detectors.find(text)):
        return True
    return any(judge(found["value"]) in ("strong", "weak", "placeholder") for found in _CONSTANT.finditer(text))


def _names(word: str) -> bool:
    return word != "pass" and kind_of_name(word) is not None


def prospects(text: str) -> str | None:
    """The text of a file with every function emptied that can hold no credential; None if nothing in it can."""
    if not is_prospect(text):
        return None
    # The parser's lines end as ours do but for these, which would shift what is cut.
    if "\r" in text or "\f" in text:
        return text
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    lines = text.split("\n")
    for first, last in _bodies(tree.body):
        body = lines[first - 1 : last]
        if not is_prospect("\n".join(body)):
            indent = len(body[0]) - len(body[0].lstrip())
            lines[first - 1 : last] = [body[0][:indent] + "pass", *[""] * (last - first)]
    return "\n".join(lines)


def _bodies(statements: list[ast.stmt]) -> Iterator[tuple[int, int]]:
    """First and last line of the bodies of functions, also of those in classes, that stand on lines of their own."""
    for statement in statements:
        if isinstance(statement, ast.ClassDef):
            yield from _bodies(statement.body)
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = statement.body[0]
            header = max([statement.lineno, *(node.end_lineno or 0 for node in _header(statement))])
            if first.lineno > header and first.col_offset > statement.col_offset:
                yield first.lineno, statement.end_lineno or first.lineno


def _header(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = function.args
    yield from arguments.defaults
    yield from (node for node in (*arguments.kw_defaults, function.returns) if node is not None)
