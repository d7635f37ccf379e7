"""Names as words: what a name says its value is."""

from __future__ import annotations

import re
from functools import lru_cache

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+|\d+")

_PASSWORD = frozenset(
    "password passwd pwd passphrase pass passcode contraseña contrasenia contrasena clave senha passwort kennwort "
    "parola haslo hasło wachtwoord lösenord losenord adgangskode sifre şifre пароль motdepasse mdp passw pswd "
    "psw pw kennwort parol salasana jelszo jelszó heslo lozinka geslo 密码 密碼 パスワード 비밀번호".split()
)
_PHRASES = (("mot", "passe"), ("palavra", "passe"), ("parola", "chiave"), ("kata", "sandi"), ("mat", "khau"))
# A stem that is written together with its neighbours: ``apassword``, ``userpasswd``, ``passwordhash``.
_STEM = re.compile(r"(passwords?|passwd|passwort|contrase[nñ]a|kennwort|wachtwoord)")
# With one of these beside it, the name means something about passwords, not a password.
_ABOUT = frozenset(
    "hash hashed hasher hashers hashing digest encrypted encoded enc crypt bcrypt salt salted id url uri link path "
    "field fields form forms length len min max minimum maximum policy policies validator validators strength valid "
    "is has have was check checker changed change updated at date time expires expiry expired expiration reset token "
    "hint context ctx manager helper service schema view template page error errors message msg regex pattern "
    "algorithm scheme schemes rounds iterations required enabled disabled count attempts attempt history file column "
    "label title text placeholder widget type bearer flow request response params body cipher provider attr attribute "
    "verify verified match matches matched needs need must set get last first use show hide store stored db existing "
    "ok through by boarding key name prompt parser reminder email mail backend input_type class cls config "
    "less no forgot forgotten".split()
)


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The words of an identifier or key: ``userPasswordHash`` as user, password, hash."""
    pieces = (piece.lower() for piece in _PIECES.findall(name))
    return tuple(part for piece in pieces for part in _STEM.split(piece) if part)


@lru_cache(maxsize=65536)
def means_password(name: str) -> bool:
    """Whether a name says that its value is a password as somebody typed it."""
    parts = words(name)
    if any(set(phrase) <= set(parts) for phrase in _PHRASES):
        return not _ABOUT.intersection(parts)
    if not _PASSWORD.intersection(parts) or _ABOUT.intersection(parts):
        return False
    if "pass" in parts or "pw" in parts or "clave" in parts:
        # Short words mean many things alone; they mean a password alone or beside who it belongs to.
        others = [part for part in parts if part not in ("pass", "pw", "clave") and not part.isdigit()]
        return all(part in _PERSON or part in ("new", "old", "plain", "raw", "my") for part in others)
    return True


@lru_cache(maxsize=65536)
def means_password_hash(name: str) -> bool:
    """Whether a name says that its value is a hashed password."""
    parts = words(name)
    return bool(_PASSWORD.intersection(parts)) and bool(
        {"hash", "hashed", "digest", "encrypted", "crypt", "salted", "bcrypt"}.intersection(parts)
    )


_PERSON = frozenset(
    "user users account accounts member members customer customers admin admins administrator person people employee "
    "employees staff student students teacher teachers patient doctor owner driver client clients login logins "
    "credential credentials usuario usuarios utilisateur benutzer konto cliente clientes players player author".split()
)
_INPUT = frozenset(
    "form schema create update in input request register registration signup login dto serializer base "
    "validator".split()
)


@lru_cache(maxsize=65536)
def means_person(name: str) -> bool:
    """Whether a class or collection of this name is about people who have accounts, not about what a form asks."""
    parts = words(name)
    return bool(_PERSON.intersection(parts)) and not _INPUT.intersection(parts[1:])


def is_password_column(name: str) -> bool:
    """Whether a column, key or field of this name holds passwords, hashed or not."""
    return means_password(name) or means_password_hash(name)
