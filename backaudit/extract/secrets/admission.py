"""Whether a value under a name is a credential: the table of kind, position and what the value says for itself."""

from __future__ import annotations

import re

from backaudit.extract.secrets.names import is_abbreviated, is_constant, is_plural, kind_of_name, words
from backaudit.extract.secrets.values import Verdict, is_mask, judge
from backaudit.facts.secrets import Position, SecretKind, Strength

_SCHEME = re.compile(r"^(?:Bearer|Token|Basic|JWT|Key|ApiKey)\s+", re.IGNORECASE)
# Bytes that no keyboard makes, as ``os.urandom`` does.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_UNLIKE_NAMES = re.compile(r"[^A-Za-z_.:/ -]")
_KEY_WORDS = frozenset(("clave", "claves", "chave", "chaves"))
# ``SECRET_KEY,DB_HOST,DB_PASS``: what variables are called.
_NAMES = re.compile(r"[A-Z][A-Z_]*(?:,\s*[A-Z][A-Z_]*)+")
_NAME_OF_SOMETHING = re.compile(r"[a-z_]+")
_USED: tuple[Position, ...] = ("env-default", "attribute", "seed", "argument", "file")


def bare(value: str) -> str:
    """A header's value without the scheme before it."""
    return _SCHEME.sub("", value)


def admit(name: str, kind: SecretKind, position: Position, value: str, free: bool = False) -> Strength | None:
    """How strong a credential the value is; None if it is none.

    ``free``: what stands around it says that it is used (a configuration, a connection), so that a word may be one too.
    """
    value = bare(value.strip())
    if kind == "signing-key" and _BINARY.search(value) and 8 <= len(value) <= 200 and " " not in value:
        return "strong"
    if _is_no_value(name, kind, position, value):
        return None
    verdict = judge(value)
    anyway = _signs_anyway(position, value, verdict, free) if kind == "signing-key" else None
    if anyway is not None:
        return anyway
    # What a look-up in any mapping falls back to is rarely used: only what cannot be meant otherwise counts.
    if verdict == "none" or (position == "fallback" and verdict != "strong"):
        return None
    if verdict == "strong" and _plain(value) == _plain(name):
        return None  # ``"X-CSRF-Token": "xcsrftoken"``, which no dictionary has
    if verdict == "strong":
        return "strong" if kind != "password" or len(value) <= 200 else None
    if verdict == "hash" or is_plural(name) or is_abbreviated(name):
        return None
    return _JUDGES.get(kind, _token)(name, position, value, verdict, free)


def _is_no_value(name: str, kind: SecretKind, position: Position, value: str) -> bool:
    """Whether a text names something else than a credential."""
    if _NAMES.fullmatch(value) or (kind == "password" and _is_about_words(name, value)):
        return True
    if position == "dict":
        return _is_other_name(name, value) and _plain(value).endswith(_plain(name))
    return position == "env-default" and _is_other_name(name, value)


def _signs_anyway(position: Position, value: str, verdict: Verdict, free: bool) -> Strength | None:
    """How strong a key is that looks like none, and is what signs: shown as a mask, or a word where nothing is set."""
    if is_mask(value) and _signs(position, free):
        return "placeholder"
    return "weak" if verdict == "none" and position == "env-default" and value.isalnum() else None


def _signs(position: Position, free: bool) -> bool:
    """Whether a key at such a place is handed to what signs with it."""
    return position in ("argument", "attribute") or (free and position in ("item", "keyword"))


def _is_other_name(name: str, value: str) -> bool:
    """``setting("PGPASSWORD", "POSTGRES_PASSWORD")``: a reader that takes several names of one variable.

    Also a table of what variables are called: ``{"password": "MAIL_PASSWORD"}``.
    """
    return is_constant(value) and "_" in value and kind_of_name(value) is not None and _plain(value) != _plain(name)


def _is_about_words(name: str, value: str) -> bool:
    """A label in another script, or under a name that is also the word for any key (``clave``) a name of something."""
    if not any(char.isascii() and char.isalnum() for char in value):
        return any(char.isalpha() for char in value)
    return not _KEY_WORDS.isdisjoint(words(name)) and bool(_NAME_OF_SOMETHING.fullmatch(value))


def _password(name: str, position: Position, value: str, verdict: Verdict, free: bool) -> Strength | None:
    used = free or position in _USED
    if verdict == "naming":
        return "weak" if _is_password_all_the_same(name, position, value, used) else None
    if position in ("dict", "item") and not used and not _mixed(value):
        return None
    if verdict == "placeholder":
        return "placeholder"
    return "weak" if len(value) >= 3 else None


def _is_password_all_the_same(name: str, position: Position, value: str, used: bool) -> bool:
    """Whether a word that names things is a password where it stands."""
    same = _plain(value) == _plain(name)
    if position == "comparison":
        return value.isalnum() and not same
    return used and " " not in value and (not same or (value.islower() and position != "assignment"))


def _signing_key(name: str, position: Position, value: str, verdict: Verdict, free: bool) -> Strength | None:
    used = free or position in _USED
    explicit = used or len(words(name)) > 1
    if verdict == "naming":
        setting = is_constant(name) or position in ("attribute", "item", "keyword", "field")
        return "weak" if used or (explicit and setting and not _is_name_of(value, name)) else None
    mixed = _mixed(value)
    if not used and not mixed and position in ("dict", "comparison"):
        return None
    if verdict == "placeholder":
        return "placeholder" if explicit else None
    return "weak" if explicit or mixed else None


_JUDGES = {"password": _password, "signing-key": _signing_key}


def _token(name: str, position: Position, value: str, verdict: Verdict, free: bool) -> Strength | None:
    own = position in ("comparison", "env-default") or (is_constant(name) and position != "dict") or free
    if not own or len(value) < 6:
        return None
    if verdict == "placeholder":
        # A placeholder opens nothing at somebody else's door; what callers are compared with it opens.
        return "placeholder" if position == "comparison" else None
    telling = verdict == "weak" and _mixed(value) and len(value) >= 8
    # ``ACCESS_TOKEN = "ACCESS_TOKEN#"`` is the prefix of a key of the store.
    return "weak" if telling and _plain(value) != _plain(name) else None


def _mixed(value: str) -> bool:
    return any(char.isalpha() for char in value) and bool(_UNLIKE_NAMES.search(value)) and " " not in value


def _is_name_of(value: str, name: str) -> bool:
    """Whether a value is but another spelling of its name: ``_secret_key = "_secret"`` names a key of a mapping."""
    one, other = _plain(value), _plain(name)
    return one == other or (not is_constant(name) and (one in other or other in one) and "_" in value)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower())
