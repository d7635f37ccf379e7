"""What a value says for itself: no credential at all, a word, a placeholder, or something generated."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from backaudit.vocabulary.guessing import is_word, surprise, word_set

# "naming": a word or identifier that may as well be the name of something ("access_token").
Verdict = Literal["none", "naming", "weak", "placeholder", "strong", "hash"]

_STRONG_BITS = 38.0
_LONGEST = 4096

_TEMPLATE = re.compile(
    r"\{\{|\{%|<%|\$\{|^\$[A-Za-z_]\w*$|^\(\([\w./: -]+\)\)$|^\$\([A-Za-z_][\w.]*\)$|"
    r"<[\w .:/|-]+>|\*{3}|\.{3}|…|\bos\.environ|process\.env|#\{|"
    r"^(env|vault|ssm|op|arn|gcp|aws|secretsmanager|ref|file|projects|sm|sops|ENC)[:\[/(]"
)
# These a generated key may have by chance, and one of Django's in ten has.
_MARK = re.compile(r"\$\(|%\(|%[sdr]|\{[\w.\[\]!:'\"-]*\}")
_LONG_KEY = 40
_PATH = re.compile(
    r"^(\.{0,2}/|~|[A-Za-z]:\\|\\\\)|\.(pem|key|crt|json|ya?ml|txt|html?|py|js|css|env|ini|toml|cfg|conf|md|png"
    r"|jpg|svg|sh|sql|db)$"
)
_URL = re.compile(r"^[a-z][a-z\d+.-]*://|^www\.", re.IGNORECASE)
_DOTTED = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
_CALL = re.compile(r"^[\w.]+\(.*\)$|^[\w.]+\[.*\]$|=>|->|^lambda\b|::|^[a-z_]+=[a-z_]+$")
_EMAIL = re.compile(r"^[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-z]{2,}$", re.IGNORECASE)
_HASH = re.compile(
    r"^\$(2[abxy]?|argon2(id?|d)|scrypt|pbkdf2[\w-]*|1|5|6|apr1|y)\$|^(pbkdf2_sha\d+|bcrypt(_sha256)?|argon2"
    r"|scrypt|sha1|md5)\$"
    r"|^(pbkdf2|scrypt):\w+"
)
_ALGORITHM = re.compile(
    r"^(HS|RS|ES|PS)(256|384|512)$|^(sha|md|aes|des|rc|blake)-?_?\d\w*$|^(pbkdf2|bcrypt|argon2|scrypt|hmac|ed25519"
    r"|rsa)([:_-]\w+)*$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"change[ _.-]?(me|this|it|in|before|for|to|the|your|now)|(?<![a-z])(your|my)[ _.-]?|example|placeholder"
    r"|replace|(?<![a-z])insert|"
    r"todo|fixme|dummy|sample|xxxx|not[ _.-]?(so[ _.-]?)?(a[ _.-]?)?(real|secret)|insecure(?!-[^a-z])"
    r"|(?<![a-z])(dev|test|demo|local|fake|foo|bar|default|unsafe|temp)"
    r"(?![a-z])|secret[ _.-]?(key)?[ _.-]?(here|goes)|super[ _.-]?secret|(?<![a-z])(enter|put|add|set|use"
    r"|paste)[ _.-]|[ _.-]here$|redacted|"
    r"development|testing|1234567890|abcdef(gh|$)|generate|random[ _.-]?(string|secret|key)|secure[ _.-]?random"
    r"|openssl",
    re.IGNORECASE,
)
_WORDS_OF_CODE = word_set(
    """
    true false none null nil undefined yes no on off string str text int integer number bool boolean object array
    any list dict required optional read write hidden disabled enabled basic bearer token jwt digest apikey oauth
    oauth2 cookie session header query body path form json base64 utf8 utf-8 hex raw plain plaintext auto always
    never exclude include default unset empty invalid valid ok error missing unknown n/a na tbd password_hash key
    value name id nan inf latin-1 ascii inherit public private internal user username email login anonymous deny
    allow refresh access bot type
    """
)
_STEMS = re.compile(
    r"pass(word|wd|phrase|code)?|pwd|token|secret|key|auth|credential|csrf|session|login|signin|user|account|otp"
    r"|code|jwt|api|cookie|"
    r"contrase|clave|senha|reset|forgot|confirm",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"^_*[A-Za-z][A-Za-z]*([_.: -]?[A-Za-z]+)*$|^[A-Za-z]+([_-]?[A-Za-z]+)*[_-]?\d$")
_SNAKE = re.compile(r"^_*[A-Za-z]{1,16}([_.:-]+[A-Za-z]{1,16})+_*$")
# A whole pattern, or a word in brackets that says what stood there: ``[REDACTED]``, ``<hidden>``.
_PATTERN = re.compile(r"^\^.*[\])}*+?]\$$")
# A class of characters and how many of them: what such a text finds is a credential, it is none itself.
_FINDING = re.compile(r"\[[^\]\s]*\w-\w[^\]\s]*\](\{\d+(,\d*)?\}|[+*])")
_LEFT_OUT = re.compile(r"^(\[[\w -]+\]|<[\w -]+>|\([\w -]+\)|\{[\w -]+\})$")
# Words between signs that are repeated on both sides, for what is not there: ``---NO-VALUE---``, ``**removed**``.
_STAND_IN = re.compile(r"^(?P<sign>[-_*#=~])(?P=sign)+[A-Za-z]+([ _-][A-Za-z]+)*(?P=sign){2,}$")
# Signs that stand for what is not shown; any other sign that is repeated is a value, and a poor one.
_MASK = re.compile(r"^[x*#.•_ -]+$", re.IGNORECASE)
_DIGEST = re.compile(r"(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{56}|[\da-f]{64}|[\da-f]{96}|[\da-f]{128})", re.IGNORECASE)
_GMAIL = re.compile(r"^[a-z]{4}( [a-z]{4}){3}$")
_TOKENLIKE = re.compile(r"[!-~]+")


def is_digest(value: str) -> bool:
    """Whether a value has the form of a hexadecimal digest (MD5, SHA-1, SHA-2)."""
    return bool(_DIGEST.fullmatch(value))


def is_mask(value: str) -> bool:
    """Whether a value is only the signs that stand for another one."""
    return bool(_MASK.match(value))


@lru_cache(maxsize=20_000)
def judge(value: str) -> Verdict:
    """The verdict on a value whose name says that it is a credential."""
    if _GMAIL.match(value):
        return "strong" if surprise(value) > _STRONG_BITS else "none"
    if _HASH.match(value):
        return "hash" if len(value) > 20 else "none"
    if value.startswith("django-insecure-"):
        return "strong"
    if _is_none(value):
        return "none"
    if " " in value or "\t" in value or "\n" in value:
        return _of_sentence(value)
    return _of_word(value)


def _is_none(value: str) -> bool:
    return (
        len(value) < 2
        or len(value) > _LONGEST
        or value.lower() in _WORDS_OF_CODE
        or any(form.search(value) for form in (_TEMPLATE, _MASK, _STAND_IN, _ALGORITHM, _PATTERN, _FINDING, _LEFT_OUT))
        or (bool(_MARK.search(value)) and not _is_generated(value))
        or _is_reference(value)
    )


def _is_generated(value: str) -> bool:
    """Whether so much of a long value is random that a mark of templates in it is too."""
    return len(value) >= _LONG_KEY and " " not in value and surprise(_MARK.sub("", value)) > 3 * _STRONG_BITS


def _is_reference(value: str) -> bool:
    """Paths, URLs, names of code and addresses lead to something; they are not it."""
    if _URL.match(value) or _CALL.search(value) or _EMAIL.match(value) or _PATH.search(value):
        return not (value.endswith("=") and surprise(value) > 2 * _STRONG_BITS)
    if value.startswith("/") or (_DOTTED.match(value) and surprise(value) < 12 * (value.count(".") + 1)):
        return True
    # ``logs/app`` is a path; what has no letter between its slashes is none.
    return "/" in value and any(map(str.isalpha, value)) and all(surprise(part) < 12 for part in value.split("/"))


def _of_sentence(value: str) -> Verdict:
    if len(value) > 120 or "\n" in value:
        return "none"
    return "placeholder" if _PLACEHOLDER.search(value) else "naming"


def _of_word(value: str) -> Verdict:
    if not _TOKENLIKE.fullmatch(value):
        return "weak" if value.isprintable() and len(value) < 40 and not value.isalpha() else "naming"
    if len(set(value)) == 1:
        return "weak"
    placeholder = bool(_PLACEHOLDER.search(value))
    if _is_made_of_words(value):
        return "placeholder" if placeholder else "naming" if _STEMS.search(value) else "weak"
    if "EXAMPLE" in value:
        return "placeholder"
    least = 1.8 * _STRONG_BITS if placeholder else _STRONG_BITS
    if surprise(value) >= least and len(value) >= 8:
        return "strong"
    if placeholder:
        return "placeholder"
    named = _IDENTIFIER.match(value) and _STEMS.search(value)
    return "naming" if named or (len(value) > 6 and not value.isascii()) else "weak"


def _is_made_of_words(value: str) -> bool:
    """``change_me_now``: at least one part is a word."""
    parts = re.split(r"[_.:-]+", value) if _SNAKE.match(value) else []
    return any(len(part) > 2 and is_word(part) for part in parts)
