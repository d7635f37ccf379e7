"""auth/weak-cipher."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.ciphers import Broken, broken
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_BROKEN: dict[Broken, str] = {
    "cipher": "`{}` is a broken cipher or mode.",
    "hash": "`{}` is broken for anything that must not be forged.",
    "mode": "ECB encrypts equal blocks to equal blocks: it shows the pattern of the data.",
}
_KEPT = assume("effect", "what is encrypted is worth keeping")


@rule("auth/weak-cipher", severity="medium", cwe=327, owasp=("A04:2025", "A02:2021"), shown="strict")
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
    for call, what in broken(project):
        message = _BROKEN[what].format(call.spelled.removesuffix("()"))
        yield Finding(place=call.place, message=message, scope=call.code.function.qualname, assumed=_KEPT)
