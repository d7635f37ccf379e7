"""auth/weak-random-token."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.mends import unpredictable
from backaudit.analyses.auth.predictable import Predictable, predictable_secrets
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("auth/weak-random-token", severity="high", cwe=330, owasp=("A04:2025", "A02:2021", "API2:2023"))
def weak_random_token(project: Project) -> Iterator[Finding]:
    """A secret is made from numbers that can be predicted.

    `random` is made for simulations: who has seen a few of its numbers knows all that follow. `uuid1` and the clock are
    known to whoever knows about when the token was made.

    Mend: `secrets.token_urlsafe(32)` for tokens, `secrets.choice` and `secrets.randbelow` for codes, `uuid.uuid4()` for
    ids.

    Bad:
        import random
        import string

        def make_reset_token():
            return "".join(random.choice(string.ascii_letters) for _ in range(32))

    Good:
        import secrets

        def make_reset_token():
            return secrets.token_urlsafe(32)

    Links:
        https://docs.python.org/3/library/secrets.html
    """
    for found in predictable_secrets(project):
        yield Finding(
            place=found.call.place,
            message=_message(found),
            remedy=_remedy(found),
            assumed=found.assumed,
            scope=found.call.code.function.qualname,
            fixes=tuple(unpredictable(found)),
        )


def _message(found: Predictable) -> str:
    if found.cut:
        return f"`{found.told}` is what a slice leaves of `{found.source}`: {found.cut} bits, which can be tried out."
    return f"`{found.told}` is made with `{found.source}`, which can be predicted."


def _remedy(found: Predictable) -> str:
    if found.cut:
        return "Keep the whole of it: `secrets.token_urlsafe(32)`."
    return "Use the module `secrets`."
