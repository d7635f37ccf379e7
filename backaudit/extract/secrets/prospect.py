"""The part of a Python file that can hold a credential, told from its words: lowering costs a hundred times as much.

Where only credentials are asked for, a file without prospects is not parsed, and of the others the functions without
any are emptied beforehand. Lines and columns of what remains stay as they are.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache

from backaudit.extract.secrets import detectors, texts
from backaudit.extract.secrets import python as code
from backaudit.extract.secrets.names import kind_of_name
from backaudit.extract.secrets.values import judge
from backaudit.source import Kind
from backaudit.vocabulary.guessing import word_set

_WORD = re.compile(r"[^\W\d][\w-]*")
# Every name of a credential has one of the first in it, whatever its case, and every pattern one of the second.
_STEMS = tuple(sorted({*code.STEMS, *texts.STEMS}))
_NEEDLES = tuple(detectors.needles())
_OTHER_NEEDLES = tuple(needle for needle in _NEEDLES if needle != "://")
# What takes a credential without naming it, and what reads settings or signs: whose code the rules then ask about.
_TAKERS = word_set(
    """
    hmac jwt jws jose jwcrypto itsdangerous AES Fernet URLSafeTimedSerializer URLSafeSerializer TimedSerializer Signer
    TimestampSigner JSONWebSignatureSerializer TimedJSONWebSignatureSerializer EncryptedCookieStorage
    SessionMiddleware JWTManager Praetorian set_password generate_password_hash make_password get_password_hash
    hash_password hashpw create_user create_superuser encrypt_password HTTPBasicAuth BasicAuth HTTPDigestAuth
    compare_digest dotenv read_env environs decouple BaseSettings pydantic_settings authorization Authorization
    proxy-authorization Proxy-Authorization JWTStrategy AuthenticationBackend pwdlib argon2 passlib bcrypt PasswordHash
    PasswordHasher CryptContext
    """
)
_ELSEWHERE = re.compile(
    # Pairs and logins by position; the words themselves are too common.
    r"\.(?:hash|encrypt)\("
    r"|\b(?:auth|credentials|basic_auth|http_auth)[\"']?[ \t]*[=:](?!=)|\blogin\(|\bconnect\([^)]*[\"']"
    # A key of two words; "pass" is a name only in quotes, and no other word is as common in Python.
    r"|(?:sers?|SERS?|ccounts?|CCOUNTS?|ogins?|OGINS?|redentials|_db|_DB|_store)[ \t]*=[ \t]*\{|\bClient\([^)]*[\"']AC"
    r"|[\"'][\w ]+ [Kk]eys?[\"']|[\"']pass[\"']|^[ \t]*(?:import|from)[ \t]+environ\b"
    # A URL with a user and a password, perhaps written in pieces.
    r"|://[^\s\"'/]*(?:@|[\"']\s*\\?\s*[rbufRBUF]{0,2}[\"'])",
    re.MULTILINE,
)
# A constant of any name, or what a function returns, may be what tokens are signed with in another file.
_CONSTANT = re.compile(
    r"^(?:[ \t]+return\b|(?:\w+|[ \t]+(?:self\.)?[A-Z][A-Z\d_]*)[ \t]*(?::[^=\n]+)?=)[ \t]*[rbuRBU]{0,2}"
    r"(?P<quote>[\"'])(?P<value>[^\"'\\\r\n]{8,})(?P=quote)[ \t]*(?:\#.*)?\r?$",
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


def telling(text: str, kind: Kind) -> set[str]:
    """The lines of a text by which a credential may be known, with those beside them; all of it around private keys.

    Of two texts that have them in common, the second holds no credential that the first does not, as far as one file
    tells and a value stands beside its name.
    """
    content = text.split("\n")
    if kind == "key" or "PRIVATE KEY" in text:
        return set(content)
    found: set[int] = set()
    for line in _lines_with(text, _NEEDLES):
        if _may_hold_credential(content[line]):
            found.update(range(line, min(len(content), line + 2)))
    if kind == "python" or texts.has_grammar(kind):
        for line in _lines_with(text.lower(), _STEMS):
            if kind != "python" or _tells(content[line]):
                found.update(range(max(0, line - 1), min(len(content), line + 4)))
    kept = {content[line].strip() for line in found} - {""}
    return {line for line in kept if "'" in line or '"' in line} if kind == "python" else kept


def _may_hold_credential(line: str) -> bool:
    """Of a line with an address: whether somebody stands in it, or something else that tells."""
    return "://" not in line or "@" in line or any(needle in line for needle in _OTHER_NEEDLES)


def _lines_with(searched: str, stems: tuple[str, ...]) -> set[int]:
    """The numbers of the lines that hold one of ``stems``; ``searched`` has the same line ends as ``text``."""
    starts = [0, *(end.end() for end in re.finditer("\n", searched))]
    found: set[int] = set()
    for stem in stems:
        at = searched.find(stem)
        while at >= 0:
            found.add(bisect_right(starts, at) - 1)
            end = searched.find("\n", at)
            at = searched.find(stem, end) if end >= 0 else -1
    return found


# Longer lines are rarely met again, and would fill the memory.
_LONG = 500


def _tells(line: str) -> bool:
    return _told(line) if len(line) < _LONG else _told.__wrapped__(line)


@lru_cache(maxsize=50_000)
def _told(line: str) -> bool:
    words = _WORD.findall(line)
    return not _TAKERS.isdisjoint(words) or any(map(_names, words)) or bool(_ELSEWHERE.search(line))


def _names(word: str) -> bool:
    return word != "pass" and kind_of_name(word) is not None


def prospects(text: str) -> str | None:
    """The text of a file with every function emptied that can hold no credential; None if nothing in it can."""
    return emptied(text, lambda body: not is_prospect("\n".join(body))) if is_prospect(text) else None


def emptied(text: str, is_empty: Callable[[list[str]], bool]) -> str:
    """A file without the bodies (given as their lines) for which ``is_empty`` holds; its lines stay where they are."""
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
        if is_empty(body):
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
