"""What a name says: what several parts of the tool ask has one answer here. The words stand in the books."""

from __future__ import annotations

from functools import lru_cache

from backaudit.vocabulary.meaning import meaning, words

_PASSWORD = meaning("passwords", "password")
_SHORT = meaning("passwords", "short")
_WHICH = meaning("passwords", "which")
_ABOUT = meaning("passwords", "about")
_HASHED = meaning("passwords", "hashed")
_ENTRY_CODE = meaning("passwords", "entry-code")
_USER = meaning("people", "user")
_ACCOUNT = meaning("people", "account")
_PERSON = meaning("people", "person")
_IDENTITY = meaning("people", "identity")
_LOGIN = meaning("people", "login-record")
_PROFILE = meaning("people", "profile")
_FORM = meaning("people", "form")
_DATABASE = meaning("passwords", "database")
_ADDRESS = meaning("passwords", "address")
_NO_ADDRESS = meaning("passwords", "no-address")


@lru_cache(maxsize=65536)
def means_password(name: str) -> bool:
    """Whether a name says that its value is a password as somebody typed it."""
    if _ABOUT.holds(name) or not _PASSWORD.holds(name):
        return False
    if _SHORT.holds(name):
        # Short words mean many things alone; they mean a password alone or beside who it belongs to.
        others = [part for part in words(name) if part not in _SHORT.words and not part.isdigit()]
        return all(_PERSON.holds(part) or _LOGIN.holds(part) or _WHICH.holds(part) for part in others)
    return True


@lru_cache(maxsize=65536)
def means_password_hash(name: str) -> bool:
    """Whether a name says that its value is a hashed password."""
    return _PASSWORD.holds(name) and _HASHED.holds(name)


def means_entry_code(name: str) -> bool:
    """Whether a name says that its value is a code by which somebody is let in: ``reset_code``, ``otp``."""
    return _ENTRY_CODE.holds(name)


def is_password_column(name: str) -> bool:
    """Whether a column, key or field of this name holds passwords, hashed or not."""
    return means_password(name) or means_password_hash(name)


@lru_cache(maxsize=65536)
def means_person(name: str) -> bool:
    """Whether a class or collection of this name is about people who have accounts, not about what a form asks."""
    return (_PERSON.holds(name) or _LOGIN.holds(name)) and _FORM.words.isdisjoint(words(name)[1:])


@lru_cache(maxsize=65536)
def names_people(name: str) -> bool:
    """Whether a table of this name holds people, as its last word says: ``app_users``, not ``user_orders``."""
    last = last_word(name)
    return means_people(last) or _LOGIN.holds(last) or _PROFILE.holds(last)


def means_people(word: str) -> bool:
    """Whether a word, as it stands in a route's path, is one for people: ``employees``, ``customuser``."""
    return _PERSON.holds(word) or _USER.holds(word)


@lru_cache(maxsize=65536)
def names_users(name: str) -> bool:
    """Whether the rows of a table of this name are users, by that very word (``CustomUser``)."""
    return _USER.holds(last_word(name))


@lru_cache(maxsize=65536)
def names_accounts(name: str) -> bool:
    """Whether the rows of a table of this name are those who log in: its users, members or customers."""
    return names_users(name) or last_word(name) in _ACCOUNT.words


def names_somebody(column: str) -> bool:
    """Whether a column is one by which somebody is known: an address, a user name, a telephone."""
    return _IDENTITY.holds(column)


@lru_cache(maxsize=65536)
def means_database_address(name: str) -> bool:
    """Whether a name says that its value is a database's URL, which carries its password."""
    return _DATABASE.holds(name) and _ADDRESS.holds(name) and not _NO_ADDRESS.holds(name)


def last_word(name: str) -> str:
    """The last word of a table's or class's name, but for what only says that it is one."""
    parts = [part for part in words(name.rpartition(".")[2]) if not part.isdigit()]
    while len(parts) > 1 and parts[-1] in ("model", "table", "entity", "tbl"):
        parts.pop()
    return parts[-1] if parts else ""


def noun_of(name: str) -> str:
    """``app_users``, ``Users`` and ``/user`` are one: the last word, in the singular."""
    return _singular(last_word(name.replace("-", "_")))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
