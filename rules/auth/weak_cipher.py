"""auth/weak-cipher."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.project import Node, Project
from backaudit.rule import Finding, assume, rule
from backaudit.vocabulary.meaning import meaning

_PASSWORDS = meaning("passwords", "in-code")


@rule(
    "auth/weak-cipher",
    severity="medium",
    cwe=327,
    owasp=("A04:2025", "A02:2021"),
    shown="strict",
)
def weak_cipher(project: Project) -> Iterator[Finding]:
    """A broken cipher, mode or hash.

    DES, RC4 and Blowfish can be broken; ECB shows the pattern of what it encrypts; MD5 and SHA-1 let an attacker make
    two different things with the same hash. For signatures and proofs of integrity they prove nothing.

    Mend: AES-GCM or ChaCha20-Poly1305 (`cryptography`'s `AESGCM`, `Fernet`); SHA-256 or BLAKE2 for hashes. A hash that
    is only a cache key says so: `usedforsecurity=False`.

    Bad:
        from Crypto.Cipher import DES

        def encrypt(key, data):
            return DES.new(key, DES.MODE_ECB).encrypt(data)

    Bad:
        import hashlib

        def signature(body, key):
            return hashlib.md5(body + key).hexdigest()

    Good:
        import os

        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        def encrypt(key, data):
            nonce = os.urandom(12)
            return nonce + AESGCM(key).encrypt(nonce, data, None)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html
    """
    kinds = project.models.kinds
    for call in project.calls(*sorted(kinds["broken-ciphers"])):
        if _serves(project, call):
            yield _finding(call, f"`{call.spelled.removesuffix('()')}` is a broken cipher or mode.")
    for call in project.calls(*sorted(kinds["broken-hashes"])):
        if _serves(project, call) and _broken_hash(call):
            yield _finding(call, f"`{call.spelled.removesuffix('()')}` is broken for anything that must not be forged.")
    for last in ("new", "Cipher"):
        for call in project.calls_of(last):
            mode = next((arg for arg in call.args() if arg.spelled.endswith(("MODE_ECB", "modes.ECB()"))), None)
            if mode is not None and _serves(project, call):
                yield _finding(call, "ECB encrypts equal blocks to equal blocks: it shows the pattern of the data.")


def _serves(project: Project, call: Node) -> bool:
    return project.role(call.code.path) == "production"


def _finding(call: Node, message: str) -> Finding:
    kept = assume("effect", "what is encrypted is worth keeping")
    return Finding(
        place=call.place,
        message=message,
        assumed=kept,
        scope=call.code.function.qualname,
    )


def _broken_hash(call: Node) -> bool:
    """Not a password's (another rule's subject), not declared harmless, and of one of the broken kinds."""
    stated = call.arg(None, "usedforsecurity")
    if stated is not None and stated.const is False:
        return False
    given = " ".join(arg.spelled for arg in call.args())
    if _PASSWORDS.holds(given) or _PASSWORDS.holds(call.code.function.name):
        return False
    if call.method == "new":
        first = call.arg(0, "name")
        return first is not None and (first.text or "").lower().replace("-", "") in ("md5", "sha1", "md4")
    return True
