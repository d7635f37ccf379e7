"""passwords/weak-hash."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.fast import fast_seeds, hashed_passwords
from backaudit.analyses.passwords.salts import shared_salts
from backaudit.analyses.passwords.schemes import weak_choices
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule


@rule("passwords/weak-hash", severity="high", cwe=916, owasp=("A04:2025", "A02:2021", "API2:2023"))
def weak_hash(project: Project) -> Iterator[Finding]:
    """A fast hash protects passwords.

    MD5 and the SHA family are made to be fast: one graphics card tries billions of guesses a second, and without a salt
    one table of results opens every account at once. A leaked table of such hashes is a leaked table of passwords.

    Mend: use a password hash, which is slow, salted and has its parameters in the result: Argon2id (`argon2-cffi`,
    `pwdlib`), bcrypt, or scrypt. Verify old hashes once more at the next login and store the new one then.

    Bad:
        import hashlib

        def hash_password(password: str) -> str:
            return hashlib.sha256(password.encode()).hexdigest()

    Good:
        import bcrypt

        def hash_password(password: str) -> str:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """
    yield from _hash_calls(project)
    for choice in weak_choices(project):
        yield Finding(place=choice.place, message=choice.message)
    for place, function in fast_seeds(project):
        yield Finding(place=place, message=f"A user's password is stored as `{function}`, a fast hash.")
    yield from _salts(project)


def _hash_calls(project: Project) -> Iterator[Finding]:
    for call, origin in hashed_passwords(project):
        name = call.spelled.removesuffix("()")
        yield Finding(
            place=call.place,
            message=f"`{name}` is a fast hash, and what it hashes is a password.",
            trace=(*origin.steps, Step(call.place, f"is hashed with `{name}`")),
        )


def _salts(project: Project) -> Iterator[Finding]:
    for call, origin in shared_salts(project):
        name = call.spelled.removesuffix("()")
        yield Finding(
            place=call.place,
            message=f"`{name}` hashes all passwords with one salt, so that equal passwords have equal hashes.",
            remedy="Draw a salt for each password: `bcrypt.gensalt()`, `os.urandom(16)`; keep it with the hash.",
            trace=(*origin.steps, Step(call.place, "salts every password")),
        )
