"""passwords/weak-hash-cost."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.cheap import cheap_hashes
from backaudit.project import Project
from backaudit.rule import Finding, capitalized, rule


@rule("passwords/weak-hash-cost", severity="medium", cwe=916, owasp=("A04:2025", "A02:2021", "API2:2023"))
def weak_hash_cost(project: Project) -> Iterator[Finding]:
    """A password hash is made cheaper than it should be.

    The cost is what protects the passwords of a table that leaks: each halving lets an attacker try twice as many
    guesses. The defaults of current libraries are sound; parameters set by hand age, and tests' shortcuts get deployed.

    Mend: leave the parameters to the library, or take at least OWASP's minimum: Argon2id with 19 MiB and 2 passes,
    scrypt with N=2^17, bcrypt with cost 10, PBKDF2 with 600,000 iterations of HMAC-SHA256.

    Bad:
        import bcrypt

        def hash_password(password: str) -> bytes:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4))

    Good:
        import bcrypt

        def hash_password(password: str) -> bytes:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt())

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """
    for place, what in cheap_hashes(project):
        yield Finding(place=place, message=capitalized(f"{what}."))
